/** Tars written field by field, so that a test can write anything a tar ever contained, and what none should. */

const BLOCK = 512
/** Magic and version of ustar, of GNU tar, and of V7, which had none. */
export const MAGIC = { ustar: 'ustar\x0000', gnu: 'ustar  \0', v7: '' } as const

export type HeaderFields = {
  /** Names are bytes, as latin-1. */
  readonly name?: string
  readonly type?: string
  readonly size?: number
  readonly mode?: number
  readonly uid?: number
  readonly gid?: number
  /** Seconds. */
  readonly mtime?: number
  readonly link?: string
  readonly magic?: string
  readonly prefix?: string
  readonly device?: readonly [number, number]
  /** Bytes that overwrite the header, by offset, before the checksum is computed. */
  readonly patch?: Readonly<Record<number, Uint8Array>>
}

export function header(fields: HeaderFields): Uint8Array {
  const block = Buffer.alloc(BLOCK)
  const { magic = MAGIC.ustar, device = [0, 0] } = fields
  block.write((fields.name ?? '').slice(0, 100), 0, 'latin1')
  writeNumber(block, 100, 8, fields.mode ?? 0o644)
  writeNumber(block, 108, 8, fields.uid ?? 0)
  writeNumber(block, 116, 8, fields.gid ?? 0)
  writeNumber(block, 124, 12, fields.size ?? 0)
  writeNumber(block, 136, 12, fields.mtime ?? 1_700_000_000)
  block.write(fields.type ?? '0', 156, 'latin1')
  block.write((fields.link ?? '').slice(0, 100), 157, 'latin1')
  block.write(magic, 257, 'latin1')
  if (magic !== '') {
    writeNumber(block, 329, 8, device[0])
    writeNumber(block, 337, 8, device[1])
  }
  block.write(fields.prefix ?? '', 345, 'latin1')
  for (const [at, bytes] of Object.entries(fields.patch ?? {})) block.set(bytes, Number(at))
  block.write(' '.repeat(8), 148)
  const sum = block.reduce((total, byte) => total + byte, 0)
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return block
}

/** Octal, or GNU's base-256 if that does not fit. */
export function writeNumber(block: Buffer, at: number, length: number, value: number): void {
  if (value >= 0 && value < 8 ** (length - 1)) {
    block.write(value.toString(8).padStart(length - 1, '0'), at)
    return
  }
  let rest = BigInt(value)
  for (let i = at + length - 1; i > at; i--, rest >>= 8n) block[i] = Number(rest & 0xffn)
  block[at] = value < 0 ? 0xff : 0x80
}

export function padded(content: Uint8Array): Uint8Array {
  return Buffer.concat([content, Buffer.alloc((BLOCK - (content.length % BLOCK)) % BLOCK)])
}

/** A header and its content: `size` is the content's unless given. */
export function member(fields: HeaderFields, content: string | Uint8Array = ''): Uint8Array {
  const bytes = typeof content === 'string' ? Buffer.from(content, 'latin1') : content
  return Buffer.concat([header({ size: bytes.length, ...fields }), padded(bytes)])
}

/** Records of a PAX header, values as bytes in latin-1. */
export function records(values: Iterable<readonly [keyword: string, value: string]>): Uint8Array {
  const lines = [...values].map(([keyword, value]) => {
    const rest = ` ${keyword}=${value}\n`
    let length = rest.length
    while (`${length}`.length + rest.length !== length) length = `${length}`.length + rest.length
    return `${length}${rest}`
  })
  return Buffer.from(lines.join(''), 'latin1')
}

export function pax(values: Readonly<Record<string, string>>, type = 'x'): Uint8Array {
  return member({ name: 'PaxHeaders/x', type }, records(Object.entries(values)))
}

export function longName(name: string, type: 'L' | 'K' = 'L'): Uint8Array {
  return member({ name: '././@LongLink', type, magic: MAGIC.gnu }, `${name}\0`)
}

/** Members and the end marker. */
export function tar(...parts: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat([...parts, Buffer.alloc(2 * BLOCK)])
}
