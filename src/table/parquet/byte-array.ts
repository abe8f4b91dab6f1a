/**
 * Columns of byte arrays: the packed lengths, then all bytes; paths as the length shared with the previous one, and the rest
 * (Encodings.md: DELTA_LENGTH_BYTE_ARRAY, DELTA_BYTE_ARRAY).
 */
import type { ByteString } from '../../text/bytes.ts'
import type { PathKey } from '../../text/path.ts'
import { ByteBuffer, ByteReader } from '../byte-buffer.ts'
import { readDeltas, writeDeltas } from './delta.ts'
import { type DataPage, ENCODING, type PageBody, pageBuffer } from './page.ts'

/** Least and greatest value of a page, in byte order. */
export type Bounds = { readonly least: ByteString; readonly greatest: ByteString }

const SLASH = 47
const MAX_BOUND_BYTES = 1024

/** The values of a page, in one buffer. */
export class ByteArrays {
  readonly #data: Buffer
  /** Value `i` ends where the next one begins; undefined if all have one length. */
  readonly #ends: Uint32Array | undefined
  readonly #length: number
  /** A row that was just accessed will probably be accessed again. */
  #lastSlot = -1
  #lastValue: ByteString = ''

  private constructor(data: Uint8Array, ends: Uint32Array | undefined, length: number) {
    this.#data = Buffer.from(data.buffer, data.byteOffset, data.byteLength)
    this.#ends = ends
    this.#length = length
  }

  /** @param data must not change any more */
  static ofLength(data: Uint8Array, length: number): ByteArrays {
    return new ByteArrays(data, undefined, length)
  }

  /** @param data must not change any more */
  static upTo(data: Uint8Array, ends: Uint32Array): ByteArrays {
    return new ByteArrays(data, ends, 0)
  }

  get(slot: number): ByteString {
    if (slot === this.#lastSlot) return this.#lastValue
    const value = this.#read(slot)
    this.#lastSlot = slot
    this.#lastValue = value
    return value
  }

  #read(slot: number): ByteString {
    const ends = this.#ends
    if (ends === undefined)
      return this.#data.toString('latin1', slot * this.#length, (slot + 1) * this.#length)
    return this.#data.toString('latin1', slot === 0 ? 0 : (ends[slot - 1] ?? 0), ends[slot] ?? 0)
  }
}

let numbers = new Float64Array(4096)
let moreNumbers = new Float64Array(4096)

function makeRoom(count: number): void {
  if (numbers.length >= count) return
  numbers = new Float64Array(count * 2)
  moreNumbers = new Float64Array(count * 2)
}

export function writeLengthByteArrays(values: readonly ByteString[]): PageBody {
  const body = pageBuffer()
  // A page without values is empty.
  if (values.length > 0) {
    makeRoom(values.length)
    for (let i = 0; i < values.length; i++) numbers[i] = values[i]?.length ?? 0
    writeDeltas(body, numbers, values.length)
    body.latin1(values.join(''))
  }
  return { encoding: ENCODING.deltaLengthByteArray, valueCount: values.length, body }
}

export function readLengthByteArrays(page: DataPage): ByteArrays {
  makeRoom(page.valueCount)
  const reader = new ByteReader(page.body)
  if (readDeltas(reader, numbers) !== page.valueCount)
    throw new RangeError('the number of byte arrays differs')
  const ends = new Uint32Array(page.valueCount)
  let end = 0
  for (let i = 0; i < page.valueCount; i++) ends[i] = end += numbers[i] ?? 0
  return ByteArrays.upTo(reader.bytes(end).slice(), ends)
}

const suffixes = new ByteBuffer(1 << 16)

/** @param keys of paths, which are written with `/` between their parts */
export function writePaths(keys: readonly PathKey[]): PageBody & { readonly bounds: Bounds | undefined } {
  makeRoom(keys.length)
  suffixes.length = 0
  const bounds = new PathBounds()
  let previous = ''
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i] ?? ''
    const shared = sharedLength(previous, key, 0)
    numbers[i] = shared
    moreNumbers[i] = key.length - shared
    writeSlashed(suffixes, key, shared)
    bounds.take(key, shared)
    previous = key
  }
  const body = pageBuffer()
  writeDeltas(body, numbers, keys.length)
  writeDeltas(body, moreNumbers, keys.length)
  body.bytes(suffixes.view())
  const shown = keys.length === 0 ? undefined : bounds.shown()
  return { encoding: ENCODING.deltaByteArray, valueCount: keys.length, body, bounds: shown }
}

/**
 * The least and the greatest path in byte order, which differs from the order of keys: to Parquet readers `/` is a byte like
 * any other. The prefix that a key shares with either can mostly be derived from the prefixes shared with the previous key.
 */
class PathBounds {
  #least: PathKey | undefined
  #greatest: PathKey = ''
  #sharedWithLeast = 0
  #sharedWithGreatest = 0

  /** @param shared with the key before */
  take(key: PathKey, shared: number): void {
    if (this.#least === undefined) {
      this.#least = key
      this.#greatest = key
      this.#sharedWithLeast = key.length
      this.#sharedWithGreatest = key.length
      return
    }
    const withLeast = sharedOfThree(key, this.#least, shared, this.#sharedWithLeast)
    const withGreatest = sharedOfThree(key, this.#greatest, shared, this.#sharedWithGreatest)
    const isLeast = isBefore(key, this.#least, withLeast)
    const isGreatest = isBefore(this.#greatest, key, withGreatest)
    if (isLeast) this.#least = key
    if (isGreatest) this.#greatest = key
    this.#sharedWithLeast = isLeast ? key.length : withLeast
    this.#sharedWithGreatest = isGreatest ? key.length : withGreatest
  }

  /** None if they are so long that they would make the footer large. */
  shown(): Bounds | undefined {
    if (Math.max(this.#least?.length ?? 0, this.#greatest.length) > MAX_BOUND_BYTES) return undefined
    return { least: slashed(this.#least ?? ''), greatest: slashed(this.#greatest) }
  }
}

/** The length shared by `a` and `b`, given what each shares with a third: `shared` and `sharedByOther`. */
function sharedOfThree(a: string, b: string, shared: number, sharedByOther: number): number {
  return shared === sharedByOther ? sharedLength(a, b, shared) : Math.min(shared, sharedByOther)
}

export function readPaths(page: DataPage): ByteArrays {
  const count = page.valueCount
  makeRoom(count)
  const reader = new ByteReader(page.body)
  const isWhole = readDeltas(reader, numbers) === count && readDeltas(reader, moreNumbers) === count
  if (!isWhole) throw new RangeError('the number of paths differs')
  const ends = new Uint32Array(count)
  let size = 0
  for (let i = 0; i < count; i++) ends[i] = size += (numbers[i] ?? 0) + (moreNumbers[i] ?? 0)
  const suffixes = reader.bytes(reader.data.length - reader.offset)
  const data = new Uint8Array(size)
  let start = 0
  let from = 0
  let before = 0
  for (let i = 0; i < count; i++) {
    const shared = numbers[i] ?? 0
    if (shared > start - before)
      throw new RangeError('a path shares a longer prefix than the previous path has')
    data.copyWithin(start, before, before + shared)
    const end = ends[i] ?? 0
    for (let k = start + shared; k < end; k++) {
      const byte = suffixes[from++] ?? 0
      data[k] = byte === SLASH ? 0 : byte
    }
    before = start
    start = end
  }
  if (from !== suffixes.length) throw new RangeError('the number of bytes differs')
  return ByteArrays.upTo(data, ends)
}

/** How many leading bytes are equal. @param from how many are known to be equal */
function sharedLength(a: string, b: string, from: number): number {
  const most = Math.min(a.length, b.length)
  let length = from
  while (length < most && a.charCodeAt(length) === b.charCodeAt(length)) length++
  return length
}

function writeSlashed(out: ByteBuffer, key: PathKey, from: number): void {
  out.reserve(key.length - from)
  const { data } = out
  let at = out.length
  for (let i = from; i < key.length; i++) data[at++] = key.charCodeAt(i) || SLASH
  out.length = at
}

function slashed(key: PathKey): ByteString {
  return key.replaceAll('\0', '/')
}

/** In byte order of the paths. @param shared the length that both share */
function isBefore(a: PathKey, b: PathKey, shared: number): boolean {
  if (shared >= a.length || shared >= b.length) return a.length < b.length
  return (a.charCodeAt(shared) || SLASH) < (b.charCodeAt(shared) || SLASH)
}
