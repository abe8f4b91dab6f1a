/** The order of what is in a folder. */
import type { Listing } from './listing.ts'

export const SORTS = ['size', 'name', 'files', 'time'] as const
export type Sort = (typeof SORTS)[number]

export type Order = { readonly sort: Sort; readonly isReversed: boolean }

export const LARGEST_FIRST: Order = { sort: 'size', isReversed: false }

/** What decides: figures of a listing, or of what a filter keeps of it. */
export type Figures = Pick<Listing, 'bytes' | 'files' | 'time'>

/** @param rows in path order, which decides between equals */
export function sorted(rows: Int32Array, { sort, isReversed }: Order, figures: Figures): Int32Array {
  const weight = { size: figures.bytes, files: figures.files, time: figures.time, name: () => 0 }[sort]
  const weights = Float64Array.from(rows, (row) => weight.call(figures, row))
  const places = Int32Array.from(rows.keys())
  places.sort((a, b) => (weights[b] ?? 0) - (weights[a] ?? 0) || a - b)
  const inOrder = places.map((place) => rows[place] ?? 0)
  return isReversed ? inOrder.reverse() : inOrder
}
