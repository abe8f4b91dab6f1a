/** A table's shape: the column of each property of a row, and the sort order of the rows. */

import type { PathKey } from '../text/path.ts'
import type { Column, PageSink, PageSource, Part, Values } from './column.ts'
import type { PageRows } from './parquet/page.ts'
import { type ViewRow, viewsOf } from './row-view.ts'

/** The column of each property of a row, in the order of the file. */
export type Columns<Row> = { readonly [Name in keyof Row]-?: Column<Row[Name]> }

/** A column, bound to the property that it stores. */
export type Field<Row> = {
  readonly name: keyof Row
  readonly parts: readonly Part[]
  /** Number of its first part among all parts of the table. */
  readonly firstPart: number
  encode(rows: readonly Row[], sink: PageSink): void
  decode(source: PageSource): Values<unknown>
  /** Bytes that a row adds under this column; undefined if they are always the same. */
  readonly weigh: ((row: Row) => number) | undefined
}

export type Schema<Row> = {
  readonly fields: readonly Field<Row>[]
  readonly parts: readonly Part[]
  /** What rows are sorted by; undefined for tables in an order other than by path. */
  readonly sortKey: ((row: Row) => PathKey) | undefined
  readonly viewRow: ViewRow<Row>
}

/**
 * @param options.sortKey the key that rows are sorted by, for tables in which subtrees are looked up. Rows with equal keys stay
 *   in the order in which they are written.
 * @example const sizes = defineSchema<{ key: PathKey; bytes: number }>( { key: path('path'), bytes: int64('bytes') }, {
 *   sortKey: (row) => row.key }, )
 */
export function defineSchema<Row>(
  columns: Columns<Row>,
  options: { readonly sortKey?: (row: Row) => PathKey } = {},
): Schema<Row> {
  const fields: Field<Row>[] = []
  const parts: Part[] = []
  for (const name in columns) {
    fields.push(bind(name, columns[name], parts.length))
    parts.push(...columns[name].parts)
  }
  const viewRow = viewsOf<Row>(fields.map((field) => field.name))
  return { fields, parts, sortKey: options.sortKey, viewRow }
}

function bind<Row, Name extends keyof Row>(
  name: Name,
  column: Column<Row[Name]>,
  firstPart: number,
): Field<Row> {
  const { parts, weigh } = column
  return {
    name,
    parts,
    firstPart,
    encode(rows, sink) {
      const all: PageRows = { count: rows.length }
      column.encode(
        rows.map((row) => row[name]),
        all,
        sink,
      )
    },
    decode: (source) => column.decode(source),
    weigh: weigh === undefined ? undefined : (row) => weigh(row[name]),
  }
}
