/** The treemap of what changed: bytes that were added, removed, or have another content. */
import { html } from 'hono/html'
import { type ChangeNode, pathsOf, weightOf } from '../../diff/change-tree.ts'
import { visible } from '../../formats/escape.ts'
import type { Area } from '../../image/areas.ts'
import { shortName } from '../../image/identity.ts'
import type { ImageIdentity } from '../../image/report.ts'
import { Problem } from '../../problem.ts'
import { counted, formatBytes } from '../../text/format.ts'
import { isWithin, type PathKey, showPath } from '../../text/path.ts'
import { filesLink } from '../image-links.ts'
import { type Html, name, page, table } from '../page.ts'
import { CHANGES, treemapPicture } from '../treemap/draw.ts'
import { treemapFigure } from '../treemap/figure.ts'
import { changeMapLink, type DiffParameters, diffLink, diffParameters, textDiffLink } from './address.ts'

const TABLE_ROWS = 50

export function changeMap(parameters: DiffParameters, root: ChangeNode): Html {
  const nodes = new Map<PathKey, ChangeNode>()
  const top = areaOf(root, nodes)
  if (top.bytes === 0) return html`<p class="none">No file was added, removed or changed in content.</p>`
  return treemapFigure({
    top,
    colour: 'change',
    colours: ['change'],
    zoom: (path) => changeMapLink(parameters, path),
    file: ({ key }) => leafLink(parameters, nodes.get(key)),
    areas: 'Each area is as large as the bytes that were added, removed or changed.',
    table: changeTable(parameters, root),
  })
}

/** The treemap as a picture of its own. @param width in pixels */
export function changePicture(
  from: ImageIdentity,
  to: ImageIdentity,
  root: ChangeNode,
  width: number,
): string {
  const { added, removed, modified } = root.bytes
  const sums = { added, removed, changed: modified }
  const parts = CHANGES.filter((kind) => sums[kind] > 0).map((kind) => `${formatBytes(sums[kind])} ${kind}`)
  return treemapPicture({
    top: areaOf(root, new Map()),
    colour: 'change',
    frame: { width, height: Math.round(width / 2) },
    // Names may be long: what does not fit is cut at the end.
    title: parts.length === 0 ? 'The same files' : parts.join(', '),
    more: `${shortName(from)} → ${shortName(to)}`,
  })
}

/** The treemap as a page: where the links of its directories lead without scripts. */
export function changeMapPage(from: ImageIdentity, to: ImageIdentity, root: ChangeNode): Html {
  const parameters = diffParameters(from, to)
  const [before, after] = [visible(shortName(from)), visible(shortName(to))]
  return page({
    title: `${before} → ${after} /${showPath(root.key).path}`,
    scripts: ['map.js'],
    main: html`<div class="heading">
<h1>What changed from ${before} to ${after}</h1>
<p class="facts"><a href="${diffLink(parameters)}">The whole diff</a></p>
</div>
${changeMap(parameters, root)}`,
  })
}

/** Undefined unless it is a directory with one of the larger changes. */
export function changesBelow(root: ChangeNode, key: PathKey): ChangeNode | undefined {
  let node: ChangeNode | undefined = root
  while (node !== undefined && node.key !== key) {
    node = node.children.find((child) => child.key === key || isWithin(key, child.key))
  }
  return node?.isDirectory ? node : undefined
}

/** @throws Problem `path_not_found` if nothing changed at or below the path */
export function changesAt(root: ChangeNode, key: PathKey): ChangeNode {
  const node = changesBelow(root, key)
  if (node !== undefined) return node
  throw new Problem(
    'path_not_found',
    `${JSON.stringify(showPath(key).path)} is not a directory with one of the larger changes`,
  )
}

function areaOf(node: ChangeNode, nodes: Map<PathKey, ChangeNode>): Area {
  nodes.set(node.key, node)
  const { bytes, key, isDirectory } = node
  const sums = [bytes.added, bytes.removed, bytes.modified]
  const children = node.children.filter((child) => weightOf(child) > 0).map((child) => areaOf(child, nodes))
  return {
    key,
    isDirectory,
    bytes: weightOf(node),
    files: pathsOf(node),
    main: sums.indexOf(Math.max(...sums)),
    ...(children.length > 0 && { children }),
  }
}

function leafLink(parameters: DiffParameters, node: ChangeNode | undefined): string {
  const path = showPath(node?.key ?? '')
  if (node?.change?.change === 'modified') return textDiffLink(parameters, path)
  return filesLink(node?.change?.change === 'removed' ? parameters.from : parameters.to, path)
}

/** A directory links to its new version, or to the old one if it was removed. */
function nodeLink(parameters: DiffParameters, node: ChangeNode): string {
  const isGone = node.counts.removed === pathsOf(node)
  return node.isDirectory
    ? filesLink(isGone ? parameters.from : parameters.to, showPath(node.key))
    : leafLink(parameters, node)
}

function changeTable(parameters: DiffParameters, root: ChangeNode): Html {
  return table<ChangeNode>({
    caption: 'The largest changes below it',
    none: 'Nothing below it changed.',
    rows: root.children.slice(0, TABLE_ROWS),
    columns: [
      {
        head: 'Path',
        kind: 'path',
        cell: (node) => html`<a href="${nodeLink(parameters, node)}">${name(showPath(node.key).path)}</a>`,
      },
      { head: 'Added', kind: 'number', cell: ({ bytes }) => formatBytes(bytes.added) },
      { head: 'Removed', kind: 'number', cell: ({ bytes }) => formatBytes(bytes.removed) },
      { head: 'Changed', kind: 'number', cell: ({ bytes }) => formatBytes(bytes.modified) },
      { head: 'Paths', kind: 'number', cell: (node) => counted(pathsOf(node), 'path') },
    ],
  })
}
