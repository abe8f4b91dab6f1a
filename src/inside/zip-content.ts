/** The content of one entry of a zip: found by its local header, inflated, and verified by the directory's size and CRC-32. */
import { crc32, createInflateRaw, inflateRawSync } from 'node:zlib'
import { Problem } from '../problem.ts'
import { contentSlice, damaged, type FileContent } from './ranges.ts'
import { viewOf } from './zip-end.ts'
import type { ZipContent } from './zip-rows.ts'

const LOCAL_HEADER = 0x04034b50
export const LOCAL_HEADER_BYTES = 30
const STORED = 0
const DEFLATED = 8
/** An entry up to this size is read and inflated at once. */
const AT_ONCE_BYTES = 1024 * 1024
/** workerd refuses output that fills the buffer: what is too long is found by its length. */
const SPARE_BYTES = 64 * 1024

/**
 * The stored bytes of an entry, as a file.
 *
 * @param entry with the offset of its local header in the file
 * @throws Problem `invalid_archive` if it is encrypted or not where the directory says; `unknown_format` for another method
 *   than stored and deflated
 */
export async function storedContent(file: FileContent, entry: ZipContent): Promise<FileContent> {
  const { headerOffset: at, storedBytes, method } = entry
  if (entry.isEncrypted) throw damaged('the entry is encrypted')
  const header = viewOf(await file.read(Math.max(0, at), at < 0 ? 0 : LOCAL_HEADER_BYTES))
  if (header.byteLength < LOCAL_HEADER_BYTES || header.getUint32(0, true) !== LOCAL_HEADER)
    throw damaged(`the entry has no local header at byte ${at}`)
  if (method !== STORED && method !== DEFLATED)
    throw new Problem(
      'unknown_format',
      `the entry has the compression method ${method}; only 0 and 8 are supported`,
    )
  const offset = at + LOCAL_HEADER_BYTES + header.getUint16(26, true) + header.getUint16(28, true)
  if (offset + storedBytes > file.bytes)
    throw damaged(
      `the entry ends at byte ${offset + storedBytes}, behind the end of the zip at ${file.bytes}`,
    )
  if (method === STORED && storedBytes !== entry.bytes)
    throw damaged(`the stored entry has ${storedBytes} bytes, but the directory says ${entry.bytes}`)
  return contentSlice(file, offset, storedBytes)
}

export function isStored({ method }: ZipContent): boolean {
  return method === STORED
}

/**
 * The content of an entry out of its stored bytes; its last piece comes only if size and CRC-32 are the directory's. A piece is
 * valid until the next is requested.
 *
 * @throws Problem `invalid_archive`
 */
export async function* entryContent(stored: FileContent, entry: ZipContent): AsyncGenerator<Uint8Array> {
  let [bytes, sum] = [0, 0]
  let held: Uint8Array | undefined
  for await (const piece of piecesOf(stored, entry)) {
    bytes += piece.length
    if (bytes > entry.bytes)
      throw damaged(`the entry is longer than the ${entry.bytes} bytes of the directory`)
    sum = crc32(piece, sum)
    if (held !== undefined) yield held
    held = piece.slice()
  }
  if (bytes !== entry.bytes)
    throw damaged(`the entry has ${bytes} bytes, but the directory says ${entry.bytes}`)
  if (sum !== entry.crc32) throw damaged('the entry has another CRC-32 than the directory says')
  if (held !== undefined) yield held
}

async function* piecesOf(stored: FileContent, entry: ZipContent): AsyncGenerator<Uint8Array> {
  if (isStored(entry)) yield* stored.stream(0, stored.bytes)
  else if (entry.bytes <= AT_ONCE_BYTES && stored.bytes <= AT_ONCE_BYTES)
    yield inflateAtOnce(await stored.read(0, stored.bytes), entry.bytes)
  else yield* inflateRaw(stored.stream(0, stored.bytes))
}

function inflateAtOnce(stored: Uint8Array, bytes: number): Uint8Array {
  try {
    return inflateRawSync(stored, { maxOutputLength: bytes + SPARE_BYTES })
  } catch {
    throw damaged('the entry is not deflated, or longer than the directory says')
  }
}

/** Inflates raw deflate; what follows its end is ignored. */
async function* inflateRaw(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const inflater = createInflateRaw({ chunkSize: 64 * 1024 })
  const fed = feed(inflater, source)
  try {
    for await (const piece of inflater) yield piece
    await fed
  } catch (error) {
    throw isZlibError(error) ? damaged(`the deflated data is damaged: ${error.message}`) : error
  } finally {
    inflater.destroy()
  }
}

/** Never rejects: the source's error goes to the stream. */
async function feed(inflater: ReturnType<typeof createInflateRaw>, source: AsyncIterable<Uint8Array>) {
  try {
    for await (const piece of source) {
      const { promise, resolve } = Promise.withResolvers<void>()
      const settle = () => resolve()
      inflater.once('close', settle).once('end', settle)
      // Copied, since the piece is valid only until the next one.
      inflater.write(piece.slice(), settle)
      await promise
      inflater.off('close', settle).off('end', settle)
      if (inflater.destroyed || inflater.readableEnded) return
    }
    inflater.end()
  } catch (error) {
    inflater.destroy(error instanceof Error ? error : new Error(String(error)))
  }
}

function isZlibError(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('Z_')
}
