/** Zips for tests, packed byte by byte. */
import { crc32, deflateRawSync } from 'node:zlib'

type Raw = {
  readonly name: string
  readonly stored: Uint8Array
  readonly bytes: number
  readonly crc32: number
}

export type ZipOptions = {
  /** Stands before the zip, whose offsets do not count it. */
  readonly stub?: Uint8Array
  readonly comment?: Uint8Array
  readonly zip64?: 'yes'
  /** Deflated entries as they are. */
  readonly raw?: readonly Raw[]
  /** Entries that are not deflated. */
  readonly stored?: Readonly<Record<string, Uint8Array>>
}

/** A zip of these files: texts of more than 100 bytes are deflated. */
export function zipOf(
  files: Readonly<Record<string, string | Uint8Array>>,
  { stub = Buffer.alloc(0), comment, zip64, raw = [], stored = {} }: ZipOptions = {},
): Uint8Array {
  const entries = [
    ...Object.entries(files).map(([name, content]) => {
      const bytes = Buffer.from(content)
      return bytes.length > 100 ? deflated(name, bytes) : plain(name, bytes)
    }),
    ...raw.map((entry) => ({ ...entry, method: 8 })),
    ...Object.entries(stored).map(([name, content]) => plain(name, content)),
  ]
  return Buffer.concat([
    stub,
    ...zipPieces(entries, { ...(comment && { comment }), ...(zip64 && { zip64 }) }),
  ])
}

export type ZipEntry = Raw & {
  readonly method: number
  /** Names of further rows that lead to the same content. */
  readonly again?: Iterable<string>
}

export function plain(name: string, content: Uint8Array): ZipEntry {
  return { name, method: 0, stored: content, bytes: content.length, crc32: crc32(content) }
}

export function deflated(name: string, content: Uint8Array): ZipEntry {
  return {
    name,
    method: 8,
    stored: deflateRawSync(content),
    bytes: content.length,
    crc32: crc32(content),
  }
}

/** A zip piece by piece: it may be larger than memory. */
export function* zipPieces(
  entries: Iterable<ZipEntry>,
  { comment = Buffer.alloc(0), zip64 }: Pick<ZipOptions, 'comment' | 'zip64'> = {},
): Generator<Uint8Array> {
  const rows: Buffer[] = []
  let offset = 0
  for (const { name, stored, bytes, crc32: sum, method, again = [] } of entries) {
    const fields = Buffer.alloc(26)
    fields.writeUInt16LE(20, 0)
    fields.writeUInt16LE(method, 4)
    fields.writeUInt32LE(sum, 10)
    fields.writeUInt32LE(stored.length, 14)
    fields.writeUInt32LE(bytes, 18)
    const end = Buffer.alloc(14)
    end.writeUInt32LE(offset, 10)
    const named = (path: string) => {
      fields.writeUInt16LE(Buffer.byteLength(path), 22)
      return Buffer.concat([Buffer.from('PK\x01\x02\x14\x03'), fields, end, Buffer.from(path)])
    }
    for (const path of again) rows.push(named(path))
    rows.push(named(name))
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), fields, Buffer.from(name)])
    yield local
    yield stored
    offset += local.length + stored.length
  }
  yield* rows
  const bytes = rows.reduce((sum, row) => sum + row.length, 0)
  if (zip64 !== undefined) yield zip64End(rows.length, offset, bytes)
  yield endOf({ count: rows.length, offset, bytes, comment, isLarge: zip64 !== undefined })
  yield comment
}

function endOf(end: {
  readonly count: number
  readonly offset: number
  readonly bytes: number
  readonly comment: Uint8Array
  readonly isLarge: boolean
}): Buffer {
  const record = Buffer.alloc(22)
  record.write('PK\x05\x06', 'latin1')
  record.writeUInt16LE(end.isLarge ? 0xffff : end.count, 8)
  record.writeUInt16LE(end.isLarge ? 0xffff : end.count, 10)
  record.writeUInt32LE(end.isLarge ? 0xffffffff : end.bytes, 12)
  record.writeUInt32LE(end.isLarge ? 0xffffffff : end.offset, 16)
  record.writeUInt16LE(end.comment.length, 20)
  return record
}

function zip64End(count: number, offset: number, bytes: number): Buffer {
  const record = Buffer.alloc(76)
  record.write('PK\x06\x06', 'latin1')
  record.writeUInt32LE(44, 4)
  for (const [at, value] of [
    [24, count],
    [32, count],
    [40, bytes],
    [48, offset],
  ] as const)
    record.writeUInt32LE(value, at)
  record.write('PK\x06\x07', 56, 'latin1')
  record.writeUInt32LE(offset + bytes, 64)
  record.writeUInt32LE(1, 72)
  return record
}
