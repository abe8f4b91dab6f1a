/** The images of a repository as `docker image ls` prints them, for a terminal and in Markdown. */
import type { TaggedImage } from '../service/fleet/repository-images.ts'
import { FIGURES } from '../text/figures.ts'
import { formatBytes } from '../text/format.ts'
import { markdownCode, terminalLine, terminalText } from './escape.ts'
import {
  fitted,
  markdownTable,
  type Piece,
  type Row,
  type Table,
  type TextStyle,
  textTable,
} from './table.ts'

const WIDTH = 80
/** As Docker shortens them. */
const ID_LENGTH = 12

export type ImagesView = {
  /** `ghcr.io/o/app` */
  readonly repository: string
  readonly items: readonly TaggedImage[]
  /** Whether there are more tags than these. */
  readonly hasMore: boolean
}

export function imagesText(
  view: ImagesView,
  { colour, width = WIDTH }: TextStyle = { colour: false },
): string {
  const lines = [
    fitted(terminalText(view.repository), width),
    ...(view.items.length === 0 ? ['No tags.'] : textTable(imagesTable(view.items), { colour, width })),
    ...(view.hasMore ? [MORE] : []),
  ]
  return lines.map((line) => `${terminalLine(line)}\n`).join('')
}

export function imagesMarkdown(view: ImagesView): string {
  const lines = [
    `### Images of ${markdownCode(view.repository)}`,
    '',
    ...(view.items.length === 0 ? ['No tags.'] : markdownTable(imagesTable(view.items))),
    ...(view.hasMore ? ['', MORE] : []),
  ]
  return `${lines.join('\n')}\n`
}

const MORE = 'There are more: raise limit, or filter with tag.'

function imagesTable(items: readonly TaggedImage[]): Pick<Table, 'columns' | 'rows'> {
  return {
    columns: [
      { title: 'Tag', align: 'left' },
      { title: 'Image ID', align: 'left' },
      { title: 'Created', align: 'left' },
      { title: FIGURES.compressed.short, align: 'right' },
      { title: FIGURES.layers.short, align: 'right' },
    ],
    rows: items.map(rowOf),
  }
}

function rowOf(item: TaggedImage): Row {
  const tag: readonly Piece[] = [{ name: item.name }]
  if ('problem' in item) return { sign: '+', cells: [tag, [item.problem.code], [], [], []] }
  const { id, created, compressedBytes, layers } = item
  return {
    sign: '~',
    cells: [
      tag,
      [id.replace('sha256:', '').slice(0, ID_LENGTH)],
      created === undefined ? [] : [created.slice(0, 16).replace('T', ' ')],
      [formatBytes(compressedBytes)],
      [String(layers)],
    ],
  }
}
