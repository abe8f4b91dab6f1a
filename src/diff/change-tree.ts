/** The changes between two images as a tree: each directory with what changed directly in it and below it. */
import { type PathKey, parentKey } from '../text/path.ts'
import {
  type Change,
  type ChangeKind,
  type FileChange,
  fromBytes,
  isDirectoryChange,
  showChange,
  toBytes,
} from './change.ts'
import { OpenDirectories } from './open-directories.ts'

export type ChangeNode = {
  /** The root is the empty key. */
  readonly key: PathKey
  readonly isDirectory: boolean
  /** The change of this path; absent for a directory that did not change itself. */
  readonly change?: FileChange
  /** Growth in bytes of the regular files at and below it. */
  readonly delta: number
  /** The part of it that comes from files directly in this directory. */
  readonly ownDelta: number
  /** Bytes of files that were added, removed, or have other content: of the latter the larger side. */
  readonly bytes: Readonly<Record<ChangeKind, number>>
  /** Paths at and below it. */
  readonly counts: Readonly<Record<ChangeKind, number>>
  /** Most changed bytes first, then in path order. */
  readonly children: readonly ChangeNode[]
  /** Paths below it that are in no child: the smallest, if there are too many. */
  readonly left: number
}

type Tally = Record<ChangeKind, number>

type Node = {
  readonly key: PathKey
  isDirectory: boolean
  change?: FileChange
  delta: number
  ownDelta: number
  readonly bytes: Tally
  readonly counts: Tally
  children: Node[]
  left: number
}

/** How many nodes are kept; beyond that the smallest are dropped. */
const MAX_NODES = 20_000

/**
 * Takes changes in path order. Memory is bounded: it holds at most some 20,000 nodes, and the directories leading to the
 * current path.
 */
export class ChangeTree {
  readonly #open = new OpenDirectories<Node>(
    (key) => nodeOf(key, true),
    (directory, above) => this.#keep(above, directory),
  )
  readonly #most: number
  #nodes = 0
  /** Nodes with fewer changed bytes are not kept. */
  #least = 0

  constructor(most = MAX_NODES) {
    this.#most = most
  }

  add(change: Change): void {
    const isDirectory = isDirectoryChange(change)
    const directory = this.#open.enter(isDirectory ? change.key : parentKey(change.key))
    const node = isDirectory ? directory : nodeOf(change.key, false)
    node.change = showChange(change)
    node.counts[change.kind]++
    node.bytes[change.kind] += changedBytes(change)
    node.delta += node.change.delta
    if (!isDirectory) this.#keep(directory, node)
  }

  finish(): ChangeNode {
    this.#open.leave('')
    return sorted(this.#open.root)
  }

  #keep(parent: Node, child: Node): void {
    addTo(parent.bytes, child.bytes)
    addTo(parent.counts, child.counts)
    parent.delta += child.delta
    if (!child.isDirectory) parent.ownDelta += child.delta
    if (weightOf(child) < this.#least) {
      parent.left += pathsOf(child)
      this.#nodes -= sizeOf(child) - 1
      return
    }
    parent.children.push(child)
    this.#nodes++
    if (this.#nodes > this.#most) this.#dropSmallest()
  }

  /** Keeps half of them: the largest; among equals, the first. */
  #dropSmallest(): void {
    const all: Node[] = []
    for (const { children } of this.#open.all) gather(children, all)
    const weights = new Map(all.map((node) => [node, weightOf(node)]))
    const weightIn = (node: Node | undefined) => (node && weights.get(node)) ?? 0
    // A directory comes before its content and weighs no less, so it stays with any of it.
    const inOrder = all.toSorted((a, b) => weightIn(b) - weightIn(a))
    const kept = new Set(inOrder.slice(0, Math.ceil(this.#most / 2)))
    this.#least = weightIn(inOrder[kept.size])
    this.#nodes = kept.size
    for (const node of this.#open.all) keepOnly(node, kept)
  }
}

function gather(children: readonly Node[], all: Node[]): void {
  for (const child of children) {
    all.push(child)
    gather(child.children, all)
  }
}

function keepOnly(node: Node, kept: ReadonlySet<Node>): void {
  const children: Node[] = []
  for (const child of node.children) {
    if (kept.has(child)) {
      keepOnly(child, kept)
      children.push(child)
    } else node.left += pathsOf(child)
  }
  node.children = children
}

function sizeOf({ children }: Node): number {
  return children.reduce((sum, child) => sum + sizeOf(child), 1)
}

function nodeOf(key: PathKey, isDirectory: boolean): Node {
  const none = () => ({ added: 0, removed: 0, modified: 0 })
  return { key, isDirectory, delta: 0, ownDelta: 0, bytes: none(), counts: none(), children: [], left: 0 }
}

function addTo(sum: Tally, part: Readonly<Tally>): void {
  sum.added += part.added
  sum.removed += part.removed
  sum.modified += part.modified
}

function sorted({ children, ...node }: Node): ChangeNode {
  return { ...node, children: children.sort((a, b) => weightOf(b) - weightOf(a)).map(sorted) }
}

/** Bytes that changed at and below it. */
export function weightOf({ bytes: { added, removed, modified } }: Pick<ChangeNode, 'bytes'>): number {
  return added + removed + modified
}

/** Paths that changed at and below it. */
export function pathsOf({ counts: { added, removed, modified } }: Pick<ChangeNode, 'counts'>): number {
  return added + removed + modified
}

function changedBytes(change: Change): number {
  if (change.kind === 'modified' && !change.fields.includes('content')) return 0
  return Math.max(fromBytes(change), toBytes(change))
}
