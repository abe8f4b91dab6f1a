/** A diff as GitHub Flavored Markdown: a comment on a pull request. */
import type { Diff } from '../diff/summary.ts'
import { type DiffView, viewDiff } from './diff-view.ts'
import { markdownCode } from './escape.ts'
import type { Piece, Row, Table } from './table.ts'

/** Below GitHub's 65,536, which counts characters, with room for the line that tells what was cut. */
const MAX_BYTES = 64_000
/** So that no table leaves nothing for the others. */
const MAX_TABLE_BYTES = 16_000
const MAX_ROWS = 50

/** @returns less than 65,536 bytes */
export function diffMarkdown(diff: Diff): string {
  const view = viewDiff(diff)
  let text = head(view)
  const cut: string[] = []
  for (const table of view.tables) {
    const room = Math.min(MAX_TABLE_BYTES, MAX_BYTES - Buffer.byteLength(text))
    const { rows, shown } = takeRows(table, room)
    if (shown > 0) text += collapsed(table, rows)
    if (shown < table.rows.length)
      cut.push(`${table.rows.length - shown} of ${table.rows.length} ${table.noun}`)
  }
  return cut.length === 0 ? text : `${text}\nCut to fit into a comment: ${cut.join(', ')}.\n`
}

function head({ from, to, headline, figures, reasons }: DiffView): string {
  const lines = [
    `### ${markdown([from])} → ${markdown([to])}`,
    '',
    `**${headline}**`,
    '',
    ...header(figures),
    ...figures.rows.map(row),
    '',
    ...reasons.map((reason) => `- ${markdown(reason)}`),
  ]
  return `${lines.join('\n').trimEnd()}\n`
}

function takeRows(table: Table, room: number): { readonly rows: readonly string[]; readonly shown: number } {
  const rows: string[] = []
  let left = room - Buffer.byteLength(collapsed(table, []))
  for (const next of table.rows.slice(0, MAX_ROWS).map(row)) {
    left -= Buffer.byteLength(next) + 1
    if (left < 0) break
    rows.push(next)
  }
  return { rows, shown: rows.length }
}

function collapsed(table: Table, rows: readonly string[]): string {
  const lines = [
    '',
    `<details><summary>${table.title}</summary>`,
    '',
    ...header(table),
    ...rows,
    '',
    '</details>',
    '',
  ]
  return lines.join('\n')
}

function header({ columns }: Table): string[] {
  const titles = columns.map(({ title }) => markdown([title]))
  const rules = columns.map(({ align }) => (align === 'right' ? '---:' : '---'))
  return [`| ${titles.join(' | ')} |`, `| ${rules.join(' | ')} |`]
}

function row({ cells }: Row): string {
  return `| ${cells.map(markdown).join(' | ')} |`
}

function markdown(pieces: readonly Piece[]): string {
  return pieces.map((piece) => (typeof piece === 'string' ? piece : markdownCode(piece.name))).join('')
}
