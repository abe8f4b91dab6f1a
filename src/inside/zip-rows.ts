/** The rows of a zip's central directory (APPNOTE.TXT, 4.3.12). Pure functions of bytes. */
import { type ByteString, toByteString } from '../text/bytes.ts'
import { uint64, viewOf } from './zip-end.ts'

export const ROW_BYTES = 46
/** The longest row: three fields whose lengths have 16 bits. */
export const MAX_ROW_BYTES = ROW_BYTES + 3 * 0xffff
const ROW = 0x02014b50
const ZIP64_FIELD = 0x0001
const TIMESTAMP_FIELD = 0x5455
const ENCRYPTED = 1

export const STORED = 0
export const DEFLATED = 8

export type ZipEntry = {
  readonly name: ByteString
  readonly method: number
  readonly isEncrypted: boolean
  readonly crc32: number
  readonly storedBytes: number
  readonly bytes: number
  /** Of the local header, from the zip's beginning. */
  readonly headerOffset: number
  /** The system that the entry was made on: 3 is Unix, 19 macOS. */
  readonly system: number
  readonly attributes: number
  /** DOS's time and date. */
  readonly time: number
  readonly date: number
  /** Of the extended timestamp, in seconds since 1970. */
  readonly timestamp?: number
}

/** A row and its length; undefined if the bytes end within it. @throws RangeError if there is no row at this position */
export function parseRow(bytes: Uint8Array, at: number): { entry: ZipEntry; length: number } | undefined {
  if (at + ROW_BYTES > bytes.length) return undefined
  const view = viewOf(bytes)
  if (view.getUint32(at, true) !== ROW) throw new RangeError('no row of a central directory')
  const nameBytes = view.getUint16(at + 28, true)
  const extraBytes = view.getUint16(at + 30, true)
  const length = ROW_BYTES + nameBytes + extraBytes + view.getUint16(at + 32, true)
  if (at + length > bytes.length) return undefined
  const extra = at + ROW_BYTES + nameBytes
  const sizes = {
    bytes: view.getUint32(at + 24, true),
    storedBytes: view.getUint32(at + 20, true),
    headerOffset: view.getUint32(at + 42, true),
  }
  const timestamp = readExtra(view, { at: extra, end: extra + extraBytes }, sizes)
  const entry = {
    name: toByteString(bytes.subarray(at + ROW_BYTES, extra)),
    method: view.getUint16(at + 10, true),
    isEncrypted: (view.getUint16(at + 8, true) & ENCRYPTED) !== 0,
    crc32: view.getUint32(at + 16, true),
    ...sizes,
    system: view.getUint8(at + 5),
    attributes: view.getUint32(at + 38, true),
    time: view.getUint16(at + 12, true),
    date: view.getUint16(at + 14, true),
    ...(timestamp === undefined ? {} : { timestamp }),
  }
  return { entry, length }
}

type Sizes = { bytes: number; storedBytes: number; headerOffset: number }

/** Fills in zip64's sizes; what is malformed is ignored. @returns the extended timestamp */
function readExtra(
  view: DataView,
  field: { readonly at: number; readonly end: number },
  sizes: Sizes,
): number | undefined {
  let timestamp: number | undefined
  for (let { at } = field; at + 4 <= field.end; ) {
    const id = view.getUint16(at, true)
    const start = at + 4
    const end = start + view.getUint16(at + 2, true)
    if (end > field.end) break
    if (id === ZIP64_FIELD) readSizes(view, { at: start, end }, sizes)
    const hasTime = id === TIMESTAMP_FIELD && end - start >= 5 && (view.getUint8(start) & 1) !== 0
    if (hasTime) timestamp ??= view.getInt32(start + 1, true)
    at = end
  }
  return timestamp
}

/** Only those sizes are there that the row itself cannot hold, in this order. */
function readSizes(view: DataView, { at, end }: { at: number; end: number }, sizes: Sizes): void {
  let next = at
  for (const name of ['bytes', 'storedBytes', 'headerOffset'] as const) {
    if (sizes[name] !== 0xffffffff) continue
    if (next + 8 > end) return
    sizes[name] = uint64(view, next)
    next += 8
  }
}
