import fc from 'fast-check'
import { expect, test } from 'vitest'
import { inOrder, type Listing, largestFirst, type Position, type Rows } from './listings.ts'

type Row = { readonly id: number; readonly bytes: number }

/** In batches of three, the way a table returns them. */
function rowsOf(table: readonly Row[], keeps?: (row: Row) => boolean): Rows<Row> {
  return {
    async *from(start) {
      for (let at = start; at < table.length; at += 3) yield table.slice(at, at + 3)
    },
    keeps,
    show: (row) => row.id,
  }
}

async function pages(listing: Listing, limit: number): Promise<unknown[][]> {
  const all: unknown[][] = []
  let at: Position | undefined
  do {
    const page = await listing.page(at, limit)
    all.push([...page.items])
    at = page.next
  } while (at !== undefined)
  return all
}

const table = fc
  .array(fc.nat({ max: 5 }), { maxLength: 20 })
  .map((sizes) => sizes.map((bytes, id) => ({ id, bytes })))
const isEven = (row: Row) => row.id % 2 === 0

test('pages of any size together are the whole list', async () => {
  await fc.assert(
    fc.asyncProperty(table, fc.integer({ min: 1, max: 8 }), async (rows, limit) => {
      const sorted = [...rows].sort((a, b) => b.bytes - a.bytes || a.id - b.id)
      for (const [listing, want] of [
        [inOrder(rowsOf(rows)), rows],
        [inOrder(rowsOf(rows, isEven)), rows.filter(isEven)],
        [largestFirst(rowsOf(rows), (row) => row.bytes), sorted],
        [largestFirst(rowsOf(rows, isEven), (row) => row.bytes), sorted.filter(isEven)],
      ] as const) {
        const ids = want.map((row) => row.id)
        const paged = await pages(listing, limit)
        expect(paged.flat()).toEqual(ids)
        expect(paged.slice(0, -1).every((page) => page.length === limit)).toBe(true)
        expect((await Array.fromAsync(listing.all())).flat()).toEqual(ids)
      }
    }),
  )
})

test('a position of another list is refused', async () => {
  const problem = { code: 'invalid_parameter', fields: { parameter: 'cursor' } }
  await expect(inOrder(rowsOf([])).page('1,2', 1)).rejects.toMatchObject(problem)
  await expect(largestFirst(rowsOf([]), () => 0).page(7, 1)).rejects.toMatchObject(problem)
})

test('rows that a table returns together are shown in small pieces, and all of them', async () => {
  const rows = Array.from({ length: 2_001 }, (_, id) => ({ id, bytes: 0 }))
  const listing = inOrder<Row, number>({
    async *from() {
      yield rows
    },
    show: (row) => row.id,
  })
  const pieces: (readonly number[])[] = []
  for await (const piece of listing.all()) pieces.push(piece)
  expect(pieces.flat()).toEqual(rows.map(({ id }) => id))
  expect(Math.max(...pieces.map((piece) => piece.length))).toBeLessThanOrEqual(500)
})
