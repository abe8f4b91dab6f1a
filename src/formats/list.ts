/** Long lists as tables, written as they are read: for a terminal and in Markdown. */
import { terminalLine, terminalText } from './escape.ts'
import {
  endFitted,
  fitted,
  markdownPieces,
  markdownTable,
  type Piece,
  type PlainRow,
  plainText,
  type TableColumn,
  type TextStyle,
  textLayout,
} from './table.ts'

export type ListTable<Item> = {
  readonly columns: readonly TableColumn[]
  /** An item may take several lines. */
  readonly rows: (item: Item) => readonly PlainRow[]
  /** Shown for an empty list: `Nothing is wasted.` */
  readonly empty: string
}

export type ListHeading = {
  /** What the list is about: an image. */
  readonly subject: string
  /** The summary: `101 MB wasted by 12 files`. */
  readonly total: readonly Piece[]
}

type Batches<Item> = AsyncIterable<readonly Item[]>

/** How many rows decide the widths of the columns; later rows are fitted to them. */
const SAMPLE_ROWS = 500
const WIDTH = 80
const BOLD = '\x1b[1m'
const RESET = '\x1b[0m'

/** @param more said in the end, where the list goes on */
export async function* listText<Item>(
  { subject, total }: ListHeading,
  batches: Batches<Item>,
  { columns, rows, empty }: ListTable<Item>,
  { colour, width = WIDTH, more }: TextStyle & { readonly more?: string | undefined },
): AsyncGenerator<string> {
  const summary = endFitted(plainText(total), width)
  // Sent with the first rows: an error before them is still answered as a problem.
  let before = toText([fitted(terminalText(subject), width), colour ? `${BOLD}${summary}${RESET}` : summary])
  let layout: ReturnType<typeof textLayout> | undefined
  for await (const batch of sampled(batches)) {
    const shown = batch.flatMap(rows)
    if (shown.length === 0) continue
    if (layout === undefined) {
      layout = textLayout(columns, shown, { colour, width })
      const [head] = layout.head
      if (head !== undefined) before += toText(['', colour ? `${BOLD}${head}${RESET}` : head])
    }
    yield before + toText(layout.lines(shown))
    before = ''
  }
  if (layout === undefined) yield before + toText([empty])
  else if (more !== undefined) yield toText([more])
}

export async function* listMarkdown<Item>(
  { subject, total }: ListHeading,
  batches: Batches<Item>,
  { columns, rows, empty }: ListTable<Item>,
  more?: string,
): AsyncGenerator<string> {
  let before = `### ${markdownPieces(total)}\n\n${markdownPieces([{ name: subject }])}\n\n`
  let isEmpty = true
  for await (const batch of batches) {
    const lines = markdownTable({ columns, rows: batch.flatMap(rows) })
    if (lines.length === 2) continue
    yield `${before}${(isEmpty ? lines : lines.slice(2)).join('\n')}\n`
    before = ''
    isEmpty = false
  }
  if (isEmpty) yield `${before}${empty}\n`
  else if (more !== undefined) yield `\n${more}\n`
}

/** The first batch contains all rows that decide the widths. */
async function* sampled<Item>(batches: Batches<Item>): AsyncGenerator<readonly Item[]> {
  let first: readonly Item[] | undefined = []
  for await (const batch of batches) {
    if (first === undefined) yield batch
    else {
      first = [...first, ...batch]
      if (first.length < SAMPLE_ROWS) continue
      yield first
      first = undefined
    }
  }
  if (first !== undefined) yield first
}

function toText(lines: readonly string[]): string {
  return lines.map((line) => `${terminalLine(line)}\n`).join('')
}
