import { expect, test } from 'vitest'
import { Listing, ROOT } from './listing.ts'
import { LARGEST_FIRST, sorted } from './order.ts'

function listingOf(times: readonly number[]): Listing {
  const listing = new Listing({ isWhole: true })
  for (const [at, time] of times.entries())
    listing.add(ROOT, { name: `${at}`, type: 'file', bytes: 1, files: 1, time })
  return listing
}

test('what is in a folder is in the order in which it was added', () => {
  const rows = Array.from({ length: 300 }, (_, at) => at)
  const listing = listingOf(rows)
  expect([...listing.children(ROOT)]).toEqual(rows.map((at) => at + 1))
  expect(listing.find('299')).toBe(300)
})

test('the newest is first, also from times that 4 bytes do not hold', () => {
  const listing = listingOf([1e9, 1e12, -1e12, 1.7e9])
  const order = { ...LARGEST_FIRST, sort: 'time' as const }
  const names = [...sorted(listing.children(ROOT), order, listing)].map((row) => listing.name(row))
  expect(names).toEqual(['1', '3', '0', '2'])
})
