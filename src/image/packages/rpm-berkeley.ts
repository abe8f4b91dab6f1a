/**
 * rpm's database of before 2020: a hash of Berkeley DB (`dbinc/db_page.h`), whose values are headers, and those that do not fit on
 * a page are chains of overflow pages.
 */
import { UnreadableDatabase } from './found.ts'

const LITTLE = 0x00061561
const HASH_META = 8
const HASH_UNSORTED = 2
const HASH_SORTED = 13
const OVERFLOW = 7
const PAGE_HEAD = 26
/** Kinds of items. */
const KEY_DATA = 1
const OFF_PAGE = 3

/** The headers of all packages, each a view or a copy. @throws UnreadableDatabase before the first */
export function* berkeleyHeaders(file: Uint8Array): Generator<Uint8Array> {
  const database = new HashDatabase(file)
  for (const _ of database.values());
  yield* database.values()
}

class HashDatabase {
  readonly #file: Uint8Array
  readonly #view: DataView
  readonly #isLittle: boolean
  readonly #pageBytes: number
  readonly #lastPage: number
  /** Bytes of the values on overflow pages. */
  #chainedBytes = 0

  constructor(file: Uint8Array) {
    this.#file = file
    this.#view = new DataView(file.buffer, file.byteOffset, file.byteLength)
    if (file.length < 512) throw new UnreadableDatabase('it is too short')
    this.#isLittle = this.#view.getUint32(12, true) === LITTLE
    if (!this.#isLittle && this.#view.getUint32(12, false) !== LITTLE)
      throw new UnreadableDatabase('no hash database')
    this.#pageBytes = this.#uint32(20)
    this.#lastPage = this.#uint32(32)
    const isPageSize =
      this.#pageBytes >= 512 && this.#pageBytes <= 65_536 && (this.#pageBytes & (this.#pageBytes - 1)) === 0
    if (!isPageSize || file[25] !== HASH_META) throw new UnreadableDatabase('a damaged first page')
    if ((this.#lastPage + 1) * this.#pageBytes > file.length)
      throw new UnreadableDatabase('it is shorter than it says')
  }

  *values(): Generator<Uint8Array> {
    this.#chainedBytes = 0
    for (let page = 1; page <= this.#lastPage; page++) {
      const type = this.#file[page * this.#pageBytes + 25]
      if (type === HASH_UNSORTED || type === HASH_SORTED) yield* this.#valuesOn(page * this.#pageBytes)
    }
  }

  /** Keys and values alternate; items grow from the page's end. */
  *#valuesOn(page: number): Generator<Uint8Array> {
    const count = this.#uint16(page + 20)
    if (PAGE_HEAD + 2 * count > this.#pageBytes) throw new UnreadableDatabase('a damaged page')
    const startOf = (item: number) => (item < 0 ? this.#pageBytes : this.#uint16(page + PAGE_HEAD + 2 * item))
    for (let item = 1; item < count; item += 2) {
      const [keyStart, keyEnd] = [startOf(item - 1), startOf(item - 2)]
      const [start, end] = [startOf(item), keyStart]
      if (start >= end || end > this.#pageBytes || keyEnd > this.#pageBytes || keyStart >= keyEnd)
        throw new UnreadableDatabase('a damaged item')
      const kind = this.#file[page + start]
      // The key 0 has the number of the last package.
      const isCount = this.#file.subarray(page + keyStart + 1, page + keyEnd).every((byte) => byte === 0)
      if (kind === KEY_DATA) {
        if (!isCount) yield this.#file.subarray(page + start + 1, page + end)
      } else if (kind === OFF_PAGE && end - start >= 12) {
        const value = this.#chain(this.#uint32(page + start + 4), this.#uint32(page + start + 8))
        if (!isCount) yield value
      } else throw new UnreadableDatabase('an item of an unknown kind')
    }
  }

  /** A value on overflow pages. */
  #chain(first: number, length: number): Uint8Array {
    // No two values share a page.
    this.#chainedBytes += length
    if (this.#chainedBytes > this.#file.length)
      throw new UnreadableDatabase('values of more bytes than the database')
    const value = new Uint8Array(length)
    let filled = 0
    for (let number = first; number !== 0; ) {
      const page = number * this.#pageBytes
      if (number > this.#lastPage || this.#file[page + 25] !== OVERFLOW)
        throw new UnreadableDatabase('a value on a page that has none')
      const used = this.#uint16(page + 22)
      // A cycle is longer than the value.
      if (used === 0 || PAGE_HEAD + used > this.#pageBytes || filled + used > length)
        throw new UnreadableDatabase('a damaged value')
      value.set(this.#file.subarray(page + PAGE_HEAD, page + PAGE_HEAD + used), filled)
      filled += used
      number = this.#uint32(page + 16)
    }
    if (filled !== length) throw new UnreadableDatabase('a value that is cut off')
    return value
  }

  #uint16(at: number): number {
    return this.#view.getUint16(at, this.#isLittle)
  }

  #uint32(at: number): number {
    return this.#view.getUint32(at, this.#isLittle)
  }
}
