/**
 * An image's layers applied one after the other to a tree in memory, and dive's trees of names: the definitions, written
 * plainly and without regard to size. The one-pass merge is compared with them.
 */

import type { Entry } from '../../src/layer/entry.ts'
import { toBytes } from '../../src/text/bytes.ts'
import { cleanPath } from '../../src/text/clean-path.ts'
import { baseName, keyToPath, type PathKey, parentKey } from '../../src/text/path.ts'

export type Applied = {
  /** In path order. */
  readonly paths: readonly AppliedPath[]
  readonly anomalies: readonly { readonly code: string; readonly key: PathKey; readonly layer: number }[]
}

export type AppliedPath = {
  readonly key: PathKey
  /** Undefined for a directory without an entry in any layer. */
  readonly entry: Entry | undefined
  readonly layer: number | undefined
  /** Undefined for a directory. */
  readonly inode: number | undefined
}

type Tree = { entry?: Entry; layer?: number; inode?: number; children?: Map<string, Tree> }

export function applyLayers(layers: readonly (readonly Entry[])[]): Applied {
  const root: Tree = { children: new Map() }
  const anomalies: { code: string; key: PathKey; layer: number }[] = []
  let inodes = 0

  const directoryOf = (key: PathKey, make: ((what: 'symlinkParent' | 'fileParent') => void) | undefined) => {
    let tree = root
    for (const part of key.split('\0').slice(0, -1)) {
      let child = tree.children?.get(part)
      if (child !== undefined && child.children === undefined) {
        if (make === undefined) return undefined
        make(child.entry?.type === 'symlink' ? 'symlinkParent' : 'fileParent')
        child = undefined
      }
      if (child === undefined) {
        if (make === undefined) return undefined
        child = { children: new Map() }
        tree.children?.set(part, child)
      }
      tree = child
    }
    return tree.children
  }
  const find = (key: PathKey) => (key === '' ? undefined : directoryOf(key, undefined)?.get(baseName(key)))

  for (const [layer, entries] of layers.entries()) {
    for (const entry of entries) {
      if (entry.whiteout === 'opaque') {
        const directory = parentKey(entry.key)
        const tree = directory === '' ? root : find(directory)
        tree?.children?.clear()
      } else if (entry.whiteout === 'file') {
        const name = baseName(entry.key)
        const target = entry.key.slice(0, entry.key.length - name.length) + name.slice('.wh.'.length)
        if (!directoryOf(target, undefined)?.delete(baseName(target))) {
          anomalies.push({ code: 'whiteoutOfNothing', key: target, layer })
        }
      }
    }
    const seen = new Set<PathKey>()
    for (const entry of entries) {
      const { key } = entry
      if (entry.whiteout !== undefined) continue
      if (seen.has(key) && entry.type !== 'directory') anomalies.push({ code: 'duplicateEntry', key, layer })
      seen.add(key)
      if (key === '') continue
      const siblings = directoryOf(key, (code) => anomalies.push({ code, key, layer }))
      const name = baseName(key)
      const old = siblings?.get(name)
      if (entry.type === 'directory') {
        if (old?.children !== undefined) {
          old.entry = entry
          old.layer = layer
        } else siblings?.set(name, { entry, layer, children: new Map() })
      } else if (entry.type === 'hardlink') {
        const target = find(cleanPath(toBytes(entry.link ?? '')).key)
        if (target === undefined || target.children !== undefined) {
          anomalies.push({ code: 'danglingHardlink', key, layer })
        } else siblings?.set(name, { ...target })
      } else siblings?.set(name, { entry, layer, inode: ++inodes })
    }
  }
  const paths: AppliedPath[] = []
  const list = (tree: Tree, prefix: string) => {
    for (const [name, child] of [...(tree.children ?? [])].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const key = prefix + name
      paths.push({ key, entry: child.entry, layer: child.layer, inode: child.inode })
      list(child, `${key}\0`)
    }
  }
  list(root, '')
  return { paths, anomalies }
}

/** A node of one of dive's trees. */
type DiveNode = {
  payload: { bytes: number; isDirectory: boolean } | undefined
  readonly children: Map<string, DiveNode>
}

/** Its payload is a distinct object, which tells what is at a path from what was there before. */
const newNode = (): DiveNode => ({ payload: { bytes: 0, isDirectory: false }, children: new Map() })

function sorted(node: DiveNode): [string, DiveNode][] {
  return [...node.children].sort(([a], [b]) => (a < b ? -1 : 1))
}

function add(tree: DiveNode, path: string, payload: DiveNode['payload']): void {
  let node = tree
  for (const part of path.split('/')) {
    let child = node.children.get(part)
    if (child === undefined) {
      if (part.startsWith('.wh..wh.')) return
      child = newNode()
      node.children.set(part, child)
    }
    node = child
  }
  node.payload = payload
}

function get(tree: DiveNode, path: string): DiveNode | undefined {
  let node: DiveNode | undefined = tree
  for (const part of path.split('/')) node = node?.children.get(part)
  return node
}

function total(node: DiveNode): number {
  return [...node.children.values()].reduce((sum, child) => sum + total(child), node.payload?.bytes ?? 0)
}

function* leaves(node: DiveNode, path: string): Generator<[path: string, name: string, node: DiveNode]> {
  for (const [name, child] of sorted(node)) {
    if (child.children.size > 0) yield* leaves(child, `${path}${name}/`)
    else yield [path, name, child]
  }
}

function stack(tree: DiveNode, upper: DiveNode, path: string): void {
  for (const [name, child] of sorted(upper)) {
    stack(tree, child, `${path}${name}/`)
    if (name.startsWith('.wh.')) {
      const directory = path === '' ? tree : get(tree, path.slice(0, -1))
      directory?.children.delete(name.slice(4))
    } else add(tree, path + name, child.payload)
  }
}

function copy(node: DiveNode): DiveNode {
  return {
    payload: node.payload,
    children: new Map([...node.children].map(([name, child]) => [name, copy(child)])),
  }
}

/** What dive sees of a path in a layer; a whiteout has no payload. */
type Seen = { readonly bytes: number; readonly layer: number; readonly payload?: DiveNode['payload'] }

/** dive's figures, as dive computes them, for what counts against an image. */
export function diveFigures(
  layers: readonly (readonly Entry[])[],
  blame = { ignores: (_path: string) => false, baseLayers: 0 },
) {
  const seen = new Map<string, Seen[]>()
  const ownWhiteoutsOfNothing = new Set<string>()
  let stacked: DiveNode | undefined
  let stackedBase: DiveNode | undefined
  for (const [layer, entries] of layers.entries()) {
    const tree = newNode()
    for (const entry of entries) {
      const path = keyToPath(entry.key)
      const bytes = blame.ignores(path.replace(/(^|\/)\.wh\.(?=[^/]*$)/, '$1')) ? 0 : entry.bytes
      if (path !== '') add(tree, path, { bytes, isDirectory: entry.type === 'directory' })
    }
    stacked ??= copy(tree)
    for (const [path, leaf, node] of leaves(tree, '')) {
      const isWhiteout = leaf.startsWith('.wh.')
      const name = path + (isWhiteout ? leaf.slice(4) : leaf)
      const sizes = seen.get(name) ?? []
      seen.set(name, sizes)
      if (!isWhiteout) {
        sizes.push({ bytes: node.payload?.bytes ?? 0, layer, payload: node.payload })
        continue
      }
      const before = get(stacked, name)
      if (before === undefined) {
        if (layer >= blame.baseLayers) ownWhiteoutsOfNothing.add(name)
        break
      }
      sizes.push({ bytes: before.payload?.isDirectory ? total(before) : 0, layer })
    }
    stack(stacked, tree, '')
    if (layer === blame.baseLayers - 1) stackedBase = copy(stacked)
  }
  const standsAt = (tree: DiveNode | undefined, path: string, { payload }: Seen) =>
    tree !== undefined && get(tree, path)?.payload === payload
  const counts = (path: string, one: Seen) =>
    one.layer >= blame.baseLayers ||
    (one.payload !== undefined && standsAt(stackedBase, path, one) && !standsAt(stacked, path, one))
  const lists = [...seen].flatMap(([path, sizes]) => {
    if (blame.ignores(path)) return []
    const counted = sizes.filter((one) => counts(path, one))
    return counted.length === 0 && !ownWhiteoutsOfNothing.has(path) ? [] : [counted.map(({ bytes }) => bytes)]
  })
  const sum = (sizes: readonly number[]) => sizes.reduce((all, size) => all + size, 0)
  const least = sum(lists.map((sizes) => (sizes.length > 0 ? Math.min(...sizes) : -1)))
  const high = sum(lists.map(sum))
  const repeated = lists.filter((sizes) => sizes.length > 1)
  const wastedBytes = sum(repeated.map(sum))
  const userLayers = layers.slice(Math.max(blame.baseLayers, 1))
  const userBytes = sum(userLayers.map((entries) => sum(entries.map(({ bytes }) => bytes))))
  return {
    score: high === 0 ? 1 : least / high,
    wastedBytes,
    ...(userBytes === 0 ? {} : { wastedUserRatio: wastedBytes / userBytes }),
    inefficientPaths: repeated.length,
  }
}
