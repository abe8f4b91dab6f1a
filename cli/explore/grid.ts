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
      this.#cut(at, y)
      this.#cut(at + cluster.columns, y)
      for (let i = 0; i < cluster.columns; i++) {
        this.#texts[y * columns + at + i] = i === 0 ? cluster.text : REST
        this.#styles[y * columns + at + i] = style
      }
      at += cluster.columns
    }
    return at
  }

  /** A wide character across the left edge of a cell becomes spaces. */
  #cut(x: number, y: number): void {
    const { columns } = this.size
    if (x >= columns || this.text(x, y) !== REST) return
    let start = x
    while (this.text(start, y) === REST) start--
    let end = x
    while (end < columns && this.text(end, y) === REST) end++
    this.#texts.fill(' ', y * columns + start, y * columns + end)
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
const CLEAR = `${ESC}K`
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
  if (isSameLine(from, to, y)) return ''
  if (isUnsure(from, y) || isUnsure(to, y)) return wholeLine(to, y)
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
    else parts.push(goTo(x, y))
    const cell = to.style(x, y)
    if (cell !== style) parts.push(styled(cell))
    style = cell
    parts.push(to.text(x, y))
    x += columnsAt(to, x, y)
    at = x
  }
  if (style !== '') parts.push(styled(''))
  if (clears) parts.push(at === end ? CLEAR : `${goTo(end, y)}${CLEAR}`)
  return parts.join('')
}

/** Terminals disagree about the width of some clusters: what is under them is cleared, and the column set again behind them. */
function wholeLine(grid: Grid, y: number): string {
  const { columns } = grid.size
  const end = lastInk(grid, y) + 1
  const parts = [goTo(0, y)]
  let style: Style = ''
  for (let x = 0; x < end; ) {
    const cell = grid.style(x, y)
    if (cell !== style) parts.push(styled(cell))
    style = cell
    const text = grid.text(x, y)
    const width = columnsAt(grid, x, y)
    if (isSure(text)) parts.push(text)
    else parts.push(' '.repeat(width), goTo(x, y), text, x + width < columns ? goTo(x + width, y) : '')
    x += width
  }
  if (style !== '') parts.push(styled(''))
  if (end < columns) parts.push(CLEAR)
  return parts.join('')
}

function goTo(x: number, y: number): string {
  return `${ESC}${y + 1};${x + 1}H`
}

function styled(style: Style): string {
  return style === '' ? `${ESC}0m` : `${ESC}0;${style}m`
}

/** Of the cluster that begins there. */
function columnsAt(grid: Grid, x: number, y: number): number {
  let width = 1
  while (x + width < grid.size.columns && grid.text(x + width, y) === REST) width++
  return width
}

function isSameLine(from: Grid, to: Grid, y: number): boolean {
  for (let x = 0; x < to.size.columns; x++) if (!isSame(from, to, x, y)) return false
  return true
}

function isUnsure(grid: Grid, y: number): boolean {
  for (let x = 0; x < grid.size.columns; x++) if (!isSure(grid.text(x, y))) return true
  return false
}

/** Whether all terminals agree about its width. */
function isSure(text: string): boolean {
  return text === REST || (text.length === 1 && (text <= '\u02ff' || SURE.test(text)))
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
