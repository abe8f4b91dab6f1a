/** Inputs close to those of the corpus: bytes flipped, overwritten, repeated, removed, or copied from another input. */
import fc from 'fast-check'

/** Mutations of a seed rarely grow beyond this. */
const MOST_BYTES = 64 * 1024
const MOST_EDITS = 6

type Edit = (bytes: Uint8Array) => Uint8Array

/** Boundary values of lengths, counts and offsets, and terminators of strings, lines and lists. */
const INTERESTING = [
  ...['00', 'ff', '7f', '80', '0a', '0d0a', '20', '22', '5c', '2f', '2c', '3a', '7b', '7d', '5b', '5d'],
  ...['0000', 'ffff', '7fff', '8000', 'ff7f', '00000000', 'ffffffff', '7fffffff', '80000000', 'ffffff7f'],
  ...['0000000000000000', 'ffffffffffffffff', '7fffffffffffffff', 'c0af', 'eda080', 'f09f9880', 'efbbbf'],
  ...['2e2e2f', '2e77682e', '2a2a', '26612a61', '31653330', '2d31', '6e756c6c', '5f5f70726f746f5f5f'],
].map((hex) => Buffer.from(hex, 'hex'))

const place = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true })

function spliced(bytes: Uint8Array, [from, to]: readonly [number, number], piece: Uint8Array): Uint8Array {
  const [start, end] = [Math.floor(from * bytes.length), Math.floor(to * bytes.length)]
  return Buffer.concat([bytes.subarray(0, start), piece, bytes.subarray(Math.max(start, end))])
}

const edits = (seeds: readonly Uint8Array[]): fc.Arbitrary<Edit> =>
  fc.oneof(
    fc.tuple(place, fc.nat(7)).map(
      ([at, bit]): Edit =>
        (bytes) =>
          bytes.map((byte, n) => (n === Math.floor(at * bytes.length) ? byte ^ (1 << bit) : byte)),
    ),
    fc.tuple(place, fc.constantFrom(...INTERESTING), fc.boolean()).map(
      ([at, piece, isInserted]): Edit =>
        (bytes) =>
          spliced(bytes, [at, isInserted ? at : at + piece.length / Math.max(bytes.length, 1)], piece),
    ),
    fc.tuple(place, place).map(
      ([at, to]): Edit =>
        (bytes) =>
          spliced(bytes, [at, to], new Uint8Array(0)),
    ),
    fc.tuple(place, place, fc.integer({ min: 2, max: 40 })).map(
      ([at, length, times]): Edit =>
        (bytes) => {
          const start = Math.floor(at * bytes.length)
          const piece = bytes.subarray(start, start + Math.ceil(length * 100))
          return spliced(bytes, [at, at], Buffer.concat(Array.from({ length: times }, () => piece)))
        },
    ),
    fc.tuple(place, place, place, place, fc.constantFrom(...seeds)).map(
      ([at, to, from, end, other]): Edit =>
        (bytes) =>
          spliced(bytes, [at, to], other.subarray(from * other.length, end * other.length)),
    ),
    fc.tuple(place, fc.uint8Array({ minLength: 1, maxLength: 12 })).map(
      ([at, piece]): Edit =>
        (bytes) =>
          spliced(bytes, [at, at + piece.length / Math.max(bytes.length, 1)], piece),
    ),
  )

/** @param seeds at least one */
export function nearTo(seeds: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
  const near = fc
    .tuple(fc.constantFrom(...seeds), fc.array(edits(seeds), { minLength: 1, maxLength: MOST_EDITS }))
    .map(([seed, changes]) => changes.reduce((bytes, change) => change(bytes).subarray(0, MOST_BYTES), seed))
  return fc.oneof(
    { weight: 20, arbitrary: near },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 2_000 }) },
  )
}
