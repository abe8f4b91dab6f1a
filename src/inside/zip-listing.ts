/** A zip as a list of entries: its central directory in memory, whose rows become entries when they are asked for. */
import { Problem } from '../problem.ts'
import { cleanPath } from '../text/clean-path.ts'
import type { PathKey } from '../text/path.ts'
import {
  type ArchiveEntries,
  type ArchiveEntry,
  type ArchiveWarning,
  type EntryType,
  NameWarnings,
} from './entries.ts'
import { damaged, type FileRanges } from './ranges.ts'
import { findZipEnd, viewOf, type ZipEnd } from './zip-end.ts'
import { readRow, rowLength, rowName, type ZipContent, type ZipRow } from './zip-rows.ts'

/** Limit for the directory. */
const MAX_DIRECTORY_BYTES = 64 * 1024 * 1024

export type ZipEntry = ArchiveEntry & { readonly storedBytes: number; readonly content: ZipContent }

export type ZipListing = {
  readonly entries: ArchiveEntries<ZipEntry>
  readonly warnings: readonly ArchiveWarning[]
}

/**
 * @returns undefined if the file has no end record and so is no zip
 * @throws Problem `invalid_archive`, `too_large`
 */
export async function readZipListing(file: FileRanges): Promise<ZipListing | undefined> {
  const end = await findZipEnd(file)
  if (end === undefined) return undefined
  const { directoryOffset, directoryBytes } = end
  if (directoryBytes > MAX_DIRECTORY_BYTES)
    throw new Problem(
      'too_large',
      `the zip's directory has ${directoryBytes} bytes; the limit is ${MAX_DIRECTORY_BYTES}`,
    )
  const directory = await file.read(directoryOffset, directoryBytes)
  const warnings = new NameWarnings()
  const view = viewOf(directory)
  const places: number[] = []
  for (const at of rowPlaces(view, end)) {
    const path = cleanPath(rowName(directory, view, at))
    warnings.see(path)
    if (path.key !== '') places.push(at)
  }
  return {
    entries: new ZipEntries(directory, Uint32Array.from(places), end.start),
    warnings: warnings.found(),
  }
}

/** @throws Problem `invalid_archive` if the directory is damaged or has another number of rows than its end record says */
function* rowPlaces(view: DataView, { directoryOffset, entries }: ZipEnd): Generator<number> {
  let count = 0
  for (let at = 0; at < view.byteLength; count++) {
    const length = rowLength(view, at)
    if (length === 'invalid' || length === 'cut')
      throw damaged(
        `the zip's directory has no ${length === 'cut' ? 'whole ' : ''}row at byte ${directoryOffset + at}`,
      )
    yield at
    at += length
  }
  if (count !== entries)
    throw damaged(`the zip's directory lists ${count} entries, but its end record says ${entries}`)
}

class ZipEntries implements ArchiveEntries<ZipEntry> {
  readonly #directory: Uint8Array
  readonly #view: DataView
  /** Of the rows. */
  readonly #places: Uint32Array
  readonly #start: number

  /** @param start where the zip begins in its file */
  constructor(directory: Uint8Array, places: Uint32Array, start: number) {
    this.#directory = directory
    this.#view = viewOf(directory)
    this.#places = places
    this.#start = start
  }

  get count(): number {
    return this.#places.length
  }

  get memoryBytes(): number {
    return this.#directory.length + this.#places.byteLength
  }

  key(index: number): PathKey {
    return cleanPath(rowName(this.#directory, this.#view, this.#place(index))).key
  }

  at(index: number): ZipEntry {
    const row = readRow(this.#directory, this.#view, this.#place(index))
    const mtime = row.timestamp === undefined ? dosTime(row) : row.timestamp * 1e6
    const { bytes, storedBytes, crc32 } = row
    return {
      key: this.key(index),
      type: typeOf(row),
      bytes,
      storedBytes,
      ...(mtime === undefined ? {} : { mtime }),
      sum: crc32,
      content: { ...row, headerOffset: this.#start + row.headerOffset },
    }
  }

  #place(index: number): number {
    const place = this.#places[index]
    if (place === undefined) throw new RangeError(`no entry ${index}`)
    return place
  }
}

/** Systems whose modes count: Unix and macOS. */
const WITH_MODES = new Set([3, 19])

function typeOf({ name, system, attributes }: ZipRow): EntryType {
  if (name.endsWith('/')) return 'directory'
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
function dosTime({ date, time }: ZipRow): number | undefined {
  const [year, month, day] = [(date >> 9) + 1980, (date >> 5) & 15, date & 31]
  const [hour, minute, second] = [time >> 11, (time >> 5) & 63, (time & 31) * 2]
  if (month < 1 || month > 12 || day < 1 || hour > 23 || minute > 59 || second > 59) return undefined
  const milliseconds = Date.UTC(year, month - 1, day, hour, minute, second)
  return new Date(milliseconds).getUTCDate() === day ? milliseconds * 1000 : undefined
}
