/** The changed paths one by one: `/v1/diff/files`, in resumable pages or as a whole. */

import { Problem } from '../problem.ts'
import { Largest } from '../table/largest.ts'
import { showPath } from '../text/path.ts'
import {
  type Change,
  type ChangeKind,
  type FileChange,
  fromBytes,
  type JoinedRow,
  showChange,
  toBytes,
} from './change.ts'
import { joinRows } from './join.ts'

/** A merged table's rows in path order, from row `start` on, with at least the `JOINED_COLUMNS`. */
export type OpenRows = (start: number) => AsyncIterable<readonly JoinedRow[]>

export type Tables = { readonly from: OpenRows; readonly to: OpenRows }

export type ChangeOrder = 'path' | '-delta'

export type ChangeFilter = {
  readonly change?: ChangeKind | undefined
  /** A test of the path as shown; see `compileGlobs`. */
  readonly glob?: ((path: string) => boolean) | undefined
}

export type ChangeQuery = { readonly filter: ChangeFilter; readonly sort: ChangeOrder }

export type ChangePage = {
  readonly items: readonly FileChange[]
  /** Where the next page begins, in this order and with this filter; absent on the last page. */
  readonly next?: string
}

/** How many changes are sorted at once for a whole list by size. */
const SORTED_AT_ONCE = 20_000

/**
 * One page.
 *
 * @param limit items, at least 1; memory grows with it, not with the number of changes
 * @param position the `next` of the previous page
 * @throws Problem `invalid_parameter` if `position` is invalid
 */
export function pageChanges(
  tables: Tables,
  query: ChangeQuery,
  { limit, position }: { readonly limit: number; readonly position?: string | undefined },
): Promise<ChangePage> {
  const at = position === undefined ? undefined : parsePosition(position)
  return query.sort === 'path'
    ? pageByPath(tables, query.filter, limit, at ?? [0, 0])
    : pageByDelta(tables, query.filter, limit, at)
}

/** All of them, in batches. */
export async function* streamChanges(
  tables: Tables,
  { filter, sort }: ChangeQuery,
): AsyncGenerator<readonly FileChange[], void, undefined> {
  if (sort === 'path') {
    for await (const { changes } of joinRows(rowsOf(tables.from, 0), rowsOf(tables.to, 0))) {
      const items = changes.filter((change) => passes(change, filter)).map(showChange)
      if (items.length > 0) yield items
    }
    return
  }
  let page: ChangePage = await pageChanges(tables, { filter, sort }, { limit: SORTED_AT_ONCE })
  for (;;) {
    if (page.items.length > 0) yield page.items
    if (page.next === undefined) return
    page = await pageChanges(tables, { filter, sort }, { limit: SORTED_AT_ONCE, position: page.next })
  }
}

/**
 * By path: row numbers in both tables. By delta: a change's absolute delta and its position among all changes in path order.
 */
type Position = readonly [number, number]

function parsePosition(text: string): Position {
  const [, first, second] = /^(\d{1,16}),(\d{1,16})$/.exec(text) ?? []
  if (first === undefined || second === undefined) {
    throw new Problem('invalid_parameter', 'cursor belongs to another list; start again without it', {
      parameter: 'cursor',
    })
  }
  return [Number(first), Number(second)]
}

async function pageByPath(
  tables: Tables,
  filter: ChangeFilter,
  limit: number,
  [fromRow, toRow]: Position,
): Promise<ChangePage> {
  const items: FileChange[] = []
  let next = ''
  for await (const { changes } of joinRows(rowsOf(tables.from, fromRow), rowsOf(tables.to, toRow))) {
    for (const change of changes) {
      if (!passes(change, filter)) continue
      if (items.length === limit) return { items, next }
      items.push(showChange(change))
      next = `${change.fromRow},${change.toRow}`
    }
  }
  return { items }
}

/** The changes are read again for each page: the largest of those after the position. */
async function pageByDelta(
  tables: Tables,
  filter: ChangeFilter,
  limit: number,
  after: Position | undefined,
): Promise<ChangePage> {
  const largest = new Largest<FileChange>(limit + 1)
  let ordinal = -1
  for await (const { changes } of joinRows(rowsOf(tables.from, 0), rowsOf(tables.to, 0))) {
    for (const change of changes) {
      ordinal++
      const weight = Math.abs(toBytes(change) - fromBytes(change))
      if (after !== undefined && !follows(weight, ordinal, after)) continue
      if (passes(change, filter)) largest.add(weight, ordinal, () => showChange(change))
    }
  }
  const sorted = largest.sorted()
  const items = sorted.slice(0, limit).map(({ item }) => item)
  const last = sorted[limit - 1]
  return sorted.length <= limit || last === undefined
    ? { items }
    : { items, next: `${last.weight},${last.ordinal}` }
}

function follows(weight: number, ordinal: number, [lastWeight, lastOrdinal]: Position): boolean {
  return weight !== lastWeight ? weight < lastWeight : ordinal > lastOrdinal
}

function rowsOf(open: OpenRows, start: number) {
  return { batches: open(start), start }
}

function passes(change: Change, { change: kind, glob }: ChangeFilter): boolean {
  if (kind !== undefined && kind !== change.kind) return false
  return glob === undefined || glob(showPath(change.key).path)
}
