/**
 * What this service itself reads of a table: for each row group its number of rows, the lengths of its column chunks and, if
 * the rows are sorted by a key, the first key. It has the information of the Parquet footer in a tenth of its bytes (some 40 KB
 * for a million rows). It precedes the footer, and follows whatever else the object has after the groups. Long keys are
 * truncated.
 *
 * ```
 * groups, columns, whether there are keys, bytes between the groups and the index       varints
 * each group: rows; the length and CRC-32 of each chunk; shared, rest, bytes of its first key   varints, 4 bytes, bytes
 * the CRC-32 of the object's key and all before, its length, 'LGI3'                  4 + 4 + 4 bytes
 * ```
 *
 * Groups are contiguous from byte 4 on, and so are the chunks in each, in the order of the schema's parts. Other Parquet
 * readers never look here. Index and footer are written from the same numbers; a test compares them.
 */
import { crc32 } from 'node:zlib'
import { type ByteString, toByteString } from '../text/bytes.ts'
import type { PathKey } from '../text/path.ts'
import { ByteBuffer, ByteReader } from './byte-buffer.ts'
import { MAGIC } from './parquet/footer.ts'

const INDEX_MAGIC = 'LGI3'
/** Bytes of a group's first key; longer keys are truncated. */
const KEY_BYTES = 256
/** The index's CRC-32, its length and the magic number. */
export const INDEX_TAIL_BYTES = 12

/** A column chunk with its headers. */
export type IndexedChunk = { readonly storedBytes: number; readonly crc32: number }

export class GroupIndexWriter {
  readonly #groups = new ByteBuffer(1024)
  readonly #partCount: number
  readonly #hasKeys: boolean
  #count = 0
  #previous: PathKey = ''

  constructor(partCount: number, hasKeys: boolean) {
    this.#partCount = partCount
    this.#hasKeys = hasKeys
  }

  add(rowCount: number, chunks: readonly IndexedChunk[], firstKey: PathKey | undefined): void {
    const out = this.#groups
    out.varint(rowCount)
    for (const { storedBytes, crc32 } of chunks) {
      out.varint(storedBytes)
      out.uint32(crc32)
    }
    if (firstKey !== undefined) this.#addKey(firstKey.slice(0, KEY_BYTES))
    this.#count++
  }

  #addKey(key: PathKey): void {
    const previous = this.#previous
    let shared = 0
    while (shared < key.length && key.charCodeAt(shared) === previous.charCodeAt(shared)) shared++
    this.#groups.varint(shared)
    this.#groups.varint(key.length - shared)
    this.#groups.latin1(key.slice(shared))
    this.#previous = key
  }

  /**
   * @param key of the object, so that a table in another's place is detected
   * @param besides bytes between the groups and the index
   */
  finish(key: string, besides = 0): Uint8Array<ArrayBuffer> {
    const out = new ByteBuffer(this.#groups.length + 32)
    out.varint(this.#count)
    out.varint(this.#partCount)
    out.varint(this.#hasKeys ? 1 : 0)
    out.varint(besides)
    out.bytes(this.#groups.view())
    const length = out.length
    out.uint32(crc32(out.view(), crc32(key)))
    out.uint32(length)
    out.latin1(INDEX_MAGIC)
    return out.copy()
  }
}

/** The index of an opened table: numbers in typed arrays, since more than a hundred tables are open at once. */
export class GroupIndex {
  readonly count: number
  /** Where the index begins. */
  readonly end: number
  /** First row of each group, and the number of all rows. */
  readonly firstRows: Uint32Array
  /** First byte of each chunk, for all groups in a row, then the end of the last. */
  readonly #chunks: Float64Array
  /** CRC-32 of each chunk. */
  readonly #sums: Uint32Array
  readonly #partCount: number
  /** Bytes of all first keys, and where each ends; undefined if rows are in another order. */
  readonly #keys: { readonly data: Buffer; readonly ends: Uint32Array } | undefined

  /**
   * @param data the index and its tail
   * @param table its key, and how many columns it has
   * @throws RangeError if it is damaged, or for another schema
   */
  constructor(data: Uint8Array, { key, partCount }: { readonly key: string; readonly partCount: number }) {
    const end = data.length - INDEX_TAIL_BYTES
    if (new ByteReader(data, end).uint32() !== crc32(data.subarray(0, end), crc32(key)))
      throw new RangeError('the checksum of the group index differs')
    const reader = new ByteReader(data)
    this.count = reader.varint()
    if (this.count > data.length) throw new RangeError('the group index lists more groups than it has bytes')
    this.#partCount = reader.varint()
    if (this.#partCount !== partCount) throw new RangeError('the number of columns differs')
    const hasKeys = reader.varint() === 1
    const besides = reader.varint()
    this.firstRows = new Uint32Array(this.count + 1)
    this.#chunks = new Float64Array(this.count * partCount + 1)
    this.#sums = new Uint32Array(this.count * partCount)
    const keys = new ByteBuffer(data.length)
    const ends = new Uint32Array(this.count)
    let position = MAGIC.length
    for (let group = 0; group < this.count; group++) {
      this.firstRows[group + 1] = (this.firstRows[group] ?? 0) + reader.varint()
      for (let part = 0; part < partCount; part++) {
        this.#chunks[group * partCount + part] = position
        position += reader.varint()
        this.#sums[group * partCount + part] = reader.uint32()
      }
      if (hasKeys) ends[group] = readKey(reader, keys, ends[group - 2] ?? 0)
    }
    this.#chunks[this.count * partCount] = position
    this.end = position + besides
    this.#keys = hasKeys ? { data: Buffer.from(keys.copy().buffer), ends } : undefined
  }

  get rowCount(): number {
    return this.firstRows[this.count] ?? 0
  }

  /** First byte of a chunk; for `part` equal to the number of parts, the end of the group. */
  chunkStart(group: number, part: number): number {
    return this.#chunks[group * this.#partCount + part] ?? 0
  }

  /** @throws RangeError where these are not the chunk's bytes */
  requireWhole(chunk: Uint8Array, group: number, part: number): void {
    if (crc32(chunk) !== this.#sums[group * this.#partCount + part])
      throw new RangeError(`the checksum of column ${part} in group ${group} differs`)
  }

  /** The group that holds a row. */
  groupOf(row: number): number {
    return this.#partition(this.count, (group) => (this.firstRows[group + 1] ?? 0) <= row)
  }

  /** Whether rows are sorted by keys. */
  get hasKeys(): boolean {
    return this.#keys !== undefined
  }

  /** How many groups certainly begin with a key below `key`. */
  groupsBefore(key: PathKey): number {
    return this.#partition(this.count, (group) => {
      const firstKey = this.#firstKey(group)
      return firstKey < key && !(firstKey.length === KEY_BYTES && key.startsWith(firstKey))
    })
  }

  /** How many groups may begin with a key below `key`. */
  groupsPerhapsBefore(key: PathKey): number {
    return this.#partition(this.count, (group) => this.#firstKey(group) < key)
  }

  #firstKey(group: number): ByteString {
    const keys = this.#keys
    if (keys === undefined) throw new RangeError('the rows are not sorted by key')
    return keys.data.toString('latin1', group === 0 ? 0 : (keys.ends[group - 1] ?? 0), keys.ends[group] ?? 0)
  }

  /** How many of the first `count` numbers satisfy `holds`; those that do come before the others. */
  #partition(count: number, holds: (group: number) => boolean): number {
    let low = 0
    let high = count
    while (low < high) {
      const middle = (low + high) >>> 1
      if (holds(middle)) low = middle + 1
      else high = middle
    }
    return low
  }
}

/** Appends the next key to all keys. @param previous where the key before begins */
function readKey(reader: ByteReader, keys: ByteBuffer, previous: number): number {
  const shared = reader.varint()
  if (previous + shared > keys.length)
    throw new RangeError('a key shares a longer prefix than the previous key has')
  keys.bytes(keys.data.subarray(previous, previous + shared))
  keys.bytes(reader.bytes(reader.varint()))
  return keys.length
}

/** The length of the index that ends with these bytes. @throws RangeError if none does */
export function indexLength(tail: Uint8Array): number {
  const reader = new ByteReader(tail, 4)
  const length = reader.uint32()
  if (toByteString(reader.bytes(INDEX_MAGIC.length)) !== INDEX_MAGIC)
    throw new RangeError('the group index is missing')
  return length
}
