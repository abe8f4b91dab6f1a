/** One directory with what is below it, as `du --apparent-size -l` sees it: of an image or of one layer. */
import type { Table } from '../index/table.ts'
import type { Entry, EntryType } from '../layer/entry.ts'
import { isWithin, type PathKey, parentKey, showPath } from '../path.ts'
import { Problem } from '../problem.ts'
import type { DirectorySum } from './merge.ts'
import type { MergedEntry } from './merged-entry.ts'

export type TreeNode = {
  readonly path: string
  readonly pathBase64?: string
  readonly type: EntryType
  /** Of a regular file; of a directory the sum over all below it, a hard link counted at each path. */
  readonly bytes: number
  /** Regular files at or below it. */
  readonly files: number
  /** The largest, largest first, then in path order; absent below the depth that was asked for. */
  readonly children?: readonly TreeNode[]
}

export type TreeShape = {
  /** Levels below the directory itself, at least 1. */
  readonly depth: number
  /** Children of one directory. */
  readonly limit: number
}

/** Directories whose children are read for one answer: past them a directory shows none. */
const MAX_EXPANDED = 500
/** Rows that are passed over rather than begin another read. */
const WORTH_READING_ON = 2000

/** Something that stands in a directory. */
type Child = {
  readonly key: PathKey
  readonly type: EntryType
  readonly bytes: number
  readonly files: number
  readonly sum?: DirectorySum
}

/**
 * Reads the children of a few directories, never the whole image.
 *
 * @throws Problem `path_not_found`
 */
export async function imageTree(
  tables: { readonly files: Table<MergedEntry>; readonly directories: Table<DirectorySum> },
  key: PathKey,
  shape: TreeShape,
): Promise<TreeNode> {
  const { files, directories } = tables
  const sum = await directoryAt(directories, key)
  if (sum === undefined) return show(toChild(await entryAt(files, key)))
  let expanded = 0
  const expand = async (child: Child, depth: number): Promise<TreeNode> => {
    if (child.sum === undefined || depth === 0 || expanded === MAX_EXPANDED) return show(child)
    expanded++
    const children: TreeNode[] = []
    for (const one of largest(await childrenOf(files, directories, child.sum), shape.limit)) {
      children.push(await expand(one, depth - 1))
    }
    return { ...show(child), children }
  }
  return expand(toDirectory(sum), shape.depth)
}

async function directoryAt(
  directories: Table<DirectorySum>,
  key: PathKey,
): Promise<DirectorySum | undefined> {
  for await (const batch of directories.rows(directories.at(parentKey(key)))) {
    for (const row of batch) if (row.key === key) return row
  }
  return undefined
}

async function entryAt(files: Table<MergedEntry>, key: PathKey): Promise<MergedEntry> {
  for await (const batch of files.rows(files.at(key))) {
    for (const row of batch) if (row.key === key) return row
  }
  throw new Problem('path_not_found', `${JSON.stringify(showPath(key).path)} is not there`)
}

/** Directories have their own table; all else stands between what is below them. */
async function childrenOf(
  files: Table<MergedEntry>,
  directories: Table<DirectorySum>,
  { key, start, end }: DirectorySum,
): Promise<Child[]> {
  const children: Child[] = []
  for await (const batch of directories.rows(directories.at(key))) {
    for (const row of batch) {
      if (row.key !== '' && parentKey(row.key) === key) children.push(toDirectory(row))
    }
  }
  for (const range of between({ start, end }, children)) {
    for await (const batch of files.rows({ ...range, columns: ['key', 'type', 'bytes'] })) {
      for (const row of batch) {
        if (row.type !== 'directory' && parentKey(row.key) === key) children.push(toChild(row))
      }
    }
  }
  return children
}

type RowRange = { readonly start: number; readonly end: number }

/** The rows that are not below one of the directories, which are in path order; short ones of theirs included. */
function between({ start, end }: RowRange, children: readonly Child[]): RowRange[] {
  const ranges: RowRange[] = []
  let from = start
  for (const { sum } of children) {
    if (sum === undefined || sum.end - sum.start < WORTH_READING_ON) continue
    if (from < sum.start) ranges.push({ start: from, end: sum.start })
    from = sum.end
  }
  if (from < end) ranges.push({ start: from, end })
  return ranges
}

function toDirectory(sum: DirectorySum): Child {
  const { key, bytes, files } = sum
  return { key, type: 'directory', bytes, files, sum }
}

function toChild({ key, type, bytes }: Pick<Entry, 'key' | 'type' | 'bytes'>): Child {
  return { key, type, bytes, files: type === 'file' ? 1 : 0 }
}

/** A directory of a layer while it is summed. */
type Summed = {
  readonly key: PathKey
  type: EntryType
  bytes: number
  files: number
  readonly children: Map<PathKey, Summed>
}

/**
 * The same of one layer: what its members hold, whiteouts aside. Sums all below the directory in one pass.
 *
 * @throws Problem `path_not_found` where the layer has nothing there
 */
export async function layerTree(layer: Table<Entry>, key: PathKey, shape: TreeShape): Promise<TreeNode> {
  const root: Summed = { key, type: 'directory', bytes: 0, files: 0, children: new Map() }
  let found = key === ''
  for await (const member of lastMembers(layer, key)) {
    found = true
    if (member.key === key) root.type = member.type
    add(root, member, shape.depth)
  }
  if (!found) throw new Problem('path_not_found', `${JSON.stringify(showPath(key).path)} is not in the layer`)
  return shown(root, shape, shape.depth)
}

/** The members at and below a path, of several at one path the last. */
async function* lastMembers(layer: Table<Entry>, key: PathKey): AsyncGenerator<Entry, void> {
  let last: Entry | undefined
  for await (const batch of layer.rows(layer.within(key))) {
    for (const row of batch) {
      if (row.whiteout !== undefined || !isWithin(row.key, key)) continue
      if (last !== undefined && last.key !== row.key) yield last
      last = row
    }
  }
  if (last !== undefined) yield last
}

/** Counts a member in each directory above it, as deep as they are shown. */
function add(root: Summed, { key, type, bytes }: Entry, depth: number): void {
  const files = type === 'file' ? 1 : 0
  let above = root
  above.bytes += bytes
  above.files += files
  let end = root.key.length
  for (let level = 0; level < depth && end < key.length; level++) {
    const start = end === 0 ? 0 : end + 1
    const cut = key.indexOf('\0', start)
    end = cut < 0 ? key.length : cut
    const at = key.slice(0, end)
    let node = above.children.get(at)
    if (node === undefined) {
      node = {
        key: at,
        type: end === key.length ? type : 'directory',
        bytes: 0,
        files: 0,
        children: new Map(),
      }
      above.children.set(at, node)
    }
    node.bytes += bytes
    node.files += files
    above = node
  }
}

function shown(node: Summed, shape: TreeShape, depth: number): TreeNode {
  if (node.type !== 'directory' || depth === 0) return show(node)
  const children = largest([...node.children.values()], shape.limit)
  return { ...show(node), children: children.map((child) => shown(child, shape, depth - 1)) }
}

function largest<T extends { readonly key: PathKey; readonly bytes: number }>(
  children: readonly T[],
  limit: number,
): T[] {
  return children.toSorted((a, b) => b.bytes - a.bytes || (a.key < b.key ? -1 : 1)).slice(0, limit)
}

function show({ key, type, bytes, files }: Omit<Child, 'sum'>): TreeNode {
  return { ...showPath(key), type, bytes, files }
}
