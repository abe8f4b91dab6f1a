/**
 * DELTA_BINARY_PACKED of the Parquet format (Encodings.md), on doubles rather than BigInts: blocks of 128 differences to the
 * previous value, each in four miniblocks of 32 with one bit width. Widths are rounded up so that no value straddles bytes,
 * which takes a few more bits and lets snappy find repetitions.
 */
import type { ByteBuffer, ByteReader } from '../byte-buffer.ts'

const BLOCK = 128
const MINIBLOCK = 32
const MINIBLOCKS = BLOCK / MINIBLOCK
const TWO_32 = 2 ** 32
/** Up to this value, sums, differences and zigzag numbers are exact in a double. */
const EXACT = 2 ** 52

const deltas = new Float64Array(BLOCK)
const widths = new Uint8Array(MINIBLOCKS)

/**
 * Whether `writeDeltas` can encode these: not numbers near the limits of exact doubles, nor numbers so far apart that their
 * differences need more than `bits`.
 */
export function fitsDeltas(values: Float64Array, count: number, bits: 32 | 64): boolean {
  let least = Number.POSITIVE_INFINITY
  let most = Number.NEGATIVE_INFINITY
  for (let i = 0; i < count; i++) {
    const value = values[i] ?? 0
    if (value < least) least = value
    if (value > most) most = value
  }
  if (count === 0) return true
  const spread = bits === 32 ? TWO_32 / 2 : EXACT / 2
  return most - least < spread && least >= -EXACT && most <= EXACT
}

/** Appends `values[0]` to `values[count - 1]`. */
export function writeDeltas(out: ByteBuffer, values: Float64Array, count: number): void {
  out.varint(BLOCK)
  out.varint(MINIBLOCKS)
  out.varint(count)
  out.zigzag(count === 0 ? 0 : (values[0] ?? 0))
  for (let start = 1; start < count; start += BLOCK)
    writeBlock(out, values, start, Math.min(BLOCK, count - start))
}

function writeBlock(out: ByteBuffer, values: Float64Array, start: number, count: number): void {
  let least = Number.POSITIVE_INFINITY
  for (let i = 0; i < count; i++) {
    const delta = (values[start + i] ?? 0) - (values[start + i - 1] ?? 0)
    deltas[i] = delta
    if (delta < least) least = delta
  }
  out.zigzag(least)
  for (let mini = 0; mini < MINIBLOCKS; mini++) {
    const first = mini * MINIBLOCK
    const end = Math.min(first + MINIBLOCK, count)
    let most = 0
    for (let i = first; i < end; i++) most = Math.max(most, (deltas[i] ?? 0) - least)
    widths[mini] = packedWidth(most)
    deltas.fill(least, Math.max(first, end), first + MINIBLOCK)
  }
  out.bytes(widths)
  for (let mini = 0; mini * MINIBLOCK < count; mini++)
    packMiniblock(out, mini * MINIBLOCK, least, widths[mini] ?? 0)
}

/** Bits for 0 to `most`, rounded up to 0, 1, 2, 4 or whole bytes. */
function packedWidth(most: number): number {
  if (most === 0) return 0
  const bits = most < TWO_32 ? 32 - Math.clz32(most) : 64 - Math.clz32(Math.floor(most / TWO_32))
  if (bits <= 2) return bits
  return bits <= 4 ? 4 : Math.ceil(bits / 8) * 8
}

function packMiniblock(out: ByteBuffer, first: number, least: number, width: number): void {
  out.reserve(MINIBLOCK * 8)
  const { data } = out
  let position = out.length
  if (width >= 8) {
    for (let i = first; i < first + MINIBLOCK; i++) {
      const value = (deltas[i] ?? 0) - least
      let low = value >>> 0
      const bytes = width >>> 3
      for (let byte = 0; byte < bytes && byte < 4; byte++, low >>>= 8) data[position++] = low
      if (bytes <= 4) continue
      let high = Math.floor(value / TWO_32)
      for (let byte = 4; byte < bytes; byte++, high >>>= 8) data[position++] = high
    }
  } else if (width > 0) {
    for (let i = first; i < first + MINIBLOCK; ) {
      let packed = 0
      for (let bit = 0; bit < 8; bit += width) packed |= ((deltas[i++] ?? 0) - least) << bit
      data[position++] = packed
    }
  }
  out.length = position
}

/**
 * Decodes what `writeDeltas` wrote into `values`, and returns how many there are.
 *
 * @throws RangeError if the bytes are not that
 */
export function readDeltas(input: ByteReader, values: Float64Array): number {
  const block = input.varint()
  const miniblocks = input.varint()
  const count = input.varint()
  const value = input.zigzag()
  if (block !== BLOCK || miniblocks !== MINIBLOCKS) throw new RangeError('the delta block size differs')
  if (count > values.length) throw new RangeError('there are more values than rows')
  if (count > 0) values[0] = value
  const sums: Sums = { values, count, least: 0, last: value }
  for (let start = 1; start < count; start += BLOCK) {
    sums.least = input.zigzag()
    const widths = input.bytes(MINIBLOCKS)
    for (let mini = 0, first = start; mini < MINIBLOCKS && first < count; mini++, first += MINIBLOCK) {
      const width = widths[mini] ?? 0
      addUp(sums, first, input.bytes(width * 4), width)
    }
  }
  return count
}

/** The values so far: one object for all miniblocks, of which there are many. */
type Sums = {
  readonly values: Float64Array
  readonly count: number
  /** The smallest difference of the current block. */
  least: number
  last: number
}

/** Adds up one miniblock's differences into the values from `first` on. */
function addUp(sums: Sums, first: number, packed: Uint8Array, width: number): void {
  const { values, count, least } = sums
  const end = Math.min(first + MINIBLOCK, count)
  let sum = sums.last
  if (width === 0) {
    for (let i = first; i < end; i++) values[i] = sum += least
  } else if (width < 8) {
    const mask = (1 << width) - 1
    for (let i = first, bit = 0; i < end; i++, bit += width) {
      values[i] = sum += least + (((packed[bit >>> 3] ?? 0) >>> (bit & 7)) & mask)
    }
  } else {
    const bytes = width >>> 3
    for (let i = first, position = 0; i < end; i++, position += bytes) {
      let delta = 0
      for (let byte = bytes - 1; byte >= 0; byte--) delta = delta * 256 + (packed[position + byte] ?? 0)
      values[i] = sum += least + delta
    }
  }
  sums.last = sum
}
