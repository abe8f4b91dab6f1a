/** A report as GitHub Flavored Markdown. */
import { formatBytes } from '../text/format.ts'
import { fixMarkdown } from './advice-markdown.ts'
import { markdownCode } from './escape.ts'
import { contentsOf, inLayers, type ReportView } from './report-view.ts'
import { markdownTable } from './table.ts'

export function reportMarkdown(view: ReportView): string {
  const { image } = view.report
  const { verdict, items, more, figures, layers, largest, warnings } = contentsOf(view)
  const changes = [
    ...items.map(
      (item) => `* ${formatBytes(item.bytes)}: ${item.title}${inLayers(item)}. ${fixMarkdown(item.fix)}`,
    ),
    ...(more === undefined ? [] : [`* ${more}`]),
  ]
  const lines = [
    `### ${markdownCode(image.reference)}`,
    '',
    `**${verdict}**`,
    '',
    ...(changes.length === 0 ? [] : [...changes, '']),
    `${markdownCode(image.platform)}, ${markdownCode(image.digest)}`,
    '',
    ...markdownTable({
      columns: [
        { title: '', align: 'left' },
        { title: '', align: 'right' },
      ],
      rows: figures.map(([name, value]) => ({ cells: [[name], [value]] })),
    }),
    '',
    ...markdownTable(layers),
    ...(largest.rows.length === 0 ? [] : ['', ...markdownTable(largest)]),
    ...(warnings.length === 0 ? [] : ['', 'Warnings:', '']),
    ...warnings.map(({ what, path }) => `* ${what}${path === '' ? '' : `: ${markdownCode(path)}`}`),
  ]
  return `${lines.join('\n')}\n`
}
