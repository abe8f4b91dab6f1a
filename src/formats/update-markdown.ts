/** What an update costs, and a series of updates, as GitHub Flavored Markdown. */
import type { Updates } from '../update/series.ts'
import type { Update } from '../update/update.ts'
import { fixMarkdown } from './advice-markdown.ts'
import { markdownPieces, markdownTable, type PlainTable } from './table.ts'
import { viewUpdate, viewUpdates } from './update-view.ts'

/** More rows make no comment better. */
const MAX_ROWS = 50

export function updateMarkdown(update: Update): string {
  const { from, to, headline, figures, notes, causes, layers } = viewUpdate(update)
  return toMarkdown([
    `### ${markdownPieces([from])} → ${markdownPieces([to])}`,
    '',
    `**${headline}**`,
    ...(update.pull.layers === 0 ? [] : ['', ...tableOf(figures)]),
    ...notes.flatMap((note) => ['', note]),
    ...(causes.length === 0
      ? []
      : ['', ...causes.map(({ bytes, what, fix }) => `* ${bytes}: ${what}. ${fixMarkdown(fix)}`)]),
    ...(layers.rows.length === 0 ? [] : ['', ...tableOf(layers)]),
  ])
}

export function updatesMarkdown(updates: Updates): string {
  const { headline, steps, skipped, plan } = viewUpdates(updates)
  return toMarkdown([
    `### ${headline}`,
    '',
    ...tableOf(steps),
    ...(skipped.length === 0 ? [] : ['', ...skipped.map((pieces) => `* Skipped ${markdownPieces(pieces)}`)]),
    ...plan.sentences.flatMap((sentence) => ['', sentence]),
    ...(plan.layers === undefined ? [] : ['', ...tableOf(plan.layers)]),
  ])
}

function tableOf(table: PlainTable): readonly string[] {
  const { columns, rows } = table
  const more = rows.length > MAX_ROWS ? ['', `… and ${rows.length - MAX_ROWS} more`] : []
  return [...markdownTable({ columns, rows: rows.slice(0, MAX_ROWS) }), ...more]
}

function toMarkdown(lines: readonly string[]): string {
  return `${lines.join('\n')}\n`
}
