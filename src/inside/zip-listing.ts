/** The central directory of a zip (APPNOTE 4.3.12 to 4.3.16): where it is, and what it lists. */
import { Problem } from '../problem.ts'
import { type CleanPath, cleanPath } from '../tar/clean.ts'
import type { PathKey } from '../text/path.ts'
import {
  type ArchiveEntries,
  type ArchiveEntry,
  type ArchiveWarning,
  type EntryType,
  MAX_ENTRIES,
  NameWarnings,
} from './entries.ts'
import { damaged, type FileRanges } from './ranges.ts'

/** Limit for the directory. */
export const MAX_DIRECTORY_BYTES = 64 * 1024 * 1024

const SIGNATURE = { entry: 0x02014b50, end: 0x06054b50, end64: 0x06064b50, locator64: 0x07064b50 } as const
const END_BYTES = 22
const LOCATOR_BYTES = 20
const END64_BYTES = 56
const ENTRY_BYTES = 46
/** The end record with the longest comment. */
const TAIL_BYTES = END_BYTES + 0xffff
const NO_16 = 0xffff
const NO_32 = 0xffffffff

type Directory = {
  readonly offset: number
  readonly bytes: number
  readonly count: number
  /** Bytes before the zip: its offsets count from behind them. */
  readonly before: number
}

export type ZipEntry = ArchiveEntry & {
  readonly storedBytes: number
  /** CRC-32 of the content. */
  readonly sum: number
  readonly method: number
  readonly isEncrypted: boolean
  /** Position of its local header in the file. */
  readonly header: number
}

export type ZipListing = {
  readonly entries: ArchiveEntries<ZipEntry>
  readonly warnings: readonly ArchiveWarning[]
}

/**
 * @returns undefined if the file has no end record and so is no zip
 * @throws Problem `invalid_archive`, `too_large`
 */
export async function readZipListing(file: FileRanges): Promise<ZipListing | undefined> {
  const directory = await findDirectory(file)
  if (directory === undefined) return undefined
  const { offset, bytes, count, before } = directory
  if (bytes > MAX_DIRECTORY_BYTES || count > MAX_ENTRIES)
    throw new Problem(
      'too_large',
      `the zip's directory says that it has ${bytes} bytes and ${count} entries; the limits are ${MAX_DIRECTORY_BYTES} bytes and ${MAX_ENTRIES} entries`,
    )
  const warnings = new NameWarnings()
  const entries = new DirectoryEntries(await file.read(offset, bytes), before, offset)
  if (entries.count !== count)
    throw damaged(`the zip's directory lists ${entries.count} entries, but its end record says ${count}`)
  entries.leaveOutRoot((path) => warnings.see(path))
  return { entries, warnings: warnings.found() }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** The last end record whose comment ends with the file. */
async function findDirectory(file: FileRanges): Promise<Directory | undefined> {
  const start = Math.max(0, file.bytes - TAIL_BYTES)
  const tail = viewOf(await file.read(start, file.bytes - start))
  for (let at = tail.byteLength - END_BYTES; at >= 0; at--) {
    if (tail.getUint8(at) !== 0x50 || tail.getUint32(at, true) !== SIGNATURE.end) continue
    if (at + END_BYTES + tail.getUint16(at + 20, true) !== tail.byteLength) continue
    const here = tail.getUint16(at + 8, true)
    let [count, bytes, offset] = [
      tail.getUint16(at + 10, true),
      tail.getUint32(at + 12, true),
      tail.getUint32(at + 16, true),
    ]
    let end = start + at
    if (here === NO_16 || count === NO_16 || bytes === NO_32 || offset === NO_32) {
      const locator = viewOf(await file.read(Math.max(0, end - LOCATOR_BYTES), LOCATOR_BYTES))
      if (locator.byteLength === LOCATOR_BYTES && locator.getUint32(0, true) === SIGNATURE.locator64) {
        const found = await readEnd64(file, [end - LOCATOR_BYTES - END64_BYTES, uint64(locator, 8)])
        if (found === undefined) continue
        ;({ count, bytes, offset, end } = found)
      }
    }
    if (bytes > end) return undefined
    const first = viewOf(await file.read(end - bytes, 4))
    const isDirectory =
      bytes === 0 || (first.byteLength === 4 && first.getUint32(0, true) === SIGNATURE.entry)
    return { offset: end - bytes, bytes, count, before: isDirectory ? end - bytes - offset : 0 }
  }
  return undefined
}

async function readEnd64(file: FileRanges, places: readonly number[]) {
  for (const end of places) {
    if (end < 0 || end + END64_BYTES > file.bytes) continue
    const record = viewOf(await file.read(end, END64_BYTES))
    if (record.getUint32(0, true) !== SIGNATURE.end64) continue
    return { count: uint64(record, 32), bytes: uint64(record, 40), offset: uint64(record, 48), end }
  }
  return undefined
}

/** Not exact above 2^53, where it is larger than any file. */
function uint64(view: DataView, at: number): number {
  return view.getUint32(at, true) + view.getUint32(at + 4, true) * 2 ** 32
}

/** Reads entries in place. */
class DirectoryEntries implements ArchiveEntries<ZipEntry> {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #places: Uint32Array
  readonly #before: number

  /** @throws Problem `invalid_archive`. @param offset of the directory, for the message */
  constructor(bytes: Uint8Array, before: number, offset: number) {
    this.#bytes = bytes
    this.#view = viewOf(bytes)
    this.#before = before
    const places: number[] = []
    for (let at = 0; at < bytes.length; ) {
      if (at + ENTRY_BYTES > bytes.length || this.#view.getUint32(at, true) !== SIGNATURE.entry)
        throw damaged(`the zip's directory has no entry at byte ${offset + at}`)
      places.push(at)
      at += ENTRY_BYTES + this.#lengths(at).reduce((sum, length) => sum + length, 0)
      if (at > bytes.length) throw damaged(`the last entry of the zip's directory ends behind it`)
    }
    this.#places = Uint32Array.from(places)
  }

  get count(): number {
    return this.#places.length
  }

  get memoryBytes(): number {
    return this.#bytes.length + this.#places.byteLength
  }

  key(index: number): PathKey {
    return cleanPath(this.name(index)).key
  }

  /** @param see is shown each path before */
  leaveOutRoot(see: (path: CleanPath) => void): void {
    this.#places = this.#places.filter((_, index) => {
      const path = cleanPath(this.name(index))
      see(path)
      return path.key !== ''
    })
  }

  name(index: number): Uint8Array {
    const at = this.#places[index] ?? 0
    const [nameBytes] = this.#lengths(at)
    return this.#bytes.subarray(at + ENTRY_BYTES, at + ENTRY_BYTES + nameBytes)
  }

  at(index: number): ZipEntry {
    const view = this.#view
    const at = this.#places[index] ?? 0
    const name = this.name(index)
    const sizes = {
      bytes: view.getUint32(at + 24, true),
      storedBytes: view.getUint32(at + 20, true),
      header: view.getUint32(at + 42, true),
    }
    const mtime =
      this.#readExtra(at, sizes) ?? dosTime(view.getUint16(at + 14, true), view.getUint16(at + 12, true))
    return {
      key: cleanPath(name).key,
      type: typeOf(name, view.getUint8(at + 5), view.getUint32(at + 38, true)),
      bytes: sizes.bytes,
      storedBytes: sizes.storedBytes,
      ...(mtime === undefined ? {} : { mtime }),
      sum: view.getUint32(at + 16, true),
      method: view.getUint16(at + 10, true),
      isEncrypted: (view.getUint16(at + 8, true) & 1) !== 0,
      header: sizes.header + this.#before,
    }
  }

  /** Of name, extra field and comment. */
  #lengths(at: number): readonly [number, number, number] {
    const view = this.#view
    return [view.getUint16(at + 28, true), view.getUint16(at + 30, true), view.getUint16(at + 32, true)]
  }

  /** Sizes of zip64; returns the extended timestamp, in microseconds. */
  #readExtra(at: number, sizes: { bytes: number; storedBytes: number; header: number }): number | undefined {
    const [nameBytes, extraBytes] = this.#lengths(at)
    const start = at + ENTRY_BYTES + nameBytes
    const extra = viewOf(this.#bytes.subarray(start, start + extraBytes))
    let mtime: number | undefined
    for (let place = 0; place + 4 <= extra.byteLength; ) {
      const tag = extra.getUint16(place, true)
      const body = place + 4
      const end = Math.min(extra.byteLength, body + extra.getUint16(place + 2, true))
      if (tag === 1) {
        let next = body
        for (const field of ['bytes', 'storedBytes', 'header'] as const) {
          if (sizes[field] !== NO_32 || next + 8 > end) continue
          sizes[field] = uint64(extra, next)
          next += 8
        }
      }
      if (tag === 0x5455 && end - body >= 5 && (extra.getUint8(body) & 1) !== 0)
        mtime = extra.getInt32(body + 1, true) * 1e6
      place = body + extra.getUint16(place + 2, true)
    }
    return mtime
  }
}

const SLASH = 0x2f
/** Systems whose modes count: Unix and macOS. */
const WITH_MODES = new Set([3, 19])

function typeOf(name: Uint8Array, system: number, attributes: number): EntryType {
  if (name[name.length - 1] === SLASH) return 'directory'
  switch (WITH_MODES.has(system) ? attributes >>> 28 : 0) {
    case 0:
    case 8:
      return 'file'
    case 4:
      return 'directory'
    case 10:
      return 'symlink'
    default:
      return 'other'
  }
}

/** In microseconds, read as UTC; undefined if it is no date. */
function dosTime(date: number, time: number): number | undefined {
  const [year, month, day] = [(date >> 9) + 1980, (date >> 5) & 15, date & 31]
  const [hour, minute, second] = [time >> 11, (time >> 5) & 63, (time & 31) * 2]
  if (month < 1 || month > 12 || day < 1 || hour > 23 || minute > 59 || second > 59) return undefined
  const milliseconds = Date.UTC(year, month - 1, day, hour, minute, second)
  return new Date(milliseconds).getUTCDate() === day ? milliseconds * 1000 : undefined
}
