/** What an image stands on, as GitHub Flavored Markdown. */
import type { BaseReport } from '../base/base.ts'
import { viewBase } from './base-view.ts'
import { markdownPieces, markdownTable } from './table.ts'

export function baseMarkdown(report: BaseReport): string {
  const { title, headline, parts, notes, alternatives, warnings } = viewBase(report)
  const lines = [
    `### ${markdownPieces(title)}`,
    '',
    `**${markdownPieces(headline)}**`,
    '',
    ...markdownTable(parts),
    ...notes.flatMap((note) => ['', markdownPieces(note)]),
    ...(alternatives === undefined ? [] : ['', ...markdownTable(alternatives)]),
    ...(warnings.length === 0 ? [] : ['', ...warnings.map((warning) => `* ${markdownPieces(warning)}`)]),
  ]
  return `${lines.join('\n')}\n`
}
