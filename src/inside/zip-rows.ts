/** The rows of a zip's central directory (APPNOTE.TXT, 4.3.12), one by one. */
import { Problem } from '../problem.ts'
import { type ByteString, toByteString } from '../text/bytes.ts'
import { MAX_ENTRIES } from './entries.ts'
import { damaged, type FileRanges } from './ranges.ts'
import { uint64, viewOf, type ZipEnd } from './zip-end.ts'

const ROW = 0x02014b50
const ROW_BYTES = 46
/** The longest row: three fields whose lengths have 16 bits. */
const MAX_ROW_BYTES = ROW_BYTES + 3 * 0xffff
/** How much of a directory is read at once, at least its longest row. */
const WINDOW_BYTES = MAX_ROW_BYTES + 64 * 1024
const ZIP64_FIELD = 0x0001
const TIMESTAMP_FIELD = 0x5455
const ENCRYPTED = 1

/** What is needed to read an entry's content. */
export type ZipContent = {
  readonly method: number
  readonly isEncrypted: boolean
  readonly crc32: number
  readonly storedBytes: number
  readonly bytes: number
  /** Of the local header, from the zip's beginning. */
  readonly headerOffset: number
}

export type ZipRow = ZipContent & {
  readonly name: ByteString
  /** The system that the entry was made on: 3 is Unix, 19 macOS. */
  readonly system: number
  readonly attributes: number
  /** DOS's time and date. */
  readonly time: number
  readonly date: number
  /** Of the extended timestamp, in seconds since 1970. */
  readonly timestamp?: number
}

/**
 * The rows in the directory's order, many at once; some 300 kB of it are in memory at a time.
 *
 * @throws Problem `invalid_archive` if it is damaged; `too_large`
 */
export async function* readZipRows(
  file: FileRanges,
  { directoryOffset, directoryBytes }: ZipEnd,
): AsyncGenerator<readonly ZipRow[]> {
  const end = directoryOffset + directoryBytes
  let count = 0
  for (let offset = directoryOffset; offset < end; ) {
    const window = await file.read(offset, Math.min(WINDOW_BYTES, end - offset))
    const view = viewOf(window)
    const rows: ZipRow[] = []
    let at = 0
    for (;;) {
      const length = rowLength(view, at)
      if (length === 'invalid') throw damaged(`the central directory is damaged at byte ${offset + at}`)
      if (length === 'cut') break
      rows.push(readRow(window, view, at))
      at += length
    }
    if (at === 0) throw damaged(`the central directory is cut off at byte ${offset}`)
    count += rows.length
    if (count > MAX_ENTRIES) throw new Problem('too_large', `the zip has more than ${MAX_ENTRIES} entries`)
    yield rows
    offset += at
  }
}

/** `cut` if the bytes end before the row does. */
export function rowLength(view: DataView, at: number): number | 'cut' | 'invalid' {
  if (at + ROW_BYTES > view.byteLength) return 'cut'
  if (view.getUint32(at, true) !== ROW) return 'invalid'
  const length =
    ROW_BYTES + nameBytes(view, at) + view.getUint16(at + 30, true) + view.getUint16(at + 32, true)
  return at + length > view.byteLength ? 'cut' : length
}

function nameBytes(view: DataView, at: number): number {
  return view.getUint16(at + 28, true)
}

/** The name of the row at a position that {@link rowLength} has confirmed. */
export function rowName(bytes: Uint8Array, view: DataView, at: number): Uint8Array {
  return bytes.subarray(at + ROW_BYTES, at + ROW_BYTES + nameBytes(view, at))
}

/** The row at a position that {@link rowLength} has confirmed. */
export function readRow(bytes: Uint8Array, view: DataView, at: number): ZipRow {
  const name = rowName(bytes, view, at)
  const sizes = {
    bytes: view.getUint32(at + 24, true),
    storedBytes: view.getUint32(at + 20, true),
    headerOffset: view.getUint32(at + 42, true),
  }
  const extra = at + ROW_BYTES + name.length
  const timestamp = readExtra(view, { at: extra, end: extra + view.getUint16(at + 30, true) }, sizes)
  return {
    name: toByteString(name),
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
}

type Sizes = { bytes: number; storedBytes: number; headerOffset: number }
type Span = { readonly at: number; readonly end: number }

/** Fills in zip64's sizes; a field that is cut off ends with its row. @returns the extended timestamp */
function readExtra(view: DataView, field: Span, sizes: Sizes): number | undefined {
  let timestamp: number | undefined
  for (let { at } = field; at + 4 <= field.end; ) {
    const id = view.getUint16(at, true)
    const start = at + 4
    const length = view.getUint16(at + 2, true)
    const end = Math.min(field.end, start + length)
    if (id === ZIP64_FIELD) readSizes(view, { at: start, end }, sizes)
    if (id === TIMESTAMP_FIELD && end - start >= 5 && (view.getUint8(start) & 1) !== 0)
      timestamp = view.getInt32(start + 1, true)
    at = start + length
  }
  return timestamp
}

/** Only those sizes are there that the row itself cannot hold, in this order. */
function readSizes(view: DataView, { at, end }: Span, sizes: Sizes): void {
  let next = at
  for (const name of ['bytes', 'storedBytes', 'headerOffset'] as const) {
    if (sizes[name] !== 0xffffffff) continue
    if (next + 8 > end) return
    sizes[name] = uint64(view, next)
    next += 8
  }
}
