/** A diff for a terminal. */
import type { Diff } from '../diff/summary.ts'
import { viewDiff } from './diff-view.ts'
import { terminalLine, terminalText } from './escape.ts'
import type { Piece, Row, Sign, Table } from './table.ts'

const MAX_ROWS = 40
/** Wider cells push what follows to the right rather than all rows. */
const MAX_WIDTH = 60

const RESET = '\x1b[0m'
const COLOURS: Readonly<Record<Sign, string>> = { '+': '\x1b[31m', '-': '\x1b[32m', '~': '\x1b[33m' }

export type TextStyle = {
  /** ANSI codes: red for what came or grew, green for what went or shrank. */
  readonly colour: boolean
}

export function diffText(diff: Diff, { colour }: TextStyle = { colour: false }): string {
  const { from, to, headline, figures, reasons, tables } = viewDiff(diff)
  const lines = [
    `${plain([from])} → ${plain([to])}`,
    headline,
    ...(figures.rows.every(({ sign }) => sign === '~') ? [] : ['', ...aligned(figures, colour)]),
    ...(reasons.length === 0 ? [] : ['', ...reasons.map(plain)]),
    ...tables.flatMap((table) => ['', table.title, ...aligned(table, colour), ...left(table)]),
  ]
  return lines.map((line) => `${terminalLine(line)}\n`).join('')
}

function aligned({ columns, rows }: Table, colour: boolean): string[] {
  const shown = rows.slice(0, MAX_ROWS)
  const titles = columns.map(({ title }) => plain([title]))
  const cells = shown.map((row) => row.cells.map(plain))
  const widths = columns.map((_, i) =>
    Math.min(MAX_WIDTH, Math.max(...[titles, ...cells].map((texts) => lengthOf(texts[i] ?? '')))),
  )
  const line = (texts: readonly string[]): string =>
    texts
      .map((text, i) => pad(text, widths[i] ?? 0, columns[i]?.align ?? 'left'))
      .join('  ')
      .trimEnd()
  return [`  ${line(titles)}`, ...shown.map((row, i) => `  ${coloured(line(cells[i] ?? []), row, colour)}`)]
}

function coloured(line: string, { sign }: Row, colour: boolean): string {
  return colour ? `${COLOURS[sign]}${line}${RESET}` : line
}

function left({ rows, noun }: Table): string[] {
  return rows.length > MAX_ROWS ? [`  … and ${rows.length - MAX_ROWS} more ${noun}`] : []
}

function pad(text: string, width: number, align: 'left' | 'right'): string {
  const padding = ' '.repeat(Math.max(0, width - lengthOf(text)))
  return align === 'left' ? text + padding : padding + text
}

/** In characters, which are columns for most of what images hold. */
function lengthOf(text: string): number {
  return Array.from(text).length
}

function plain(pieces: readonly Piece[]): string {
  return pieces.map((piece) => (typeof piece === 'string' ? piece : terminalText(piece.name))).join('')
}
