/**
 * A directory as `du --apparent-size -l` shows it: each entry with the sum of everything below it, each path of a hard link
 * counted. Only the necessary rows are read: the subdirectories of a directory are adjacent in one table, and the rows between
 * them are read from the merged table.
 */

import type { Entry } from '../layer/entry.ts'
import { Problem } from '../problem.ts'
import { Largest } from '../table/largest.ts'
import type { RowRange, Table } from '../table/table.ts'
import type { MemberType } from '../tar/member.ts'
import { isWithin, type PathKey, parentKey, showPath } from '../text/path.ts'
import { collectHardLinks, resolveHardLinks } from './hard-links.ts'
import { type DirectorySum, Merger } from './merge.ts'
import type { MergedEntry } from './merged-entry.ts'
import { walk } from './walk.ts'

export type TreeNode = {
  readonly path: string
  readonly pathBase64?: string
  readonly type: MemberType
  /** Size of a regular file; for a directory the sum of everything below it, each path of a hard link counted. */
  readonly bytes: number
  /** Regular files at or below it; each path of a hard link counts. */
  readonly files: number
  /** Largest first, equals in path order, unless sorted by name; absent below the requested depth. */
  readonly children?: readonly TreeNode[]
}

export type TreeShape = {
  /** Levels of children; 0 for none. A very large tree omits its deepest levels. */
  readonly depth: number
  /** Children of each directory. */
  readonly limit: number
  /** Order of children; `bytes`, the default, is largest first. */
  readonly order?: 'bytes' | 'name'
  /** Only the children that follow this one. */
  readonly after?: ChildPosition | undefined
}

/** The position of a child in its directory. */
export type ChildPosition = { readonly bytes: number; readonly key: PathKey }

export type TreeTables = {
  readonly files: Table<MergedEntry>
  readonly directories: Table<DirectorySum>
}

/** Some 5 MB of JSON. */
const MAX_NODES = 50_000
/** A subtree with up to this many rows is read at once, a larger one directory by directory. */
const SCANNED_ROWS = 4000
/** Reading up to this many unneeded rows is cheaper than another request. */
const NEAR_ROWS = 2000
const FETCH_BYTES = 128 * 1024

const COLUMNS = ['key', 'type', 'bytes'] as const
type Row = Pick<MergedEntry, (typeof COLUMNS)[number]>

type DirectoryNode = {
  readonly key: PathKey
  readonly type: MemberType
  bytes: number
  files: number
  children?: FirstChildren
  /** For a directory whose children were not read yet. */
  readonly below?: DirectorySum
}

/** A directory's first children in the requested order, however many there are. */
class FirstChildren {
  readonly #first: Largest<DirectoryNode, PathKey>
  readonly #order: TreeShape['order']
  readonly #after: ChildPosition | undefined

  constructor({ limit, order, after }: Omit<TreeShape, 'depth'>) {
    this.#first = new Largest(limit)
    this.#order = order
    this.#after = after
  }

  add(child: DirectoryNode): void {
    const weight = this.#weightOf(child)
    if (this.#after !== undefined) {
      const passed = this.#weightOf(this.#after)
      if (weight > passed || (weight === passed && child.key <= this.#after.key)) return
    }
    this.#first.add(weight, child.key, () => child)
  }

  list(): DirectoryNode[] {
    return this.#first.sorted().map(({ item }) => item)
  }

  /** Equals are in path order. */
  #weightOf({ bytes }: ChildPosition): number {
    return this.#order === 'name' ? 0 : bytes
  }
}

function leaf({ key, type, bytes }: Row): DirectoryNode {
  return { key, type, bytes, files: type === 'file' ? 1 : 0 }
}

function show({ key, type, bytes, files, children }: DirectoryNode): TreeNode {
  const shown = { ...showPath(key), type, bytes, files }
  return children === undefined ? shown : { ...shown, children: children.list().map(show) }
}

/** Builds a tree from the rows of a subtree as they pass in path order; it holds little more than it shows. */
class TreeScan {
  readonly #shape: TreeShape
  #depth: number
  readonly #open: DirectoryNode[]
  #nodes = 0

  constructor(top: PathKey, shape: TreeShape) {
    this.#shape = shape
    this.#depth = shape.depth
    this.#open = [this.#directory(top, 0)]
  }

  /** @param row of a path below the top, after that of its directory */
  add(row: Row): void {
    while (this.#open.length > 1 && !isWithin(row.key, this.#open.at(-1)?.key ?? '')) this.#close()
    const parent = this.#open.at(-1)
    if (parent === undefined) return
    if (row.type === 'directory') {
      if (parent.children !== undefined) this.#open.push(this.#directory(row.key, this.#open.length))
    } else this.#put(parent, leaf(row))
  }

  finish(): DirectoryNode {
    while (this.#open.length > 1) this.#close()
    const [top] = this.#open
    if (top === undefined) throw new Error('the tree has no root')
    return top
  }

  #directory(key: PathKey, depth: number): DirectoryNode {
    const directory: DirectoryNode = { key, type: 'directory', bytes: 0, files: 0 }
    if (depth < this.#depth) directory.children = new FirstChildren(this.#shape)
    return directory
  }

  #close(): void {
    const closed = this.#open.pop()
    const parent = this.#open.at(-1)
    if (closed !== undefined && parent !== undefined) this.#put(parent, closed)
  }

  #put(parent: DirectoryNode, child: DirectoryNode): void {
    parent.bytes += child.bytes
    parent.files += child.files
    if (parent.children === undefined) return
    parent.children.add(child)
    if (++this.#nodes > MAX_NODES && this.#depth > 1) this.#leaveOutDeepest()
  }

  #leaveOutDeepest(): void {
    this.#depth--
    this.#nodes = 0
    const prune = (node: DirectoryNode, depth: number): void => {
      this.#nodes++
      if (depth >= this.#depth) delete node.children
      for (const child of node.children?.list() ?? []) prune(child, depth + 1)
    }
    for (const [depth, node] of this.#open.entries()) prune(node, depth)
  }
}

/** Rows directly in one of some directories; ranges close to each other are read together. */
export class RowsBetween {
  readonly #ranges: { start: number; end: number }[] = []
  #at: number

  constructor(start: number) {
    this.#at = start
  }

  /** @param below the content of a directory; in path order */
  skip(below: RowRange): void {
    this.#add(this.#at, below.start - 1)
    this.#at = below.end
  }

  finish(end: number): readonly RowRange[] {
    this.#add(this.#at, end)
    return this.#ranges
  }

  #add(start: number, end: number): void {
    if (start >= end) return
    const last = this.#ranges.at(-1)
    if (last !== undefined && start - last.end < NEAR_ROWS) last.end = end
    else this.#ranges.push({ start, end })
  }
}

async function childrenOf(
  { files, directories }: TreeTables,
  { key, start, end }: DirectorySum,
  shape: TreeShape,
): Promise<FirstChildren> {
  const children = new FirstChildren(shape)
  const between = new RowsBetween(start)
  for await (const rows of directories.rows({ ...directories.at(key), fetchBytes: FETCH_BYTES })) {
    for (const row of rows) {
      // The root is its own parent.
      if (parentKey(row.key) !== key || row.key === key) continue
      between.skip(row)
      children.add(directoryNode(row))
    }
  }
  for (const range of between.finish(end)) {
    for await (const rows of files.rows({ ...range, columns: COLUMNS, fetchBytes: FETCH_BYTES })) {
      for (const row of rows) {
        if (row.type !== 'directory' && parentKey(row.key) === key) children.add(leaf(row))
      }
    }
  }
  return children
}

function directoryNode(below: DirectorySum): DirectoryNode {
  const { key, bytes, files } = below
  return { key, type: 'directory', bytes, files, below }
}

async function scan(
  { files }: TreeTables,
  { key, start, end }: DirectorySum,
  shape: TreeShape,
): Promise<DirectoryNode> {
  const tree = new TreeScan(key, shape)
  for await (const rows of files.rows({ start, end, columns: COLUMNS, fetchBytes: FETCH_BYTES })) {
    for (const row of rows) tree.add(row)
  }
  return tree.finish()
}

/** Level by level, so that the deepest are omitted if there are too many. */
async function expand(tables: TreeTables, top: DirectoryNode, shape: TreeShape): Promise<void> {
  let level = [top]
  let nodes = 1
  for (let left = shape.depth; left > 0 && level.length > 0; left--) {
    const next: DirectoryNode[] = []
    for (const node of level) {
      const { below } = node
      if (below === undefined || nodes > MAX_NODES) continue
      if (left > 1 && below.end - below.start <= SCANNED_ROWS) {
        const scanned = await scan(tables, below, { ...shape, depth: left })
        node.children = scanned.children ?? new FirstChildren(shape)
        nodes += below.end - below.start
        continue
      }
      node.children = await childrenOf(tables, below, shape)
      const children = node.children.list()
      nodes += children.length
      next.push(...children)
    }
    level = next
  }
}

/** A directory of the merged file system; undefined if the path is not one. */
export async function findDirectory(
  { directories }: Pick<TreeTables, 'directories'>,
  key: PathKey,
): Promise<DirectorySum | undefined> {
  for await (const rows of directories.rows(directories.at(parentKey(key)))) {
    const row = rows.find((one) => one.key === key)
    if (row !== undefined) return row
  }
  return undefined
}

/**
 * A path of the merged file system with its content.
 *
 * @param key the root is the empty one
 * @throws Problem `path_not_found`
 */
export async function imageTree(tables: TreeTables, key: PathKey, shape: TreeShape): Promise<TreeNode> {
  const directory = await findDirectory(tables, key)
  if (directory !== undefined) {
    const top = directoryNode(directory)
    await expand(tables, top, shape)
    return show(top)
  }
  for await (const rows of tables.files.rows({ ...tables.files.at(key), columns: COLUMNS })) {
    const row = rows.find((one) => one.key === key)
    if (row !== undefined) return show(leaf(row))
  }
  throw new Problem('path_not_found', `${JSON.stringify(showPath(key).path)} does not exist in the image`)
}

/**
 * The same for a single layer: its members as if there were no layer below, without whiteouts. Hard links into lower layers add
 * nothing.
 *
 * @param layer its members; all of them are read
 * @throws Problem `path_not_found` if the layer has nothing there
 */
export async function layerTree(layer: Table<Entry>, key: PathKey, shape: TreeShape): Promise<TreeNode> {
  const open = () => [layer.rows()]
  const merger = new Merger(await resolveHardLinks(await collectHardLinks(open()), open))
  const tree = new TreeScan(key, shape)
  let found = key === '' ? leaf({ key, type: 'directory', bytes: 0 }) : undefined
  const take = () => {
    merger.takeHidden()
    merger.takeDirectories()
    for (const row of merger.takeRows()) {
      if (row.key === key) found = leaf(row)
      else if (isWithin(row.key, key)) tree.add(row)
    }
  }
  for await (const _ of walk(open(), [merger], () => merger.waiting >= NEAR_ROWS)) take()
  take()
  if (found !== undefined) return show(found.type === 'directory' ? tree.finish() : found)
  throw new Problem('path_not_found', `${JSON.stringify(showPath(key).path)} does not exist in the layer`)
}
