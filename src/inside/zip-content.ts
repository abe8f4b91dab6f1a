/** The content of one entry of a zip: found by its local header, inflated, and checked against the directory. */
import { crc32, createInflateRaw } from 'node:zlib'
import { Problem } from '../problem.ts'
import { contentSlice, damaged, type FileContent } from './ranges.ts'
import type { ZipEntry } from './zip-listing.ts'

const LOCAL_SIGNATURE = 0x04034b50
const LOCAL_BYTES = 30
const STORED = 0
const DEFLATED = 8

/**
 * The stored bytes of an entry.
 *
 * @throws Problem `invalid_archive` if it is encrypted or has no local header, `unknown_format` for other compression methods
 */
export async function storedContent(file: FileContent, entry: ZipEntry): Promise<FileContent> {
  const { header, storedBytes, method } = entry
  if (entry.isEncrypted) throw damaged('the entry is encrypted')
  const local = await file.read(Math.max(0, header), header < 0 ? 0 : LOCAL_BYTES)
  const view = new DataView(local.buffer, local.byteOffset, local.byteLength)
  if (local.length < LOCAL_BYTES || view.getUint32(0, true) !== LOCAL_SIGNATURE)
    throw damaged(`the entry has no local header at byte ${header}`)
  if (method !== STORED && method !== DEFLATED)
    throw new Problem(
      'unknown_format',
      `the entry has the compression method ${method}; only 0 and 8 are supported`,
    )
  const offset = header + LOCAL_BYTES + view.getUint16(26, true) + view.getUint16(28, true)
  if (offset + storedBytes > file.bytes)
    throw damaged(
      `the entry ends at byte ${offset + storedBytes}, behind the end of the zip at ${file.bytes}`,
    )
  if (method === STORED && storedBytes !== entry.bytes)
    throw damaged(`the stored entry has ${storedBytes} bytes, but the directory says ${entry.bytes}`)
  return contentSlice(file, offset, storedBytes)
}

export function isStored({ method }: ZipEntry): boolean {
  return method === STORED
}

/**
 * The content of an entry out of its stored bytes; its last piece comes only if size and CRC are the directory's.
 *
 * @throws Problem `invalid_archive`
 */
export async function* entryContent(stored: FileContent, entry: ZipEntry): AsyncGenerator<Uint8Array> {
  const source = stored.stream(0, stored.bytes)
  const pieces = isStored(entry) ? source : inflateRaw(source)
  let [bytes, sum] = [0, 0]
  let held: Uint8Array | undefined
  for await (const piece of pieces) {
    bytes += piece.length
    if (bytes > entry.bytes)
      throw damaged(`the entry is longer than the ${entry.bytes} bytes of the directory`)
    sum = crc32(piece, sum)
    if (held !== undefined) yield held
    held = piece.slice()
  }
  if (bytes !== entry.bytes)
    throw damaged(`the entry has ${bytes} bytes, but the directory says ${entry.bytes}`)
  if (sum !== entry.sum) throw damaged('the entry has another CRC than the directory says')
  if (held !== undefined) yield held
}

/** Inflates raw deflate; what follows its end is ignored. */
export async function* inflateRaw(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
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
