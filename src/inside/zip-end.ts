/**
 * The end of a zip (APPNOTE.TXT, 4.3.14 to 4.3.16): where its central directory is. Pure functions of the file's last bytes.
 */

/** An end record with the longest comment. */
export const ZIP_TAIL_BYTES = 65_557
const END_BYTES = 22
const LOCATOR_BYTES = 20
/** zip64's end record, without what it may be extended by. */
export const ZIP64_END_BYTES = 56

const END = 0x06054b50
const LOCATOR = 0x07064b50
const ZIP64_END = 0x06064b50

/** Where the central directory is. */
export type ZipEnd = {
  readonly entries: number
  readonly directoryOffset: number
  readonly directoryBytes: number
  /** Where the zip begins in its file: offsets count from there. */
  readonly start: number
}

/** Positions in the file. `zip64` is present if zip64's end record has the numbers. */
export type EndRecord = {
  readonly entries: number
  readonly directoryOffset: number
  readonly directoryBytes: number
  readonly position: number
  /** Where the zip64 end record may be: right before its locator, or where the locator says. */
  readonly zip64?: readonly number[]
}

/**
 * The end record whose comment ends with the file; undefined if there is none.
 *
 * @param tail the last bytes of the file, {@link ZIP_TAIL_BYTES} of them and a locator, or all
 * @param fileBytes size of the file
 */
export function findEndRecord(tail: Uint8Array, fileBytes: number): EndRecord | undefined {
  const view = viewOf(tail)
  const tailStart = fileBytes - tail.length
  for (let at = tail.length - END_BYTES; at >= 0; at--) {
    if (tail[at] !== 0x50 || view.getUint32(at, true) !== END) continue
    if (at + END_BYTES + view.getUint16(at + 20, true) !== tail.length) continue
    const locator = at - LOCATOR_BYTES
    const isZip64 = locator >= 0 && view.getUint32(locator, true) === LOCATOR
    return {
      entries: view.getUint16(at + 10, true),
      directoryBytes: view.getUint32(at + 12, true),
      directoryOffset: view.getUint32(at + 16, true),
      position: tailStart + at,
      ...(isZip64 ? { zip64: [tailStart + locator - ZIP64_END_BYTES, uint64(view, locator + 8)] } : {}),
    }
  }
  return undefined
}

/** The numbers of zip64's end record; undefined if these bytes are not one. @param position of these bytes in the file */
export function parseZip64End(bytes: Uint8Array, position: number): EndRecord | undefined {
  if (bytes.length < ZIP64_END_BYTES) return undefined
  const view = viewOf(bytes)
  if (view.getUint32(0, true) !== ZIP64_END) return undefined
  return {
    entries: uint64(view, 32),
    directoryBytes: uint64(view, 40),
    directoryOffset: uint64(view, 48),
    position,
  }
}

/** Undefined if there is no room for such a directory before the record. */
export function placeDirectory(record: EndRecord): ZipEnd | undefined {
  const { entries, directoryBytes, directoryOffset, position } = record
  const start = position - directoryBytes - directoryOffset
  return start < 0 ? undefined : { entries, directoryBytes, directoryOffset: start + directoryOffset, start }
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** Numbers too large for a double to be exact are too large for any file. */
export function uint64(view: DataView, at: number): number {
  return view.getUint32(at + 4, true) * 2 ** 32 + view.getUint32(at, true)
}
