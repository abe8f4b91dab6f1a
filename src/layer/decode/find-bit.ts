/**
 * Finds the bit at which a deflate block begins. zlib can stop at the start of a block (`Z_BLOCK`), but does not reveal at which
 * bit; here it is found by elimination.
 */
import { bitsAt, mayBegin, storedLength } from './block-header.ts'
import type { BlockInflater } from './block-inflater.ts'

/** How many compressed bytes are tried: more than any block header, and enough to tell right from wrong. */
const TRIAL_BYTES = 1024
/** Fewer bytes do not reveal the kind of a block. */
const LEAST_BYTES = 8
/** How much of a trial's output is compared at most. */
const COMPARED_BYTES = 32 * 1024

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
export function findBit(
  { window, before, behind, output, goesOn }: Boundary,
  inflater: BlockInflater,
): FoundBit | undefined {
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
  const isGiven = trial(bytes, { window, output }, inflater)
  const given = places.length === 1 ? places : places.filter(isGiven)
  const [found, ...others] = given
  if (found === undefined || others.length > 0) return undefined
  return found === 8 ? { at: 1, bit: 0 } : { at: 0, bit: found }
}

function isSameStored(bytes: Uint8Array, a: number, b: number): boolean {
  return (
    bitsAt(bytes, a, 3) === bitsAt(bytes, b, 3) &&
    bitsAt(bytes, a + 1, 2) === 0 &&
    storedLength(a) === storedLength(b)
  )
}

/** Tells of a place whether a block that begins there gives the output. */
function trial(
  bytes: Uint8Array,
  { window, output }: Pick<Boundary, 'window' | 'output'>,
  inflater: BlockInflater,
): (place: number) => boolean {
  const compared = output.subarray(0, COMPARED_BYTES)
  return (place) => {
    const at = place >> 3
    const start = { window, byte: bytes[at] ?? 0, bit: place & 7 }
    const given = new Uint8Array(window.length + compared.length)
    const filled = inflater.inflate(start, bytes.subarray(at + 1), given)
    if (filled === undefined) return false
    const ours = given.subarray(window.length, filled)
    return Buffer.compare(ours, compared.subarray(0, ours.length)) === 0
  }
}
