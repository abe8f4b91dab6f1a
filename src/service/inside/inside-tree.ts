/** What a file is made of as a tree: the directories of an archive, or the areas, sections and modules of an ELF file. */
import type { ElfArea } from '../../inside/elf-areas.ts'
import type { ArchiveEntry, EntryType } from '../../inside/entries.ts'
import type { ArchiveInside, ElfInside, Inside } from '../../open/open-inside.ts'
import { encodeText } from '../../text/bytes.ts'
import { isWithin, type PathKey, pathToKey } from '../../text/path.ts'
import { listInside, sectionsOf } from './list-inside.ts'

export type InsideNode = {
  /** The way into the file; a section or module is one part of it, whatever its name. */
  readonly key: PathKey
  readonly type: EntryType | 'area' | 'section' | 'module'
  /** Of everything at and below it; those of a smaller part count even if it has no node. */
  readonly bytes: number
  readonly storedBytes?: number | undefined
  /** How many parts it has, itself included if it has no children. */
  readonly parts: number
  readonly area?: ElfArea
  /** Largest first. */
  readonly children: readonly InsideNode[]
}

/** The largest parts have a node; smaller ones only count. */
const MAX_LARGEST = 2000
/** Longer paths only count, as in layers. */
const MAX_PATH_BYTES = 4096
/** Of a section or module. */
const MAX_NAME = 300
/** Directories, and what is directly in the one that is looked at, have a node, too: up to this many in all. */
const MAX_NODES = 20_000

type Node = {
  readonly key: PathKey
  readonly type: InsideNode['type']
  readonly area?: ElfArea
  bytes: number
  storedBytes?: number | undefined
  parts: number
  readonly children: Map<PathKey, Node>
}

/**
 * The directory or area at `below`; all of the file for the empty key.
 *
 * @returns undefined if there is none
 */
export async function insideTree(inside: Inside, below: PathKey): Promise<InsideNode | undefined> {
  if (inside.kind !== 'elf') return archiveTree(inside, below)
  return nodeAt(shown(elfTree(inside)), below)
}

function nodeAt(node: InsideNode, key: PathKey): InsideNode | undefined {
  if (node.key === key) return node
  const next = node.children.find((child) => isWithin(key, child.key))
  return next && nodeAt(next, key)
}

async function archiveTree(inside: ArchiveInside, below: PathKey): Promise<InsideNode | undefined> {
  const { entries } = inside
  const top = newNode(below, 'directory')
  const nodes = new Map<PathKey, Node>([[below, top]])
  const largest = await listInside<ArchiveEntry | undefined>(
    inside,
    {
      sort: '-bytes',
      matches: below === '' ? undefined : (path) => isWithin(pathToKey(path), below),
    },
    { entry: (entry) => entry, section: () => undefined },
  ).page(undefined, MAX_LARGEST)
  const hasNode = new Set(largest.items.flatMap((entry) => (entry === undefined ? [] : [entry.key])))
  let isThere = below === ''
  for (let index = 0; index < entries.count; index++) {
    if (!isWithin(entries.key(index), below)) continue
    const entry = entries.at(index)
    if (entry.key === below) {
      isThere ||= entry.type === 'directory'
      continue
    }
    isThere = true
    add(nodes, { entry, below, hasNode: hasNode.has(entry.key) })
  }
  return isThere ? shown(top) : undefined
}

function newNode(key: PathKey, type: InsideNode['type']): Node {
  return { key, type, bytes: 0, parts: 0, children: new Map() }
}

/** Counts an entry in each directory above it, up to the one that is looked at. */
function add(
  nodes: Map<PathKey, Node>,
  { entry, below, hasNode }: { readonly entry: ArchiveEntry; readonly below: PathKey; hasNode: boolean },
): void {
  const { key, type, bytes, storedBytes } = entry
  const isDirectory = type === 'directory'
  const count = (node: Node) => {
    node.bytes += bytes
    if (storedBytes !== undefined) node.storedBytes = (node.storedBytes ?? 0) + storedBytes
    if (!isDirectory) node.parts++
  }
  let parent = nodes.get(below)
  if (parent === undefined) return
  count(parent)
  if (key.length > MAX_PATH_BYTES) return
  for (let end = key.indexOf('\0', below === '' ? 0 : below.length + 1); ; end = key.indexOf('\0', end + 1)) {
    const isLast = end < 0
    const at: PathKey = isLast ? key : key.slice(0, end)
    const isLeaf = isLast && !isDirectory
    let node = nodes.get(at)
    if (node === undefined) {
      const mayHave = !isLeaf || hasNode || parent.key === below
      if (!mayHave || nodes.size >= MAX_NODES) return
      node = newNode(at, isLeaf ? type : 'directory')
      nodes.set(at, node)
      parent.children.set(at, node)
    }
    count(node)
    if (isLast) return
    parent = node
  }
}

/** Areas with their sections; Go's modules are in the section of the code. */
function elfTree(inside: ElfInside): Node {
  const { areas, modules } = inside
  const root = newNode('', 'directory')
  const byArea = new Map<ElfArea, Node>()
  for (const { area, bytes } of areas) {
    const node: Node = { ...newNode(area, 'area'), area, bytes }
    byArea.set(area, node)
    root.children.set(area, node)
    root.bytes += bytes
  }
  const sections = sectionsOf(inside)
  let left = MAX_NODES
  for (let index = 0; index < sections.count && left > 0; index++) {
    const { name, area, bytes } = sections.at(index)
    const above = byArea.get(area)
    if (above === undefined || bytes === 0 || name === '') continue
    const key: PathKey = `${area}\0${encodeText(name.slice(0, MAX_NAME))}`
    const known = above.children.get(key)
    const node = known ?? { ...newNode(key, 'section'), area }
    if (known === undefined) left--
    node.bytes += bytes
    node.parts = 1
    above.children.set(key, node)
    above.parts++
  }
  for (const { parts } of byArea.values()) root.parts += parts
  const text = byArea.get('code')?.children.get(`code\0.text`)
  if (text === undefined || modules === undefined) return root
  for (const { name, bytes } of modules.slice(0, MAX_LARGEST)) {
    const key: PathKey = `${text.key}\0${encodeText(name.slice(0, MAX_NAME))}`
    text.children.set(key, { ...newNode(key, 'module'), area: 'code', bytes, parts: 1 })
  }
  return root
}

function shown({ children, ...node }: Node): InsideNode {
  return {
    ...node,
    children: [...children.values()]
      .sort((a, b) => b.bytes - a.bytes || (a.key < b.key ? -1 : 1))
      .map((child) => shown(child)),
  }
}
