/** What an update costs, and a series of updates, for a terminal. */
import type { Updates } from '../update/series.ts'
import type { Update } from '../update/update.ts'
import { terminalLine } from './escape.ts'
import { fitted, plainText, type TextStyle, textTable, wrapped } from './table.ts'
import { viewUpdate, viewUpdates } from './update-view.ts'

const WIDTH = 80
const INDENT = '  '
const BOLD = '\x1b[1m'
const RESET = '\x1b[0m'

export function updateText(update: Update, { colour, width = WIDTH }: TextStyle = { colour: false }): string {
  const { from, to, headline, figures, notes, causes, layers } = viewUpdate(update)
  const title = fitted(`${plainText([from])} → ${plainText([to])}`, width)
  const isPulled = update.pull.layers > 0
  return toText([
    title,
    bold(headline, colour),
    ...(isPulled ? textTable(figures, { colour: false, width }) : []),
    ...notes.flatMap((note) => wrapped(note, width)),
    ...causes.flatMap(({ bytes, what, fix }) => [
      ...wrapped(`${bytes.padStart(9)}  ${what}`, width),
      ...wrapped(fix, width, ' '.repeat(11)),
    ]),
    ...(layers.rows.length === 0 ? [] : textTable(layers, { colour, width })),
  ])
}

export function updatesText(
  updates: Updates,
  { colour, width = WIDTH }: TextStyle = { colour: false },
): string {
  const { headline, steps, skipped, plan } = viewUpdates(updates)
  return toText([
    bold(headline, colour),
    '',
    ...textTable(steps, { colour, width }),
    ...skipped.flatMap((pieces) => wrapped(`Skipped ${plainText(pieces)}`, width)),
    '',
    ...plan.sentences.flatMap((sentence) => wrapped(sentence, width)),
    ...(plan.layers === undefined
      ? []
      : textTable(plan.layers, { colour, width: width - INDENT.length }).map((line) => INDENT + line)),
  ])
}

function bold(text: string, colour: boolean): string {
  return colour ? `${BOLD}${text}${RESET}` : text
}

function toText(lines: readonly string[]): string {
  return lines.map((line) => `${terminalLine(line.trimEnd())}\n`).join('')
}
