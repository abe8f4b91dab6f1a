/** What a file is made of as a treemap: on the file's page, or where the treemap of the image goes on. */
import { html } from 'hono/html'
import type { Area } from '../../image/areas.ts'
import type { InsideNode } from '../../service/inside/inside-tree.ts'
import type { OpenedFile } from '../../service/inside/open-path.ts'
import { counted, formatPercent } from '../../text/format.ts'
import { baseName, type PathKey, showPath } from '../../text/path.ts'
import { filesLink, type ImageParameters, mapLink, type ShownPath } from '../image-links.ts'
import { type Html, measured, name, size, table } from '../page.ts'
import { treemapFigure } from '../treemap/figure.ts'
import { areaOf, keyInside } from './areas.ts'

export type InsideView = {
  readonly parameters: ImageParameters
  /** As one layer has the file; by default as the merged file system has it. */
  readonly layer?: number | undefined
  readonly opened: OpenedFile
}

const TABLE_ROWS = 50
const AREAS = 'Each area is as large as its bytes in this file.'

/** In the file's page: each directory has a page, too. */
export function insideFigure(view: InsideView): Html {
  const { parameters, layer } = view
  const zoom = (path: ShownPath) => filesLink(parameters, path, { layer })
  return treemapFigure({ ...mapOf(view), zoom, pages: 'pages' })
}

/** Where the treemap of an image goes on. @param colour that of the image's treemap, to go back to */
export function insideMap(view: InsideView, colour: string): Html {
  return treemapFigure({
    ...mapOf(view),
    zoom: (path) => mapLink(view.parameters, path, colour),
    table: childTable(view),
  })
}

function mapOf({ parameters, layer, opened }: InsideView) {
  const { tree, key, inside } = opened
  const colour = inside.kind === 'elf' ? ('area' as const) : ('type' as const)
  const files = filesIn(tree, key)
  return {
    top: areaOf(tree, key),
    colour,
    colours: [colour],
    areas: AREAS,
    file: (area: Area) =>
      files.has(area.key) ? filesLink(parameters, showPath(area.key), { layer }) : undefined,
  }
}

/** What has a page of its own. */
function filesIn(tree: InsideNode, file: PathKey): ReadonlySet<PathKey> {
  const found = new Set<PathKey>()
  const gather = (node: InsideNode) => {
    if (isFile(node)) found.add(keyInside(file, node.key))
    for (const child of node.children) gather(child)
  }
  gather(tree)
  return found
}

function isFile({ type }: InsideNode): boolean {
  return type === 'file' || type === 'hardlink'
}

/** The last part of its way, as a link if it has a page. */
export function nodeName(node: InsideNode, { parameters, layer, opened }: InsideView): Html {
  const shown = showPath(baseName(node.key)).path
  const isOpen = node.type === 'directory' || node.type === 'area' || node.children.length > 0
  const text = name(node.type === 'directory' ? `${shown}/` : shown)
  if (!isOpen && !isFile(node)) return text
  return html`<a href="${filesLink(parameters, showPath(keyInside(opened.key, node.key)), { layer })}">${text}</a>`
}

function childTable(view: InsideView): Html {
  const { tree } = view.opened
  const rows = tree.children.slice(0, TABLE_ROWS)
  return table<InsideNode>({
    caption: 'The largest parts here',
    none: 'Nothing here takes up space.',
    rows,
    columns: [
      {
        head: 'Name',
        kind: 'path',
        cell: (node) => nodeName(node, view),
      },
      {
        head: 'Size',
        kind: 'number',
        cell: ({ bytes }) => measured(size(bytes), bytes, rows[0]?.bytes ?? 0),
      },
      {
        head: 'Share',
        kind: 'number',
        cell: ({ bytes }) => formatPercent((100 * bytes) / Math.max(tree.bytes, 1)),
      },
      { head: 'Parts', kind: 'number', cell: ({ parts }) => counted(parts, 'part') },
    ],
  })
}
