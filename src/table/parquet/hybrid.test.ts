import fc from 'fast-check'
import { readRleBitPackedHybrid } from 'hyparquet/src/encoding.js'
import { expect, test } from 'vitest'
import { ByteBuffer, ByteReader } from '../byte-buffer.ts'
import { type HybridWidth, readHybrid, writeHybrid } from './hybrid.ts'

/** Runs of any length of a few values. */
const runs = (most: number) =>
  fc
    .array(fc.tuple(fc.integer({ min: 0, max: most }), fc.integer({ min: 1, max: 40 })), { maxLength: 30 })
    .map((parts) => Uint8Array.from(parts.flatMap(([value, length]) => Array.from({ length }, () => value))))

test.each([
  [1, 1],
  [8, 7],
] as [HybridWidth, number][])('values of %i bits read back unchanged, by hyparquet too', (width, most) => {
  fc.assert(
    fc.property(runs(most), (values) => {
      const out = new ByteBuffer()
      writeHybrid(out, values, width)
      const bytes = out.copy()
      const own = new Uint8Array(values.length)
      const reader = new ByteReader(bytes)
      readHybrid(reader, own, width)
      expect(own).toEqual(values)
      expect(reader.offset).toBe(bytes.length)
      const others = new Uint8Array(values.length)
      readRleBitPackedHybrid({ view: new DataView(bytes.buffer), offset: 0 }, width, others, bytes.length)
      expect(others).toEqual(values)
    }),
    { numRuns: process.env.LAMINA_LONG === '1' ? 5000 : 300 },
  )
})

test('a run of any length takes a few bytes', () => {
  const out = new ByteBuffer()
  writeHybrid(out, new Uint8Array(60_000).fill(1), 1)
  expect(out.length).toBeLessThan(5)
})

test('truncated bytes are an error', () => {
  const out = new ByteBuffer()
  writeHybrid(
    out,
    Uint8Array.from({ length: 100 }, (_, i) => (i * i) % 7),
    8,
  )
  for (let length = 0; length < out.length; length++) {
    expect(() => readHybrid(new ByteReader(out.view().slice(0, length)), new Uint8Array(100), 8)).toThrow(
      RangeError,
    )
  }
})
