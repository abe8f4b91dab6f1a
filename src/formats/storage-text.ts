/** What a repository's tags store, for a terminal and in Markdown. */
import { markdownCode, terminalLine, terminalText } from './escape.ts'
import { MORE_TAGS, type StorageView, storageHeadline, storageNotes, storageTable } from './storage-view.ts'
import { fitted, markdownTable, type TextStyle, textTable, wrapped } from './table.ts'

const WIDTH = 80
const INDENT = '  '

export function storageText(
  view: StorageView,
  { colour, width = WIDTH }: TextStyle = { colour: false },
): string {
  const { repository, items, hasMore, reclaim } = view
  const lines = [
    fitted(terminalText(repository), width),
    ...wrapped(`${storageHeadline(view)}.`, width),
    ...(items.length === 0
      ? []
      : ['', ...textTable(storageTable(items), { colour, width: Number.POSITIVE_INFINITY })]),
    ...(hasMore ? [MORE_TAGS] : []),
    ...storageNotes(view).flatMap((note) => ['', ...wrapped(note, width)]),
    ...wrapped((reclaim?.tags ?? []).map(terminalText).join(' '), width, INDENT),
  ]
  return lines.map((line) => `${terminalLine(line.trimEnd())}\n`).join('')
}

export function storageMarkdown(view: StorageView): string {
  const { repository, items, hasMore, reclaim } = view
  const lines = [
    `### ${markdownCode(repository)}: ${storageHeadline(view)}`,
    ...(items.length === 0 ? [] : ['', ...markdownTable(storageTable(items))]),
    ...(hasMore ? ['', MORE_TAGS] : []),
    ...storageNotes(view).flatMap((note) => ['', note]),
    ...(reclaim?.tags.length ? ['', reclaim.tags.map(markdownCode).join(' ')] : []),
  ]
  return `${lines.join('\n')}\n`
}
