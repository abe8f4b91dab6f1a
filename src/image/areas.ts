/**
 * A directory as areas: how many bytes everything below it takes, down to what is too small to see. Small subtrees are read at
 * once, larger ones directory by directory, largest first, until enough rows are read, so that the work does not grow with the
 * image.
 */
import { Heap } from '../table/heap.ts'
import { Largest } from '../table/largest.ts'
import { isWithin, type PathKey, parentKey } from '../text/path.ts'
import { mayOpen } from './kinds.ts'
import type { DirectorySum } from './merge.ts'
import type { MergedEntry } from './merged-entry.ts'
import { findDirectory, RowsBetween, type TreeTables } from './tree.ts'

export type Area = {
  readonly key: PathKey
  readonly isDirectory: boolean
  /** For a directory the sum of everything below it; each path of a hard link counts. */
  readonly bytes: number
  readonly files: number
  /** A file that can probably be looked into: an archive or a program. */
  readonly opens?: boolean
  /** The class of most of its bytes; absent if classes were not requested. */
  readonly main?: number
  /** The layer that stores it, if a later layer hides it: the image does not show it. */
  readonly hiddenIn?: number
  /** Largest first; absent if the directory stays closed. The rest of `bytes` is too small to see. */
  readonly children?: readonly Area[]
}

const COLUMNS = ['key', 'type', 'bytes', 'layer', 'mode'] as const
type Row = Pick<MergedEntry, (typeof COLUMNS)[number]>

/** Distinguished by colour. */
export type AreaClasses = { readonly count: number; readonly of: (row: Row) => number }

export type AreaShape = {
  /** Levels of children. */
  readonly depth: number
  /** Areas below this share of the whole are left out. */
  readonly smallest: number
  readonly classes: AreaClasses
  readonly reading?: Reading
}

/** Limits on the rows that are read. */
export type Reading = {
  /** A subtree with up to this many rows is read at once; a larger one directory by directory. */
  readonly atOnce: number
  /** Rows in total; directories not opened by then stay closed. */
  readonly inAll: number
}

/** How many children a directory shows at most. */
const CHILDREN = 200
const READING: Reading = { atOnce: 20_000, inAll: 300_000 }
const FETCH_BYTES = 256 * 1024

type AreaNode = {
  readonly key: PathKey
  readonly isDirectory: boolean
  bytes: number
  files: number
  opens?: boolean
  main?: number
  children?: Largest<AreaNode, PathKey>
}

/** @returns undefined if there is no directory at the path */
export async function findAreas(
  tables: TreeTables,
  key: PathKey,
  { depth, smallest, classes, reading = READING }: AreaShape,
): Promise<Area | undefined> {
  const top = await findDirectory(tables, key)
  if (top === undefined) return undefined
  const least = Math.max(1, top.bytes * smallest)
  const root: AreaNode = nodeOf(top)
  const waiting = new Heap<Waiting>((a, b) => a.sum.bytes > b.sum.bytes)
  waiting.push({ node: root, sum: top, left: depth })
  let rows = 0
  for (let next = waiting.top; next !== undefined; next = waiting.top) {
    const { node, sum, left } = next
    waiting.removeTop()
    if (rows > reading.inAll) break
    if (sum.end - sum.start <= reading.atOnce) {
      rows += sum.end - sum.start
      await scan(tables, node, sum, { left, least, classes })
    } else if (left > 0) {
      rows += await open(tables, { node, sum, left }, { least, classes, waiting, most: reading.inAll })
    }
  }
  return show(root)
}

type Waiting = { readonly node: AreaNode; readonly sum: DirectorySum; readonly left: number }

function nodeOf({ key, bytes, files }: DirectorySum): AreaNode {
  return { key, isDirectory: true, bytes, files }
}

function leafOf(row: Row, classes: AreaClasses): AreaNode {
  const { key, bytes } = row
  const leaf = { key, isDirectory: false, bytes, files: 1, main: classes.of(row) }
  return mayOpen(row) ? { ...leaf, opens: true } : leaf
}

type Opening = {
  readonly least: number
  readonly classes: AreaClasses
  readonly waiting: Heap<Waiting>
  readonly most: number
}

/** Opens one directory with a large subtree. @returns how many rows it read */
async function open(
  { files, directories }: TreeTables,
  { node, sum, left }: Waiting,
  { least, classes, waiting, most }: Opening,
): Promise<number> {
  const { key, start, end } = sum
  const children = new Largest<AreaNode, PathKey>(CHILDREN)
  const below = new Map<AreaNode, DirectorySum>()
  const between = new RowsBetween(start)
  let read = 0
  for await (const rows of directories.rows({ ...directories.at(key), fetchBytes: FETCH_BYTES })) {
    read += rows.length
    for (const row of rows) {
      // The root is its own parent.
      if (parentKey(row.key) !== key || row.key === key) continue
      between.skip(row)
      if (row.bytes < least) continue
      const child = nodeOf(row)
      children.add(row.bytes, row.key, () => child)
      below.set(child, { key: row.key, bytes: row.bytes, files: row.files, start: row.start, end: row.end })
    }
  }
  for (const range of between.finish(end)) {
    read += range.end - range.start
    if (read > most) break
    for await (const rows of files.rows({ ...range, columns: COLUMNS, fetchBytes: FETCH_BYTES })) {
      for (const row of rows) {
        if (row.type !== 'file' || row.bytes < least || parentKey(row.key) !== key) continue
        children.add(row.bytes, row.key, () => leafOf(row, classes))
      }
    }
  }
  node.children = children
  for (const { item } of children.sorted()) {
    const found = below.get(item)
    if (found !== undefined) waiting.push({ node: item, sum: found, left: left - 1 })
  }
  return read
}

type Open = { readonly node: AreaNode; readonly sums: Float64Array }

/** Reads a whole subtree in path order, holding the open directories and what is large enough. */
async function scan(
  { files }: TreeTables,
  top: AreaNode,
  { start, end }: DirectorySum,
  { left, least, classes }: { left: number; least: number; classes: AreaClasses },
): Promise<void> {
  const begin = (node: AreaNode, depth: number): Open => {
    if (depth < left) node.children = new Largest(CHILDREN)
    return { node, sums: new Float64Array(classes.count) }
  }
  const path: Open[] = [begin(top, 0)]
  const close = () => {
    const closed = path.pop()
    if (closed === undefined) return
    closed.node.main = largestOf(closed.sums)
    const parent = path.at(-1)
    if (parent === undefined) return
    parent.node.bytes += closed.node.bytes
    parent.node.files += closed.node.files
    for (const [at, sum] of closed.sums.entries()) parent.sums[at] = (parent.sums[at] ?? 0) + sum
    keep(parent.node, closed.node, least)
  }
  Object.assign(top, { bytes: 0, files: 0 })
  for await (const rows of files.rows({ start, end, columns: COLUMNS, fetchBytes: FETCH_BYTES })) {
    for (const row of rows) {
      if (row.key === top.key) continue
      while (path.length > 1 && !isWithin(row.key, path.at(-1)?.node.key ?? '')) close()
      const parent = path.at(-1)
      if (parent === undefined) continue
      if (row.type === 'directory') {
        path.push(begin({ key: row.key, isDirectory: true, bytes: 0, files: 0 }, path.length))
      } else if (row.type === 'file') {
        parent.node.bytes += row.bytes
        parent.node.files++
        const at = classes.of(row)
        parent.sums[at] = (parent.sums[at] ?? 0) + row.bytes
        if (row.bytes >= least && parent.node.children) keep(parent.node, leafOf(row, classes), least)
      }
    }
  }
  while (path.length > 0) close()
}

function keep(parent: AreaNode, child: AreaNode, least: number): void {
  if (child.bytes >= least) parent.children?.add(child.bytes, child.key, () => child)
}

function largestOf(sums: Float64Array): number {
  let largest = 0
  for (const [at, sum] of sums.entries()) if (sum > (sums[largest] ?? 0)) largest = at
  return largest
}

function show({ children, ...node }: AreaNode): Area {
  return children === undefined
    ? node
    : { ...node, children: children.sorted().map(({ item }) => show(item)) }
}
