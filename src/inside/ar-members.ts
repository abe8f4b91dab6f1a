/** An ar archive (`.a`, `.deb`): its members, with long names as GNU and BSD write them. */
import { createHash } from 'node:crypto'
import { Problem } from '../problem.ts'
import { cleanPath } from '../text/clean-path.ts'
import { type ArchiveEntry, type ArchiveWarning, MAX_ENTRIES, NameWarnings } from './entries.ts'
import { damaged } from './ranges.ts'

export type ArEntry = ArchiveEntry & { readonly offset: number }

const MAGIC_BYTES = 8
const HEADER_BYTES = 60
/** Limit for GNU's table of names, and for one name of BSD. */
const MAX_NAMES_BYTES = 64 * 1024 * 1024

type Header = { readonly name: string; readonly mtime: number; readonly bytes: number }

/** @param chunks the whole archive. @throws Problem `invalid_archive`, `too_large` */
export async function readArEntries(
  chunks: AsyncIterable<Uint8Array>,
): Promise<{ readonly entries: readonly ArEntry[]; readonly warnings: readonly ArchiveWarning[] }> {
  const input = new Input(chunks)
  await input.take(MAGIC_BYTES)
  const entries: ArEntry[] = []
  const warnings = new NameWarnings()
  let names: Uint8Array = new Uint8Array(0)
  for (;;) {
    const at = input.at
    const block = await input.take(HEADER_BYTES)
    if (block.length === 0) break
    const header = readHeader(block, at)
    const end = input.at + header.bytes
    if (header.name === '//') names = await content(input, header.bytes, at)
    else if (header.name === '/' || header.name === '/SYM64/') await input.pass(header.bytes)
    else {
      const name = await nameOf(input, header, names, at)
      const clean = cleanPath(name)
      warnings.see(clean)
      const offset = input.at
      const hash = createHash('sha256')
      await input.pass(end - offset, (piece) => hash.update(piece))
      const bytes = end - offset
      if (clean.key !== '')
        entries.push({
          key: clean.key,
          type: 'file',
          bytes,
          mtime: header.mtime * 1e6,
          sum: hash.digest('base64'),
          offset,
        })
      if (entries.length > MAX_ENTRIES)
        throw new Problem('too_large', `the ar archive has more than ${MAX_ENTRIES} members`)
    }
    if (input.at !== end) throw damaged(`the member at byte ${at} of the ar archive is cut off`)
    await input.pass(header.bytes % 2)
  }
  return { entries, warnings: warnings.found() }
}

function readHeader(block: Uint8Array, at: number): Header {
  const text = Buffer.from(block).toString('latin1')
  const size = text.slice(48, 58).trim()
  const mtime = text.slice(16, 28).trim()
  if (block.length < HEADER_BYTES || text.slice(58) !== '`\n' || !/^\d+$/.test(size) || !/^\d*$/.test(mtime))
    throw damaged(`the ar archive has no valid header at byte ${at}`)
  return { name: text.slice(0, 16).replace(/ +$/, ''), mtime: Number(mtime), bytes: Number(size) }
}

async function content(input: Input, bytes: number, at: number): Promise<Uint8Array> {
  if (bytes > MAX_NAMES_BYTES)
    throw new Problem(
      'too_large',
      `names of ${bytes} bytes at byte ${at} of the ar archive; the limit is ${MAX_NAMES_BYTES}`,
    )
  return input.take(bytes)
}

async function nameOf(
  input: Input,
  { name, bytes }: Header,
  names: Uint8Array,
  at: number,
): Promise<Uint8Array> {
  const bsd = /^#1\/(\d+)$/.exec(name)?.[1]
  if (bsd !== undefined) {
    if (Number(bsd) > bytes) throw damaged(`the name of the member at byte ${at} is longer than the member`)
    const long = await content(input, Number(bsd), at)
    return Buffer.from(Buffer.from(long).toString('latin1').replace(/\0+$/, ''), 'latin1')
  }
  const gnu = /^\/(\d+)$/.exec(name)?.[1]
  let found = name
  if (gnu !== undefined) {
    const end = names.indexOf(0x0a, Number(gnu))
    found = Buffer.from(names.subarray(Number(gnu), end < 0 ? undefined : end)).toString('latin1')
  }
  return Buffer.from(found.endsWith('/') ? found.slice(0, -1) : found, 'latin1')
}

/** Reads a stream by counts of bytes. */
class Input {
  readonly #chunks: AsyncIterator<Uint8Array>
  #rest: Uint8Array = new Uint8Array(0)
  at = 0

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]()
  }

  /** A copy of the next bytes; fewer only at the end. */
  async take(bytes: number): Promise<Uint8Array> {
    const pieces: Uint8Array[] = []
    await this.pass(bytes, (piece) => pieces.push(piece.slice()))
    return Buffer.concat(pieces)
  }

  async pass(bytes: number, see: (piece: Uint8Array) => void = () => {}): Promise<void> {
    for (let left = bytes; left > 0; ) {
      if (this.#rest.length === 0) {
        const { done, value } = await this.#chunks.next()
        if (done) return
        this.#rest = value
        continue
      }
      const piece = this.#rest.subarray(0, left)
      see(piece)
      this.#rest = this.#rest.subarray(piece.length)
      this.at += piece.length
      left -= piece.length
    }
  }
}
