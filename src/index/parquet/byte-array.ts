/**
 * Columns of byte arrays: the lengths packed, then the bytes of all; paths as what each shares with the one before, and
 * the rest (Encodings.md: DELTA_LENGTH_BYTE_ARRAY, DELTA_BYTE_ARRAY).
 */
import type { ByteString } from '../../bytes.ts'
import type { PathKey } from '../../path.ts'
import { ByteBuffer, ByteReader } from '../byte-buffer.ts'
import { readDeltas, writeDeltas } from './delta.ts'
import { ENCODING, type Page, type PageBody } from './page.ts'

/** Least and greatest value of a page, in byte order. */
export type Bounds = { readonly least: ByteString; readonly greatest: ByteString }

const SLASH = 47

/** The values of a page, as one piece of memory. */
export class ByteArrays {
  readonly #data: Buffer
  /** Value `i` ends where the next one begins; undefined where all have one length. */
  readonly #ends: Uint32Array | undefined
  readonly #length: number
  /** Whoever looks at a row looks again soon. */
  #lastSlot = -1
  #lastValue: ByteString = ''

  private constructor(data: Uint8Array, ends: Uint32Array | undefined, length: number) {
    this.#data = Buffer.from(data.buffer, data.byteOffset, data.byteLength)
    this.#ends = ends
    this.#length = length
  }

  /** @param data stays as it is from here on */
  static ofLength(data: Uint8Array, length: number): ByteArrays {
    return new ByteArrays(data, undefined, length)
  }

  /** @param data stays as it is from here on */
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
    return this.#data.toString('latin1', slot === 0 ? 0 : ends[slot - 1]!, ends[slot]!)
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
  const body = new ByteBuffer(1024)
  // Nothing at all is what a page without values holds.
  if (values.length > 0) {
    makeRoom(values.length)
    for (let i = 0; i < values.length; i++) numbers[i] = values[i]!.length
    writeDeltas(body, numbers, values.length)
    for (const value of values) body.latin1(value)
  }
  return { encoding: ENCODING.deltaLengthByteArray, valueCount: values.length, body }
}

export function readLengthByteArrays(page: Page): ByteArrays {
  makeRoom(page.valueCount)
  const reader = new ByteReader(page.body)
  if (readDeltas(reader, numbers) !== page.valueCount) throw new RangeError('another number of byte arrays')
  const ends = new Uint32Array(page.valueCount)
  let end = 0
  for (let i = 0; i < page.valueCount; i++) ends[i] = end += numbers[i]!
  return ByteArrays.upTo(reader.bytes(end).slice(), ends)
}

const suffixes = new ByteBuffer(1 << 16)

/** @param keys of paths, which are written with `/` between their parts */
export function writePaths(keys: readonly PathKey[]): PageBody & { readonly bounds?: Bounds } {
  makeRoom(keys.length)
  suffixes.length = 0
  let previous = ''
  let least = keys[0] ?? ''
  let greatest = least
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i]!
    const shared = sharedLength(previous, key)
    numbers[i] = shared
    moreNumbers[i] = key.length - shared
    writeSlashed(suffixes, key, shared)
    if (isBefore(key, least)) least = key
    else if (isBefore(greatest, key)) greatest = key
    previous = key
  }
  const body = new ByteBuffer(suffixes.length + 2048)
  writeDeltas(body, numbers, keys.length)
  writeDeltas(body, moreNumbers, keys.length)
  body.bytes(suffixes.view())
  const page = { encoding: ENCODING.deltaByteArray, valueCount: keys.length, body }
  return keys.length === 0
    ? page
    : { ...page, bounds: { least: slashed(least), greatest: slashed(greatest) } }
}

export function readPaths(page: Page): ByteArrays {
  const count = page.valueCount
  makeRoom(count)
  const reader = new ByteReader(page.body)
  const isWhole = readDeltas(reader, numbers) === count && readDeltas(reader, moreNumbers) === count
  if (!isWhole) throw new RangeError('another number of paths')
  const ends = new Uint32Array(count)
  let size = 0
  for (let i = 0; i < count; i++) ends[i] = size += numbers[i]! + moreNumbers[i]!
  const suffixes = reader.bytes(reader.data.length - reader.offset)
  const data = new Uint8Array(size)
  let start = 0
  let from = 0
  let before = 0
  for (let i = 0; i < count; i++) {
    const shared = numbers[i]!
    if (shared > start - before) throw new RangeError('a path shares more than there is')
    for (let k = 0; k < shared; k++) data[start + k] = data[before + k]!
    for (let k = start + shared; k < ends[i]!; k++) {
      const byte = suffixes[from++]
      if (byte === undefined) throw new RangeError('the paths end too early')
      data[k] = byte === SLASH ? 0 : byte
    }
    before = start
    start = ends[i]!
  }
  return ByteArrays.upTo(data, ends)
}

function sharedLength(a: string, b: string): number {
  const most = Math.min(a.length, b.length)
  let length = 0
  while (length < most && a.charCodeAt(length) === b.charCodeAt(length)) length++
  return length
}

function writeSlashed(out: ByteBuffer, key: PathKey, from: number): void {
  out.reserve(key.length - from)
  for (let i = from; i < key.length; i++) out.data[out.length++] = key.charCodeAt(i) || SLASH
}

function slashed(key: PathKey): ByteString {
  return key.replaceAll('\0', '/')
}

/** In byte order of the paths, which is not that of their keys: to Parquet's readers `/` is a byte like any other. */
function isBefore(a: PathKey, b: PathKey): boolean {
  const at = sharedLength(a, b)
  if (at >= a.length || at >= b.length) return a.length < b.length
  return (a.charCodeAt(at) || SLASH) < (b.charCodeAt(at) || SLASH)
}
