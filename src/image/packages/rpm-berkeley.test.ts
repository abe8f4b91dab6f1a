import { expect, it } from 'vitest'
import { berkeleyDatabase } from '../../../test/support/rpm.ts'
import { UnreadableDatabase } from './found.ts'
import { berkeleyHeaders } from './rpm-berkeley.ts'

const PAGE = 512
const LARGE = Uint8Array.from({ length: 1_500 }, (_, i) => i % 251)
const HEADERS = [Uint8Array.of(1, 2, 3), LARGE, new Uint8Array(200).fill(7)]

it.each(['little', 'big'] as const)('returns each header of a database in %s-endian order', (order) => {
  expect([...berkeleyHeaders(berkeleyDatabase(HEADERS, order))]).toEqual(HEADERS)
})

it('returns nothing of a database without packages', () => {
  expect([...berkeleyHeaders(berkeleyDatabase([]))]).toEqual([])
})

/** Pages: 0 is the first, 1 counts, 2 has the first header, 3 refers to the second on 4 to 7. */
const at = (page: number, offset: number) => page * PAGE + offset
/** Of the item of 12 bytes before the key of 5 bytes. */
const REFERENCE = at(3, PAGE - 17)

it.each<[string, (view: DataView) => void]>([
  ['a missing magic number', (view) => view.setUint32(12, 0)],
  ['another kind of database', (view) => view.setUint8(25, 9)],
  ['a page size that is no power of two', (view) => view.setUint32(20, 600, true)],
  ['more pages than the file has', (view) => view.setUint32(32, 9, true)],
  ['more items than a page has room for', (view) => view.setUint16(at(2, 20), 300, true)],
  ['an item that begins after its end', (view) => view.setUint16(at(2, 28), PAGE, true)],
  ['an item of an unknown kind', (view) => view.setUint8(REFERENCE, 9)],
  ['a value longer than the file', (view) => view.setUint32(REFERENCE + 8, 2 ** 31, true)],
  ['a value on a page outside the file', (view) => view.setUint32(REFERENCE + 4, 99, true)],
  ['a value on a page of another type', (view) => view.setUint32(REFERENCE + 4, 2, true)],
  ['a value that ends early', (view) => view.setUint32(at(5, 16), 0, true)],
  ['a value that goes on', (view) => view.setUint32(REFERENCE + 8, 100, true)],
  ['a chain that is a cycle', (view) => view.setUint32(at(5, 16), 4, true)],
  ['a page of a value without bytes', (view) => view.setUint16(at(5, 22), 0, true)],
])('refuses %s before it returns any header', (_, damage) => {
  const file = berkeleyDatabase(HEADERS)
  damage(new DataView(file.buffer))
  expect(() => berkeleyHeaders(file).next()).toThrow(UnreadableDatabase)
})

it('refuses values that share their pages', () => {
  const file = berkeleyDatabase(Array.from({ length: 3 }, () => LARGE))
  const view = new DataView(file.buffer)
  const references = [2, 7, 12].map((page) => at(page, PAGE - 17))
  for (const reference of references) view.setUint32(reference + 4, 3, true)
  expect([...berkeleyHeaders(file)]).toEqual([LARGE, LARGE, LARGE])
  const small = new Uint8Array(at(7, 0) + 20 * PAGE)
  small.set(file.subarray(0, at(7, 0)))
  for (let page = 7; page < 27; page++) small.set(file.subarray(at(2, 0), at(3, 0)), at(page, 0))
  new DataView(small.buffer).setUint32(32, 26, true)
  expect(() => [...berkeleyHeaders(small)]).toThrow('more bytes than the database')
})

it('refuses a file that is cut off', () => {
  const file = berkeleyDatabase(HEADERS)
  for (const length of [0, 100, PAGE, file.length - 1])
    expect(() => [...berkeleyHeaders(file.subarray(0, length))]).toThrow(UnreadableDatabase)
})
