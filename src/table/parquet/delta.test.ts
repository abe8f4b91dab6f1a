import fc from 'fast-check'
import { deltaBinaryUnpack } from 'hyparquet/src/delta.js'
import { expect, test } from 'vitest'
import { ByteBuffer, ByteReader } from '../byte-buffer.ts'
import { fitsDeltas, readDeltas, writeDeltas } from './delta.ts'

const numRuns = process.env.LAMINA_LONG === '1' ? 5000 : 300

const near = (center: number, spread: number) =>
  fc.array(fc.integer({ min: center - spread, max: center + spread }), { maxLength: 300 })
const values = fc.oneof(
  near(0, 1),
  near(-7, 200),
  near(2 ** 31, 2 ** 16),
  near(2 ** 50, 2 ** 49),
  fc.array(fc.maxSafeInteger(), { maxLength: 300 }),
)

function packed(numbers: readonly number[]): Uint8Array<ArrayBuffer> {
  const out = new ByteBuffer()
  writeDeltas(out, Float64Array.from(numbers), numbers.length)
  return out.copy()
}

test('integers read back unchanged, by hyparquet too', () => {
  let taken = 0
  fc.assert(
    fc.property(values, (numbers) => {
      if (!fitsDeltas(Float64Array.from(numbers), numbers.length, 64)) return
      taken++
      const bytes = packed(numbers)
      const own = new Float64Array(numbers.length)
      const reader = new ByteReader(bytes)
      expect(readDeltas(reader, own)).toBe(numbers.length)
      expect(reader.offset).toBe(bytes.length)
      expect([...own]).toEqual(numbers)
      const others = new BigInt64Array(numbers.length)
      deltaBinaryUnpack({ view: new DataView(bytes.buffer), offset: 0 }, numbers.length, others)
      expect([...others].map(Number)).toEqual(numbers)
    }),
    { numRuns },
  )
  expect(taken).toBeGreaterThan(numRuns / 2)
})

test('refuses to pack numbers that a double cannot add exactly', () => {
  const { MAX_SAFE_INTEGER, MIN_SAFE_INTEGER } = Number
  const fits = (numbers: number[], bits: 32 | 64) =>
    fitsDeltas(Float64Array.from(numbers), numbers.length, bits)
  expect(fits([0, MAX_SAFE_INTEGER], 64)).toBe(false)
  expect(fits([MAX_SAFE_INTEGER], 64)).toBe(false)
  expect(fits([MIN_SAFE_INTEGER], 64)).toBe(false)
  expect(fits([2 ** 50, -(2 ** 49)], 64)).toBe(true)
  expect(fits([2 ** 31 - 1, -1], 32)).toBe(false)
  expect(fits([2 ** 31 - 1, 1], 32)).toBe(true)
  expect(fits([], 32)).toBe(true)
})

test('equal or evenly growing numbers take no bits each', () => {
  const same = packed(Array.from({ length: 1281 }, () => 1_700_000_000_000_000))
  const even = packed(Array.from({ length: 1281 }, (_, i) => i * 512))
  expect(same.length).toBeLessThan(80)
  expect(even.length).toBeLessThan(80)
})
