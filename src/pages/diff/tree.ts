/** The changes as a tree that opens without a script: each change is shown once, in its directory. */
import { html } from 'hono/html'
import { type ChangeNode, pathsOf, weightOf } from '../../diff/change-tree.ts'
import { counted, formatBytes, formatCount, formatDelta } from '../../text/format.ts'
import { showPath } from '../../text/path.ts'
import { filesLink } from '../image-links.ts'
import { type Html, link, name } from '../page.ts'
import { type DiffParameters, pairOf, textDiffLink } from './address.ts'

/** Rows of a page; smaller changes are only counted. */
const MAX_ROWS = 800
/** Down to this level directories are shown whatever their size. */
const NEAR = 3

export function changeTree(parameters: DiffParameters, root: ChangeNode): Html {
  if (pathsOf(root) === 0) return html`<p class="none">No path changed.</p>`
  const shown = largest(root, MAX_ROWS)
  const most = Math.max(1, ...root.children.map((child) => Math.abs(child.delta)))
  const children = root.children.filter((child) => shown.has(child))
  const left = leftOf(root, shown)
  return html`<ul class="tree">
${children.map((child, at) => nodeOf(child, { parameters, shown, most, isOpen: at === 0 }))}${left > 0 && rest(parameters, root, left)}</ul>`
}

type Shown = {
  readonly parameters: DiffParameters
  readonly shown: ReadonlySet<ChangeNode>
  /** The largest growth, for the bars. */
  readonly most: number
  readonly isOpen?: boolean
}

function nodeOf(node: ChangeNode, view: Shown): Html {
  const { parameters, shown, isOpen = false } = view
  if (!node.isDirectory) return leafOf(node, view)
  const [bottom, label] = onlyWay(node)
  const children = bottom.children.filter((child) => shown.has(child))
  const left = leftOf(bottom, shown)
  const row = rowOf(bottom, `${label}/`, view)
  if (children.length === 0 && left === 0)
    return html`<li><div class="row">${row}</div></li>
`
  return html`<li><details ${isOpen ? html`open` : ''}><summary class="row">${row}</summary>
<ul>
${children.map((child) => nodeOf(child, { ...view, isOpen: false }))}${left > 0 && rest(parameters, bottom, left)}</ul></details></li>
`
}

/** A directory whose only child is a directory shares its row. */
function onlyWay(node: ChangeNode): readonly [ChangeNode, string] {
  let bottom = node
  let label = nameOf(node)
  for (;;) {
    const [only, ...others] = bottom.children
    if (only === undefined || others.length > 0 || bottom.left > 0 || bottom.change || !only.isDirectory)
      break
    bottom = only
    label += `/${nameOf(only)}`
  }
  return [bottom, label]
}

function nameOf({ key }: ChangeNode): string {
  return showPath(key.slice(key.lastIndexOf('\0') + 1)).path
}

function leafOf(node: ChangeNode, view: Shown): Html {
  const { parameters } = view
  const { change } = node
  const shown = showPath(node.key)
  if (change?.change === 'modified' && change.fields?.includes('content')) {
    const address = textDiffLink(parameters, shown)
    return html`<li><details data-load="${address}"><summary class="row">${rowOf(node, nameOf(node), view)}</summary>
<p class="load"><a href="${address}">Show what changed in it</a></p></details></li>
`
  }
  const at = filesLink(change?.change === 'removed' ? parameters.from : parameters.to, shown)
  return html`<li><div class="row">${rowOf(node, nameOf(node), view, at)}</div></li>
`
}

const MARKS = { added: '+', removed: '−', modified: '~' } as const
const MARK_WORDS = { added: 'added', removed: 'removed', modified: 'modified' } as const

function rowOf(node: ChangeNode, label: string, { most }: Shown, address?: string): Html {
  const { change, delta } = node
  const kind = change?.change
  const mark =
    kind === undefined
      ? html`<span class="mark"></span>`
      : html`<span class="mark ${kind}" title="${MARK_WORDS[kind]}"><span aria-hidden="true">${MARKS[kind]}</span><span class="hidden-text">${MARK_WORDS[kind]}</span></span>`
  const text = address === undefined ? name(label) : html`<a href="${address}">${name(label)}</a>`
  const tone = delta > 0 ? 'more' : delta < 0 ? 'less' : 'same'
  return html`${mark}<span class="what">${text} <span class="note">${noteOf(node)}</span></span><svg class="bar" aria-hidden="true"><rect class="${tone}" width="${Math.min(100, (100 * Math.abs(delta)) / most).toFixed(1)}%" height="100%"/></svg><span class="delta ${tone}">${delta === 0 ? '0 B' : formatDelta(delta)}</span>`
}

function noteOf(node: ChangeNode): string {
  const { isDirectory, change, counts, delta, ownDelta } = node
  if (!isDirectory) {
    if (change?.change !== 'modified') return ''
    const { fields = [], fromBytes, toBytes } = change
    const sizes = fields.includes('content') ? `: ${formatBytes(fromBytes)} → ${formatBytes(toBytes)}` : ''
    return `${fields.join(', ')}${sizes}`
  }
  const summary = (['added', 'removed', 'modified'] as const)
    .filter((kind) => counts[kind] > 0)
    .map((kind) => `${formatCount(counts[kind])} ${kind}`)
    .join(', ')
  const hasBoth = ownDelta !== 0 && ownDelta !== delta
  return hasBoth ? `${summary} · ${formatDelta(ownDelta)} directly in it` : summary
}

function rest(parameters: DiffParameters, node: ChangeNode, left: number): Html {
  const shown = showPath(node.key)
  const glob = shown.pathBase64 === undefined && shown.path !== '' ? `${globText(shown.path)}/**` : undefined
  return html`<li class="rest"><a href="${link('/v1/diff/files', { ...pairOf(parameters), glob })}">${counted(left, 'smaller change')}</a></li>
`
}

/** The path as a glob: characters with a meaning in globs become `?`. */
function globText(path: string): string {
  return path.replace(/[*?[\]{}\\]/g, '?')
}

/** Counts the paths below it without a row; those in a child with a row are counted there. */
function leftOf(node: ChangeNode, shown: ReadonlySet<ChangeNode>): number {
  return node.children.reduce((sum, child) => (shown.has(child) ? sum : sum + pathsOf(child)), node.left)
}

/**
 * Chooses the nodes with a row: first those near the root, up to half of them, since a line in `etc` can matter more than its
 * bytes; then those with the most changed bytes; then those with the most paths. A node needs its parent.
 */
function largest(root: ChangeNode, count: number): ReadonlySet<ChangeNode> {
  const near: Placed[] = []
  const far: Placed[] = []
  const gather = (parent: ChangeNode, depth: number) => {
    for (const node of parent.children) {
      const list = depth <= NEAR ? near : far
      list.push({ node, parent })
      gather(node, depth + 1)
    }
  }
  gather(root, 1)
  const shown = new Set([root])
  const take = (placed: Placed[], most: number) => {
    placed.sort((a, b) => weightOf(b.node) - weightOf(a.node) || pathsOf(b.node) - pathsOf(a.node))
    for (const { node, parent } of placed) {
      if (shown.size > most) return
      if (shown.has(parent)) shown.add(node)
    }
  }
  take(near, count / 2)
  take(far, count)
  return shown
}

type Placed = { readonly node: ChangeNode; readonly parent: ChangeNode }
