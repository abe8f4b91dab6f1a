/** What is attached to an image, for a terminal and in Markdown. Nothing of it is verified, which both say. */
import type { Attached, AttachedItem, AttachedProblem } from '../attached/items.ts'
import type { ImageIdentity } from '../image/report.ts'
import { counted, formatBytes } from '../text/format.ts'
import { terminalLine } from './escape.ts'
import {
  fitted,
  markdownPieces,
  markdownTable,
  type Piece,
  plainText,
  type TableColumn,
  type TextStyle,
  textLayout,
  wrapped,
} from './table.ts'

export type AttachedView = Pick<Attached, 'complete' | 'problems'> & {
  readonly image: Pick<ImageIdentity, 'reference' | 'platform'>
  /** Those of this page. */
  readonly items: readonly AttachedItem[]
  /** Of all pages. */
  readonly count: number
}

const WIDTH = 80
const BOLD = '\x1b[1m'
const RESET = '\x1b[0m'

const COLUMNS: readonly TableColumn[] = [
  { title: 'Kind', align: 'left' },
  { title: 'Type', align: 'left' },
  { title: 'Size', align: 'right' },
  { title: 'Created', align: 'left' },
  { title: 'Found in', align: 'left' },
]

export const FOUND_IN = { index: 'index', referrers: 'API', tag: 'tag' } as const

/** Each item takes two lines: a digest must be whole to be copied, and leaves no room beside it. */
export function attachedText(view: AttachedView, style: TextStyle = { colour: false }): string {
  const { image, items } = view
  const { colour, width = WIDTH } = style
  const layout = textLayout(COLUMNS, items.map(rowOf), { colour, width })
  const table = [
    ...layout.head.map((head) => (colour ? `${BOLD}${head}${RESET}` : head)),
    ...items.flatMap((item) => [...layout.lines([rowOf(item)]), `  ${item.digest}`]),
  ]
  const lines = [
    fitted(plainText([{ name: image.reference }, ` (${image.platform})`]), width),
    ...summaryOf(view).flatMap((sentence) => wrapped(plainText(sentence), width)),
    ...(items.length === 0 ? [] : ['', ...table]),
  ]
  return lines.map((line) => `${terminalLine(line.trimEnd())}\n`).join('')
}

export function attachedMarkdown(view: AttachedView): string {
  const { image, items } = view
  const columns: readonly TableColumn[] = [...COLUMNS, { title: 'Digest', align: 'left' }]
  const rows = items.map((item) => ({ cells: [...rowOf(item).cells, [{ name: item.digest }]] }))
  const lines = [
    `### Attached to ${markdownPieces([{ name: image.reference }])} (${image.platform})`,
    ...summaryOf(view).flatMap((sentence) => ['', markdownPieces(sentence)]),
    ...(items.length === 0 ? [] : ['', ...markdownTable({ columns, rows })]),
  ]
  return `${lines.join('\n')}\n`
}

/** What it is, as exactly as it says. */
export function typeOf({ predicateType, artifactType, mediaType }: AttachedItem): string {
  return predicateType ?? artifactType ?? mediaType
}

function rowOf(item: AttachedItem) {
  const { kind, bytes, created = '', source } = item
  const type = typeOf(item)
  return {
    cells: [[kind], [{ name: type }], [formatBytes(bytes)], [created.slice(0, 10)], [FOUND_IN[source]]],
  }
}

/** How many there are, that nothing is verified, and whether there may be more. */
export function summaryOf({
  items,
  count,
  complete,
  problems,
}: Omit<AttachedView, 'image'>): readonly (readonly Piece[])[] {
  const found =
    count > 0
      ? `${counted(count, 'item')} attached. Nothing is verified: neither signatures nor what they say.`
      : complete
        ? 'Nothing is attached.'
        : 'Nothing was found.'
  return [
    [found],
    ...(complete ? [] : [['This list is incomplete; more may be attached.'], ...problems.map(problemOf)]),
    ...(items.length < count ? [[`${items.length} of them are shown.`]] : []),
  ]
}

const SOURCE_NAMES = {
  index: 'The index',
  referrers: 'The referrers API',
  tag: 'The tags',
} as const

function problemOf({ source, problem }: AttachedProblem): readonly Piece[] {
  return [`${SOURCE_NAMES[source]}: `, { name: problem.message }]
}
