import { expect, it } from 'vitest'
import { ndbDatabase } from '../../../test/support/rpm.ts'
import { UnreadableDatabase } from './found.ts'
import { ndbHeaders } from './rpm-ndb.ts'

const HEADERS = [Uint8Array.of(1, 2, 3), new Uint8Array(100_000).fill(7), new Uint8Array(0)]

it('returns each header', () => {
  expect([...ndbHeaders(ndbDatabase(HEADERS))]).toEqual(HEADERS)
  const many = Array.from({ length: 1_000 }, (_, i) => Uint8Array.of(i))
  expect([...ndbHeaders(ndbDatabase(many))]).toEqual(many)
})

const SLOT = 16 * 3

it.each<[string, (view: DataView) => void]>([
  ['a missing magic number', (view) => view.setUint32(0, 0)],
  ['a future version', (view) => view.setUint32(4, 1, true)],
  ['slots past the end of the file', (view) => view.setUint32(12, 0xffff_ffff, true)],
  ['a damaged slot', (view) => view.setUint32(SLOT, 0)],
  ['a slot that points to another package', (view) => view.setUint32(SLOT + 4, 2, true)],
  ['a slot that points outside the file', (view) => view.setUint32(SLOT + 8, 0xffff_ffff, true)],
  ['a blob that is larger than the file', (view) => view.setUint32(4096 + 12, 0xffff_ffff, true)],
])('refuses %s', (_, damage) => {
  const file = ndbDatabase(HEADERS)
  damage(new DataView(file.buffer))
  expect(() => [...ndbHeaders(file)]).toThrow(UnreadableDatabase)
})

it('refuses slots that point to the same blob', () => {
  const file = ndbDatabase(HEADERS)
  for (let slot = 2; slot < 4096 / 16; slot++) file.copyWithin(16 * slot, SLOT + 32, SLOT + 48)
  expect(() => [...ndbHeaders(file)]).toThrow('more bytes than the file')
})

it('refuses a file that is cut off', () => {
  const file = ndbDatabase(HEADERS)
  for (const length of [0, 100, 4096, 50_000]) {
    expect(() => [...ndbHeaders(file.subarray(0, length))]).toThrow(UnreadableDatabase)
  }
})
