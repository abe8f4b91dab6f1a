/** Advice as GitHub Flavored Markdown. */
import type { AdviceItem } from '../advice/advise.ts'
import type { Advised } from '../service/images/advice.ts'
import { formatBytes, formatCount } from '../text/format.ts'
import { filesText, viewAdvice, worthwhileItems } from './advice-view.ts'
import { excludedBase } from './base-view.ts'
import { oneLine } from './check-values.ts'
import { markdownCode, markdownText } from './escape.ts'
import { markdownPieces, markdownTable, type Table } from './table.ts'

/** Larger output does not fit in a comment. */
const MAX_DETAILS = 40

export function adviceMarkdown(
  { image, advice, autoBase, baseItems = [] }: Advised,
  fileBytes: number,
): string {
  const { reference, platform, digest } = image.identity
  const { items, savings } = viewAdvice(advice, fileBytes)
  const lines = [
    `### ${savings.replace(/\.$/, '')}`,
    '',
    `${markdownCode(reference)}, ${markdownCode(platform)}, ${markdownCode(digest)}`,
    ...(autoBase === undefined ? [] : ['', `${markdownPieces(excludedBase(autoBase))}.`]),
    ...(items.length === 0 ? [] : ['', ...markdownTable(adviceTable(items))]),
    ...items.slice(0, MAX_DETAILS).flatMap(details),
    ...ofBase(worthwhileItems(baseItems, fileBytes).slice(0, MAX_DETAILS)),
  ]
  return `${lines.join('\n')}\n`
}

function ofBase(items: readonly AdviceItem[]): readonly string[] {
  if (items.length === 0) return []
  return [
    '',
    'Of the base image:',
    '',
    ...items.map(({ bytes, title }) => `- ${formatBytes(bytes)}: ${title}`),
  ]
}

/** A row for each item. */
export function adviceTable(items: readonly AdviceItem[]): Table {
  return {
    title: 'What to change',
    noun: 'items of advice',
    columns: [
      { title: '', align: 'left' },
      { title: 'Size', align: 'right' },
      { title: 'Files', align: 'right' },
      { title: 'What', align: 'left' },
      { title: 'Step', align: 'left' },
    ],
    rows: items.map(({ severity, bytes, files, title, createdBy }) => ({
      sign: '+',
      cells: [
        [severity],
        [formatBytes(bytes)],
        [formatCount(files)],
        [title],
        createdBy === undefined ? [] : [{ name: oneLine(createdBy) }],
      ],
    })),
  }
}

function details(item: AdviceItem): readonly string[] {
  const table: Pick<Table, 'columns' | 'rows'> = {
    columns: [
      { title: 'Path', align: 'left' },
      { title: 'Size', align: 'right' },
      { title: 'Layer', align: 'right' },
    ],
    rows: item.paths.map(({ path, bytes, layer }) => ({
      sign: '~',
      cells: [[{ name: path }], [formatBytes(bytes)], [layer === undefined ? '' : String(layer)]],
    })),
  }
  return [
    '',
    `<details><summary>${item.title}: ${formatBytes(item.bytes)}</summary>`,
    '',
    `${filesText(item)}. ${fixMarkdown(item.fix)}`,
    '',
    ...markdownTable(table),
    '',
    '</details>',
  ]
}

/** Text between backticks is code; the rest is a sentence. */
export function fixMarkdown(fix: string): string {
  return fix
    .split('`')
    .map((part, i) => (i % 2 === 1 ? markdownCode(part) : markdownText(part)))
    .join('')
}
