/** A report as GitHub Flavored Markdown. */
import { formatBytes } from '../text/format.ts'
import { fixMarkdown } from './advice-markdown.ts'
import { savingsSentence } from './advice-text.ts'
import { markdownCode } from './escape.ts'
import {
  figuresOf,
  largestFilesTable,
  layerTable,
  placeOf,
  type ReportView,
  warningsOf,
  worstOf,
} from './report-view.ts'
import { markdownTable } from './table.ts'

export function reportMarkdown(view: ReportView): string {
  const { report, advice } = view
  const { image } = report
  const largest = largestFilesTable(report)
  const warnings = warningsOf(report)
  const lines = [
    `### ${markdownCode(image.reference)}`,
    '',
    `${markdownCode(image.platform)}, ${markdownCode(image.digest)}`,
    '',
    ...markdownTable({
      columns: [
        { title: '', align: 'left' },
        { title: '', align: 'right' },
      ],
      rows: figuresOf(report).map(([name, value]) => ({ cells: [[name], [value]] })),
    }),
    '',
    ...markdownTable(layerTable(report.layers)),
    ...(largest.rows.length === 0 ? [] : ['', ...markdownTable(largest)]),
    '',
    `**${savingsSentence(advice)}**`,
    '',
    ...worstOf(advice).flatMap((item) => [
      `* ${formatBytes(item.bytes)}: ${item.title}${placeOf(item)}. ${fixMarkdown(item.fix)}`,
    ]),
    ...(warnings.length === 0 ? [] : ['', 'Warnings:', '']),
    ...warnings.map(({ what, path }) => `* ${what}${path === '' ? '' : `: ${markdownCode(path)}`}`),
  ]
  return `${lines.join('\n')}\n`
}
