/** A screen as cells, and what must be written to make one of another. */
import { clustersOf } from './clusters.ts'

/** Parameters of SGR: `1;34`; empty for plain text. */
export type Style = string

export type Size = { readonly columns: number; readonly rows: number }

/** The second cell of a wide character. */
const REST = ''

export class Grid {
  readonly size: Size
  readonly #texts: string[]
  readonly #styles: Style[]
  /** Where the cursor is shown, if it is. */
  cursor: { readonly x: number; readonly y: number } | undefined

  constructor(size: Size) {
    this.size = size
    this.#texts = new Array<string>(size.columns * size.rows).fill(' ')
    this.#styles = new Array<Style>(size.columns * size.rows).fill('')
  }

  text(x: number, y: number): string {
    return this.#texts[y * this.size.columns + x] ?? ' '
  }

  style(x: number, y: number): Style {
    return this.#styles[y * this.size.columns + x] ?? ''
  }

  /**
   * Writes text, cut at the end of the line.
   *
   * @param text without control characters
   * @returns the column behind it
   */
  put({ x, y }: { readonly x: number; readonly y: number }, text: string, style: Style = ''): number {
    const { columns, rows } = this.size
    if (y < 0 || y >= rows) return x
    let at = x
    for (const cluster of clustersOf(text)) {
      if (at + cluster.columns > columns) break
      for (let i = 0; i < cluster.columns; i++) {
        this.#texts[y * columns + at + i] = i === 0 ? cluster.text : REST
        this.#styles[y * columns + at + i] = style
      }
      at += cluster.columns
    }
    return at
  }

  /** Gives cells another look. */
  paint(
    { x, y, columns }: { readonly x: number; readonly y: number; readonly columns: number },
    style: Style,
  ): void {
    for (let at = x; at < Math.min(x + columns, this.size.columns); at++)
      this.#styles[y * this.size.columns + at] = style
  }

  /** The lines as text, without spaces at the end. */
  lines(): readonly string[] {
    const { columns, rows } = this.size
    return Array.from({ length: rows }, (_, y) =>
      this.#texts
        .slice(y * columns, (y + 1) * columns)
        .join('')
        .trimEnd(),
    )
  }
}

const ESC = '\x1b['
const MOST_PLAIN = 4

/** What makes the screen `to` of one that shows `from`; of an unknown one if that is undefined or has another size. */
export function difference(from: Grid | undefined, to: Grid): string {
  const { columns, rows } = to.size
  const isKnown = from !== undefined && from.size.columns === columns && from.size.rows === rows
  const before = isKnown ? from : new Grid(to.size)
  const parts: string[] = isKnown ? [] : [`${ESC}0m${ESC}2J`]
  for (let y = 0; y < rows; y++) {
    const line = lineDifference(before, to, y)
    if (line !== '') parts.push(line)
  }
  return parts.join('')
}

function isSame(from: Grid, to: Grid, x: number, y: number): boolean {
  return from.text(x, y) === to.text(x, y) && from.style(x, y) === to.style(x, y)
}

/** What differs in a line; a few equal cells between are written again, since to jump over them takes as much. */
function lineDifference(from: Grid, to: Grid, y: number): string {
  const { columns } = to.size
  const end = lastInk(to, y) + 1
  const clears = end < columns && lastInk(from, y) >= end
  const parts: string[] = []
  let style: Style = ''
  let at = -1
  for (let x = 0; x < end; ) {
    if (isSame(from, to, x, y) && !startsBroken(from, to, x, y)) {
      x++
      continue
    }
    // From the first cell of a wide character on.
    while (x > 0 && to.text(x, y) === REST) x--
    if (at >= 0 && x - at <= MOST_PLAIN && x >= at) x = at
    else parts.push(`${ESC}${y + 1};${x + 1}H`)
    const cell = to.style(x, y)
    if (cell !== style) parts.push(cell === '' ? `${ESC}0m` : `${ESC}0;${cell}m`)
    style = cell
    const text = to.text(x, y)
    parts.push(text)
    x++
    while (x < columns && to.text(x, y) === REST) x++
    // Terminals disagree about the width of some clusters.
    at = x
    // Terminals disagree about the width of some clusters: the column is set again behind them.
    const isSure = text.length === 1 && (text <= '\u02ff' || SURE.test(text))
    if (!isSure && x < columns) parts.push(`${ESC}${y + 1};${x + 1}H`)
  }
  if (style !== '') parts.push(`${ESC}0m`)
  if (clears) parts.push(at === end ? `${ESC}K` : `${ESC}${y + 1};${end + 1}H${ESC}K`)
  return parts.join('')
}

/** A wide character of the old screen that the new one cuts in halves. */
function startsBroken(from: Grid, to: Grid, x: number, y: number): boolean {
  return from.text(x, y) === REST && to.text(x, y) !== REST
}

const SURE = /^[\u2500-\u259f\u2026\u2190-\u2193\u3041-\u30ff\u4e00-\u9fff\uac00-\ud7a3]$/

/** The last column with text or a style; -1 in an empty row. */
function lastInk(grid: Grid, y: number): number {
  let x = grid.size.columns - 1
  while (x >= 0 && grid.text(x, y) === ' ' && grid.style(x, y) === '') x--
  return x
}
