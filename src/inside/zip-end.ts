/** The end of a zip (APPNOTE.TXT, 4.3.14 to 4.3.16): where its central directory is. */
import { Problem } from '../problem.ts'
import { MAX_ENTRIES } from './entries.ts'
import { damaged, type FileRanges } from './ranges.ts'

const END = 0x06054b50
const END_BYTES = 22
const LOCATOR = 0x07064b50
const LOCATOR_BYTES = 20
const ZIP64_END = 0x06064b50
const ZIP64_END_BYTES = 56
/** The end record with the longest comment, and zip64's locator. */
const TAIL_BYTES = END_BYTES + 0xffff + LOCATOR_BYTES
const ROW = 0x02014b50

/** Where the central directory is. */
export type ZipEnd = {
  readonly entries: number
  readonly directoryOffset: number
  readonly directoryBytes: number
  /** Where the zip begins in its file: offsets count from there. */
  readonly start: number
}

type EndRecord = {
  readonly entries: number
  readonly directoryOffset: number
  readonly directoryBytes: number
  /** Of the record in the file: the directory ends there. */
  readonly position: number
}

/**
 * Finds the last end record whose comment ends with the file.
 *
 * @returns undefined if there is none, and the file is no zip
 * @throws Problem `too_large` if the directory has more entries than are read
 */
export async function findZipEnd(file: FileRanges): Promise<ZipEnd | undefined> {
  const start = Math.max(0, file.bytes - TAIL_BYTES)
  const tail = viewOf(await file.read(start, file.bytes - start))
  for (let at = tail.byteLength - END_BYTES; at >= 0; at--) {
    if (tail.getUint8(at) !== 0x50 || tail.getUint32(at, true) !== END) continue
    if (at + END_BYTES + tail.getUint16(at + 20, true) !== tail.byteLength) continue
    const record = await readRecord(file, tail, { at, start })
    if (record === undefined) continue
    const end = await locateDirectory(file, record)
    if (end !== undefined && end.entries > MAX_ENTRIES)
      throw new Problem('too_large', `the zip has ${end.entries} entries; the limit is ${MAX_ENTRIES}`)
    return end
  }
  return undefined
}

/** As {@link findZipEnd}. @throws Problem `invalid_archive` if the file is no zip */
export async function requireZipEnd(file: FileRanges): Promise<ZipEnd> {
  const end = await findZipEnd(file)
  if (end === undefined) throw damaged('the end of its central directory is missing')
  return end
}

/** Undefined if zip64's record is missing. @param place of the end record in the tail, and of the tail in the file */
async function readRecord(
  file: FileRanges,
  tail: DataView,
  { at, start }: { readonly at: number; readonly start: number },
): Promise<EndRecord | undefined> {
  const record = {
    entries: tail.getUint16(at + 10, true),
    directoryBytes: tail.getUint32(at + 12, true),
    directoryOffset: tail.getUint32(at + 16, true),
    position: start + at,
  }
  const isFull =
    tail.getUint16(at + 8, true) === 0xffff ||
    record.entries === 0xffff ||
    record.directoryBytes === 0xffffffff ||
    record.directoryOffset === 0xffffffff
  const locator = at - LOCATOR_BYTES
  if (!isFull || locator < 0 || tail.getUint32(locator, true) !== LOCATOR) return record
  // Right before its locator, or where the locator says.
  for (const position of [start + locator - ZIP64_END_BYTES, uint64(tail, locator + 8)]) {
    if (position < 0 || position + ZIP64_END_BYTES > file.bytes) continue
    const view = viewOf(await file.read(position, ZIP64_END_BYTES))
    if (view.getUint32(0, true) !== ZIP64_END) continue
    return {
      entries: uint64(view, 32),
      directoryBytes: uint64(view, 40),
      directoryOffset: uint64(view, 48),
      position,
    }
  }
  return undefined
}

/** Undefined if there is no room for such a directory before the record. */
async function locateDirectory(file: FileRanges, record: EndRecord): Promise<ZipEnd | undefined> {
  const { entries, directoryBytes, position } = record
  const directoryOffset = position - directoryBytes
  if (directoryOffset < 0) return undefined
  const first = viewOf(await file.read(directoryOffset, 4))
  const isDirectory = directoryBytes === 0 || (first.byteLength === 4 && first.getUint32(0, true) === ROW)
  return {
    entries,
    directoryBytes,
    directoryOffset,
    start: isDirectory ? directoryOffset - record.directoryOffset : 0,
  }
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** Numbers too large for a double to be exact are too large for any file. */
export function uint64(view: DataView, at: number): number {
  return view.getUint32(at + 4, true) * 2 ** 32 + view.getUint32(at, true)
}
