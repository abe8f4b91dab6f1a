/**
 * Resumes a deflate stream (RFC 1951) at a block that begins in the middle of a byte, using only zlib's public functions. zlib
 * can stop at the start of a block (`Z_BLOCK`), but does not reveal at which bit; here it is found by elimination. To begin
 * there, zlib is given a stream with a made-up beginning: a stored block with the window, which is inflated into the 32 KiB
 * that later blocks refer to, and empty blocks of as many bits as are needed to reach that bit.
 */
import { inflateRawSync } from 'node:zlib'
import { mayBegin, storedLength } from './block-header.ts'

/** How far back a deflate stream refers. */
export const WINDOW_BYTES = 32 * 1024
/** How many compressed bytes are tried: more than any block header, and enough to tell right from wrong. */
const TRIAL_BYTES = 1024
/** Fewer bytes do not reveal the kind of a block. */
const LEAST_BYTES = 8
const STORED_HEADER = 5
/** Like zlib's `Z_SYNC_FLUSH`: the trial ends where its input does. */
const SYNC_FLUSH = 2

type Bits = { readonly bytes: Uint8Array; readonly count: number }

/** An empty block with fixed codes, as bits in stream order: not final, kind 1, the end. Ten bits. */
const FIXED_EMPTY = '0100000000'
/**
 * An empty block with dynamic codes: 91 bits, an odd number. Not final, kind 2; 257 literal codes, 1 distance code; 18 code
 * lengths, of which 18 (a run of zeros) and 1 take one bit each; the codes of literal 0 and of the end take a bit, with 255
 * zeros between them; the distance code takes a bit; the end.
 */
const DYNAMIC_EMPTY = [
  '001',
  '00000' + '00000' + '0111',
  `${'000'.repeat(2)}100${'000'.repeat(14)}100`,
  '0' + '1' + '1111111' + '1' + '0101011' + '0' + '0',
  '1',
].join('')

/** For each bit position in a byte, empty blocks that end there. */
const EMPTY_BLOCKS: readonly Bits[] = [
  '',
  DYNAMIC_EMPTY + FIXED_EMPTY.repeat(3),
  FIXED_EMPTY,
  DYNAMIC_EMPTY,
  FIXED_EMPTY.repeat(2),
  DYNAMIC_EMPTY + FIXED_EMPTY,
  FIXED_EMPTY.repeat(3),
  DYNAMIC_EMPTY + FIXED_EMPTY.repeat(2),
].map(packBits)

/** Deflate fills bytes from their lowest bit. */
function packBits(bits: string): Bits {
  const bytes = new Uint8Array((bits.length >> 3) + 1)
  for (let i = 0; i < bits.length; i++)
    if (bits[i] === '1') bytes[i >> 3] = (bytes[i >> 3] ?? 0) | (1 << (i & 7))
  return { bytes, count: bits.length }
}

export type BitStart = {
  /** The decompressed bytes before the block, at most `WINDOW_BYTES`. */
  readonly window: Uint8Array
  /** The first byte with bits of the block. */
  readonly byte: number
  /** Position of the block in that byte, from the lowest bit; lower bits belong to the previous block. */
  readonly bit: number
}

/**
 * What to inflate instead of the byte where the block begins: it yields the window again, to be dropped, and continues with the
 * block once the following bytes are fed.
 */
export function resumingBytes({ window, byte, bit }: BitStart): Uint8Array {
  const empty = EMPTY_BLOCKS[bit]
  if (empty === undefined) throw new RangeError('a byte has bits 0 to 7')
  const bytes = new Uint8Array(STORED_HEADER + window.length + (empty.count >> 3) + 1)
  bytes.set([
    0,
    window.length & 0xff,
    window.length >> 8,
    ~window.length & 0xff,
    (~window.length >> 8) & 0xff,
  ])
  bytes.set(window, STORED_HEADER)
  bytes.set(empty.bytes, STORED_HEADER + window.length)
  const mask = (1 << bit) - 1
  const last = bytes.length - 1
  bytes[last] = ((bytes[last] ?? 0) & mask) | (byte & ~mask)
  return bytes
}

export type Boundary = {
  readonly window: Uint8Array
  /** The last byte that zlib consumed before it stopped, and those after it. */
  readonly before: number
  readonly behind: Uint8Array
  /** What zlib returned after it continued; not empty. */
  readonly output: Uint8Array
  /** Another block follows it: it is not the last. */
  readonly goesOn: boolean
}

/** Where a block begins: `at` 0 is the byte before the boundary, 1 the one after it. */
export type FoundBit = { readonly at: 0 | 1; readonly bit: number }

/**
 * The bit at which the block begins where zlib stopped. Of the eight candidates, those that give other bytes than zlib gave are
 * excluded. The right one always remains, so a single remaining candidate is proven; undefined if several remain that begin
 * differently.
 */
export function findBit({ window, before, behind, output, goesOn }: Boundary): FoundBit | undefined {
  if (output.length === 0 || behind.length < LEAST_BYTES) return undefined
  const bytes = new Uint8Array(1 + Math.min(TRIAL_BYTES, behind.length))
  bytes[0] = before
  bytes.set(behind.subarray(0, TRIAL_BYTES), 1)
  const places: number[] = []
  for (let place = 1; place <= 8; place++) {
    // Stored blocks that differ only in how much of a byte they skip are the same block.
    const isSame = places.some((other) => isSameStored(bytes, other, place))
    const isLast = bitsAt(bytes, place, 1) === 1
    if (!isSame && !(goesOn && isLast) && mayBegin(bytes, place, { window, output })) places.push(place)
  }
  // A trial by zlib takes far longer than checking the header, which usually leaves one candidate.
  const given =
    places.length === 1 ? places : places.filter((place) => gives(bytes, place, { window, output }))
  const [found, ...others] = given
  if (others.length > 0) return undefined
  if (found === undefined) return undefined
  return found === 8 ? { at: 1, bit: 0 } : { at: 0, bit: found }
}

function bitsAt(bytes: Uint8Array, place: number, count: number): number {
  let value = 0
  for (let i = 0; i < count; i++) {
    const at = place + i
    value |= (((bytes[at >> 3] ?? 0) >> (at & 7)) & 1) << i
  }
  return value
}

function isSameStored(bytes: Uint8Array, a: number, b: number): boolean {
  return (
    bitsAt(bytes, a, 3) === bitsAt(bytes, b, 3) &&
    bitsAt(bytes, a + 1, 2) === 0 &&
    storedLength(a) === storedLength(b)
  )
}

function gives(
  bytes: Uint8Array,
  place: number,
  { window, output }: Pick<Boundary, 'window' | 'output'>,
): boolean {
  const at = place >> 3
  const head = resumingBytes({ window, byte: bytes[at] ?? 0, bit: place & 7 })
  try {
    const trial = inflateRawSync(Buffer.concat([head, bytes.subarray(at + 1)]), { finishFlush: SYNC_FLUSH })
    const given = trial.subarray(window.length, window.length + output.length)
    return Buffer.compare(given, output.subarray(0, given.length)) === 0
  } catch {
    return false
  }
}
