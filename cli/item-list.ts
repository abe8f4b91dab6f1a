/** Lists that this program makes itself, in the forms that the service's lists have. */

import { csvHeader, csvItem } from '../src/formats/csv.ts'
import { type ListHeading, type ListTable, listMarkdown, listText } from '../src/formats/list.ts'
import type { TextStyle } from '../src/formats/table.ts'
import { toJson } from '../src/text/json.ts'

export type ItemList<Item> = {
  readonly heading: ListHeading
  readonly items: readonly Item[]
  /** Columns of CSV. */
  readonly fields: readonly string[]
  readonly table: ListTable<Item>
}

export async function* itemList<Item extends Readonly<Record<string, unknown>>>(
  { heading, items, fields, table }: ItemList<Item>,
  format: string,
  style: TextStyle,
): AsyncGenerator<string> {
  switch (format) {
    case 'json':
      yield `${toJson({ items })}\n`
      return
    case 'ndjson':
      for (const item of items) yield `${toJson(item)}\n`
      return
    case 'csv':
      yield csvHeader(fields)
      for (const item of items) yield csvItem(fields, item)
      return
    case 'markdown':
      yield* listMarkdown(heading, batchOf(items), table)
      return
    default:
      yield* listText(heading, batchOf(items), table, style)
  }
}

async function* batchOf<Item>(items: readonly Item[]): AsyncGenerator<readonly Item[]> {
  yield items
}
