import { expect, test } from 'vitest'
import { zipOf } from '../../test/support/zip.ts'
import { rangesOf } from '../inside/ranges.ts'
import { repeatedBytes } from './archives.ts'

const LIB = Buffer.from(Array.from({ length: 90 }, (_, i) => i))
const zip = (files: Readonly<Record<string, string | Uint8Array>>) => rangesOf(zipOf(files))

test('entries with the same path, size and CRC are repeated, wherever they stand', async () => {
  const before = zip({ 'lib/a.jar': LIB, 'app.class': 'old' })
  expect(await repeatedBytes(zip({ 'app.class': 'new', 'lib/a.jar': LIB }), before)).toBe(LIB.length)
})

test.each([
  ['path', { 'lib/b.jar': LIB }],
  ['size', { 'lib/a.jar': LIB.subarray(1) }],
  ['content', { 'lib/a.jar': LIB.toReversed() }],
])('an entry with another %s is new', async (_, files) => {
  expect(await repeatedBytes(zip(files), zip({ 'lib/a.jar': LIB }))).toBe(0)
})

test('less than half of what is stored is not worth telling', async () => {
  const before = zip({ a: LIB })
  expect(await repeatedBytes(zip({ a: LIB, b: LIB.toReversed() }), before)).toBe(LIB.length)
  expect(await repeatedBytes(zip({ a: LIB, b: LIB.toReversed(), c: 'x' }), before)).toBe(0)
})

test('what is no zip is no archive', async () => {
  const text = rangesOf(Buffer.from('no zip'))
  await expect(repeatedBytes(text, zip({ a: LIB }))).rejects.toMatchObject({ code: 'invalid_archive' })
  await expect(repeatedBytes(zip({ a: LIB }), text)).rejects.toMatchObject({ code: 'invalid_archive' })
})
