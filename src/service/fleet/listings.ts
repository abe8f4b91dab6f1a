/** Tables as lists, in their own order or largest first. */

import { Problem } from '../../problem.ts'
import { Largest } from '../../table/largest.ts'
import { WHOLE_FETCH_BYTES } from '../images/image-tables.ts'

/** Where a page begins, as the previous page said. */
export type Position = number | string

export type ListPage<Item = unknown> = {
  readonly items: readonly Item[]
  readonly next?: Position | undefined
}

/** A list that can be read whole, or from the beginning of any page; its items are ready to be shown. */
export interface Listing<Item = unknown> {
  /** @throws Problem `invalid_parameter` if `at` is not a position of this list */
  page(at: Position | undefined, limit: number): Promise<ListPage<Item>>
  all(): AsyncIterable<readonly Item[]>
}

/** A problem: the position belongs to another list. */
export function otherList(): Problem {
  return new Problem('invalid_parameter', 'cursor belongs to another list; start again without it', {
    parameter: 'cursor',
  })
}

export type Rows<Row, Item = unknown> = {
  /** Rows from this one on, in the table's order. Fetches `fetchBytes` at once, by default as few as a page needs. */
  readonly from: (start: number, fetchBytes?: number) => AsyncIterable<readonly Row[]>
  /** Lists only rows that pass this filter. */
  readonly keeps?: ((row: Row) => boolean) | undefined
  readonly show: (row: Row) => Item
}

/** Of a whole list: a row takes little memory until it is shown, and what lives short is collected for little. */
const SHOWN_AT_ONCE = 500

/** In the table's order; a position is a row number. */
export function inOrder<Row, Item>({ from, keeps, show }: Rows<Row, Item>): Listing<Item> {
  return {
    async page(at: Position = 0, limit) {
      if (typeof at !== 'number') throw otherList()
      const items: Item[] = []
      let row = at
      for await (const batch of from(at)) {
        for (const one of batch) {
          if (keeps === undefined || keeps(one)) {
            if (items.length === limit) return { items, next: row }
            items.push(show(one))
          }
          row++
        }
      }
      return { items }
    },
    async *all() {
      for await (const batch of from(0, WHOLE_FETCH_BYTES)) {
        for (let at = 0; at < batch.length; at += SHOWN_AT_ONCE) {
          const rows = batch.slice(at, at + SHOWN_AT_ONCE)
          yield (keeps === undefined ? rows : rows.filter(keeps)).map(show)
        }
      }
    },
  }
}

/** How many items are sorted at once for a whole list. */
const SORTED_AT_ONCE = 20_000

/**
 * Largest weight first; items of equal weight in the table's order. Each page reads the table again and holds only its own
 * items, so memory does not grow with the table; a position is the last item's weight and row.
 */
export function largestFirst<Row, Item>(
  { from, keeps, show }: Rows<Row, Item>,
  weigh: (row: Row) => number,
): Listing<Item> {
  const page = async (at: Position | undefined, limit: number): Promise<ListPage<Item>> => {
    const after = at === undefined ? undefined : parsePosition(at)
    const largest = new Largest<Item>(limit + 1)
    let row = -1
    for await (const batch of from(0, WHOLE_FETCH_BYTES)) {
      for (const one of batch) {
        row++
        const weight = weigh(one)
        if (after !== undefined && !follows(weight, row, after)) continue
        if (keeps === undefined || keeps(one)) largest.add(weight, row, () => show(one))
      }
    }
    const sorted = largest.sorted()
    const items = sorted.slice(0, limit).map(({ item }) => item)
    const last = sorted[limit - 1]
    return sorted.length <= limit || last === undefined
      ? { items }
      : { items, next: `${last.weight},${last.ordinal}` }
  }
  return {
    page,
    async *all() {
      let at: Position | undefined
      do {
        const { items, next }: ListPage<Item> = await page(at, SORTED_AT_ONCE)
        yield items
        at = next
      } while (at !== undefined)
    },
  }
}

type Rank = readonly [weight: number, row: number]

function parsePosition(at: Position): Rank {
  const [, weight, row] = /^(\d{1,16}),(\d{1,16})$/.exec(String(at)) ?? []
  if (weight === undefined || row === undefined) throw otherList()
  return [Number(weight), Number(row)]
}

function follows(weight: number, row: number, [lastWeight, lastRow]: Rank): boolean {
  return weight !== lastWeight ? weight < lastWeight : row > lastRow
}
