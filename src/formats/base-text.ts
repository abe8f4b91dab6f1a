/** What an image stands on, for a terminal. */
import type { BaseReport } from '../base/base.ts'
import { viewBase } from './base-view.ts'
import { terminalLine } from './escape.ts'
import { fitted, plainText, type TextStyle, textTable, wrapped } from './table.ts'

const WIDTH = 80
const BOLD = '\x1b[1m'
const RESET = '\x1b[0m'

export function baseText(
  report: BaseReport,
  { colour, width = WIDTH }: TextStyle = { colour: false },
): string {
  const { title, headline, parts, notes, alternatives, warnings } = viewBase(report)
  const wrappedHeadline = wrapped(plainText(headline), width)
  const lines = [
    fitted(plainText(title), width),
    ...(colour ? wrappedHeadline.map((line) => `${BOLD}${line}${RESET}`) : wrappedHeadline),
    '',
    ...textTable(parts, { colour: false, width }),
    ...notes.flatMap((note) => wrapped(plainText(note), width)),
    ...(alternatives === undefined ? [] : ['', ...textTable(alternatives, { colour, width })]),
    ...(warnings.length === 0 ? [] : ['', ...warnings.flatMap((one) => wrapped(plainText(one), width))]),
  ]
  return lines.map((line) => `${terminalLine(line.trimEnd())}\n`).join('')
}
