/** Reads zips by ranges: their central directory, row by row, and the content of entries, verified by size and CRC-32. */
import { Buffer } from 'node:buffer'
import { crc32, inflateRawSync } from 'node:zlib'
import { Inflate } from 'fflate'
import { Problem } from '../problem.ts'
import { damaged, type FileRanges, sliceOf } from './ranges.ts'
import {
  findEndRecord,
  parseZip64End,
  placeDirectory,
  ZIP_TAIL_BYTES,
  ZIP64_END_BYTES,
  type ZipEnd,
} from './zip-end.ts'
import { DEFLATED, MAX_ROW_BYTES, parseRow, STORED, type ZipEntry } from './zip-rows.ts'

/** Zip64's locator is before the end record. */
const TAIL_BYTES = ZIP_TAIL_BYTES + 20
export const MAX_ZIP_ENTRIES = 1_000_000
/** How much of a directory is read at once, at least its longest row. */
const WINDOW_BYTES = MAX_ROW_BYTES + 64 * 1024
const LOCAL_HEADER = 0x04034b50
export const LOCAL_HEADER_BYTES = 30
/** An entry up to this size is read and inflated at once. */
const AT_ONCE_BYTES = 1024 * 1024
/** workerd refuses output that fills the buffer: what is too long is found by its length. */
const SPARE_BYTES = 64 * 1024
/** How much of a stored entry is read at once. */
const PIECE_BYTES = 256 * 1024
/** How much is inflated at once: it may grow a thousandfold. */
const INFLATED_AT_ONCE = 4 * 1024

/**
 * Where a zip's directory is.
 *
 * @throws Problem `invalid_archive` if the file has no end record, or no room for the directory; `too_large`
 */
export async function findZipEnd(file: FileRanges): Promise<ZipEnd> {
  const start = Math.max(0, file.bytes - TAIL_BYTES)
  const record = findEndRecord(await file.read(start, file.bytes - start), file.bytes)
  if (record === undefined) throw damaged('the end of its central directory is missing')
  let found = record
  for (const position of record.zip64 ?? []) {
    const read = position >= 0 ? await file.read(position, ZIP64_END_BYTES) : new Uint8Array(0)
    const zip64 = parseZip64End(read, position)
    if (zip64 === undefined) continue
    found = zip64
    break
  }
  const end = placeDirectory(found)
  if (end === undefined) throw damaged(`its central directory begins before the file does`)
  if (end.entries > MAX_ZIP_ENTRIES)
    throw new Problem('too_large', `the zip has ${end.entries} entries; the limit is ${MAX_ZIP_ENTRIES}`)
  return end
}

/**
 * The rows of the central directory, in its order, many at once; some 300 kB of it are in memory at a time.
 *
 * @throws Problem `invalid_archive` if it is damaged; `too_large`
 */
export async function* readZipDirectory(
  file: FileRanges,
  { directoryOffset, directoryBytes }: ZipEnd,
): AsyncGenerator<readonly ZipEntry[]> {
  const end = directoryOffset + directoryBytes
  let count = 0
  for (let offset = directoryOffset; offset < end; ) {
    const window = await file.read(offset, Math.min(WINDOW_BYTES, end - offset))
    const { rows, length } = parseRows(window, offset)
    if (length === 0) throw damaged(`the central directory is cut off at byte ${offset}`)
    count += rows.length
    if (count > MAX_ZIP_ENTRIES)
      throw new Problem('too_large', `the zip has more than ${MAX_ZIP_ENTRIES} entries`)
    yield rows
    offset += length
  }
}

function parseRows(window: Uint8Array, offset: number): { rows: ZipEntry[]; length: number } {
  const rows: ZipEntry[] = []
  let at = 0
  try {
    for (let row = parseRow(window, at); row !== undefined; row = parseRow(window, at)) {
      rows.push(row.entry)
      at += row.length
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw damaged(`the central directory is damaged at byte ${offset + at}`)
  }
  return { rows, length: at }
}

/** What stands between an entry's local header and its content cannot be known before the header is read. */
export type ZipContent = Pick<
  ZipEntry,
  'name' | 'method' | 'isEncrypted' | 'crc32' | 'bytes' | 'storedBytes' | 'headerOffset'
>

/**
 * The stored bytes of an entry, as a file.
 *
 * @param start where the zip begins in its file
 * @throws Problem `invalid_archive` if it is encrypted or not where the directory says; `unknown_format` for another method
 *   than stored and deflated
 */
export async function storedEntry(file: FileRanges, entry: ZipContent, start: number): Promise<FileRanges> {
  const { method, isEncrypted, storedBytes, headerOffset } = entry
  if (isEncrypted) throw damaged('the entry is encrypted')
  if (method !== STORED && method !== DEFLATED)
    throw new Problem('unknown_format', `the entry is compressed with the unknown method ${method}`)
  const at = start + headerOffset
  const header = Buffer.from(await file.read(at, LOCAL_HEADER_BYTES))
  if (header.length < LOCAL_HEADER_BYTES || header.readUInt32LE(0) !== LOCAL_HEADER)
    throw damaged(`the entry has no local header at byte ${at}`)
  const content = at + LOCAL_HEADER_BYTES + header.readUInt16LE(26) + header.readUInt16LE(28)
  if (content + storedBytes > file.bytes) throw damaged(`the entry at byte ${at} ends behind the file`)
  return sliceOf(file, content, storedBytes)
}

/**
 * The content of an entry, in pieces that are valid until the next is requested.
 *
 * @throws Problem as {@link storedEntry}; `invalid_archive` with the last piece, if size or CRC-32 are not what the directory says
 */
export async function* readZipEntry(
  file: FileRanges,
  entry: ZipContent,
  start: number,
): AsyncGenerator<Uint8Array> {
  const stored = await storedEntry(file, entry, start)
  let bytes = 0
  let sum = 0
  for await (const piece of entry.method === STORED ? pieces(stored) : inflated(stored, entry.bytes)) {
    bytes += piece.length
    if (bytes > entry.bytes) break
    sum = crc32(piece, sum)
    yield piece
  }
  if (bytes !== entry.bytes)
    throw damaged(`an entry has not the ${entry.bytes} bytes that the directory says`)
  if (sum !== entry.crc32) throw damaged('an entry has another CRC-32 than the directory says')
}

async function* pieces(stored: FileRanges): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < stored.bytes; at += PIECE_BYTES)
    yield await stored.read(at, Math.min(PIECE_BYTES, stored.bytes - at))
}

/** @param bytes as the directory says: no more is inflated */
async function* inflated(stored: FileRanges, bytes: number): AsyncGenerator<Uint8Array> {
  if (bytes <= AT_ONCE_BYTES && stored.bytes <= AT_ONCE_BYTES) {
    yield inflateAtOnce(await stored.read(0, stored.bytes), bytes)
    return
  }
  const out: Uint8Array[] = []
  const inflate = new Inflate((piece) => {
    if (piece.length > 0) out.push(piece)
  })
  for await (const piece of pieces(stored)) {
    for (let at = 0; at < piece.length; at += INFLATED_AT_ONCE) {
      push(inflate, piece.subarray(at, at + INFLATED_AT_ONCE))
      yield* out.splice(0)
    }
  }
}

function push(inflate: Inflate, piece: Uint8Array): void {
  try {
    inflate.push(piece)
  } catch {
    throw damaged('an entry is not deflated')
  }
}

function inflateAtOnce(stored: Uint8Array, bytes: number): Uint8Array {
  try {
    return inflateRawSync(stored, { maxOutputLength: bytes + SPARE_BYTES })
  } catch {
    throw damaged('an entry is not deflated, or longer than the directory says')
  }
}
