/** A diff for a terminal. */
import type { Diff } from '../diff/summary.ts'
import { viewDiff } from './diff-view.ts'
import { terminalLine } from './escape.ts'
import { fitted, lengthOf, plainText, type Table, type TextStyle, textTable, wrapped } from './table.ts'

const MAX_ROWS = 40
const WIDTH = 80
const INDENT = '  '

export function diffText(diff: Diff, { colour, width = WIDTH }: TextStyle = { colour: false }): string {
  const { from, to, headline, figures, reasons, tables } = viewDiff(diff)
  const table = (shown: Table) =>
    textTable(
      { columns: shown.columns, rows: shown.rows.slice(0, MAX_ROWS) },
      { colour, width: width - INDENT.length },
    ).map((line) => INDENT + line)
  const lines = [
    ...between(plainText([from]), plainText([to]), width),
    ...wrapped(headline, width),
    ...(figures.rows.every(({ sign }) => sign === '~') ? [] : ['', ...table(figures)]),
    ...(reasons.length === 0 ? [] : ['', ...reasons.flatMap((reason) => wrapped(plainText(reason), width))]),
    ...tables.flatMap((one) => ['', one.title, ...table(one), ...left(one)]),
  ]
  return lines.map((line) => `${terminalLine(line)}\n`).join('')
}

/** Both images on one line, or on two if they are long. */
function between(from: string, to: string, width: number): readonly string[] {
  const line = `${from} → ${to}`
  return lengthOf(line) <= width ? [line] : [fitted(from, width), fitted(`→ ${to}`, width)]
}

function left({ rows, noun }: Table): string[] {
  return rows.length > MAX_ROWS ? [`${INDENT}… and ${rows.length - MAX_ROWS} more ${noun}`] : []
}
