import { expect, test } from 'vitest'
import type { Change, JoinedRow } from './change.ts'
import { type ChangeNode, ChangeTree, pathsOf, weightOf } from './change-tree.ts'

const row = (key: string, bytes: number, type: JoinedRow['type'] = 'file'): JoinedRow => ({
  key,
  type,
  bytes,
  mode: 0o644,
  uid: 0,
  gid: 0,
  mtime: 0,
  sha256: undefined,
  link: undefined,
  device: undefined,
  xattrs: undefined,
  implicit: undefined,
})
const at = { fromRow: 0, toRow: 0 }
const added = (key: string, bytes: number, type?: JoinedRow['type']): Change => ({
  kind: 'added',
  key,
  to: row(key, bytes, type),
  ...at,
})
const removed = (key: string, bytes: number): Change => ({
  kind: 'removed',
  key,
  from: row(key, bytes),
  ...at,
})
const modified = (key: string, from: number, to: number): Change => ({
  kind: 'modified',
  key,
  from: row(key, from),
  to: row(key, to),
  fields: ['content'],
  ...at,
})

function treeOf(changes: readonly Change[], most?: number): ChangeNode {
  const tree = new ChangeTree(most)
  for (const change of changes) tree.add(change)
  return tree.finish()
}

const named = (node: ChangeNode | undefined, ...keys: readonly string[]): ChangeNode | undefined =>
  keys.reduce<ChangeNode | undefined>(
    (found, key) => found?.children.find((child) => child.key === key),
    node,
  )

test('a directory shows its own change besides those of its subdirectories', () => {
  const root = treeOf([
    added('usr', 0, 'directory'),
    removed('usr\0a', 10),
    added('usr\0lib', 0, 'directory'),
    added('usr\0lib\0b', 300),
    modified('usr\0lib\0c', 50, 40),
    modified('z', 5, 5),
  ])
  expect([root.delta, root.ownDelta, root.counts]).toEqual([280, 0, { added: 3, removed: 1, modified: 2 }])
  const usr = named(root, 'usr')
  expect([usr?.delta, usr?.ownDelta, usr?.change?.change]).toEqual([280, -10, 'added'])
  const lib = named(root, 'usr', 'usr\0lib')
  expect([lib?.delta, lib?.ownDelta]).toEqual([290, 290])
  expect(lib?.bytes).toEqual({ added: 300, removed: 0, modified: 50 })
  expect(lib?.children.map(({ key }) => key)).toEqual(['usr\0lib\0b', 'usr\0lib\0c'])
  expect(named(root, 'z')?.change).toMatchObject({ change: 'modified', delta: 0 })
})

test('a changed mode alone counts as a changed path, but as no bytes', () => {
  const [from, to] = [row('a', 900), { ...row('a', 900), mode: 0o755 }]
  const root = treeOf([{ kind: 'modified', key: 'a', from, to, fields: ['mode'], ...at }])
  expect([weightOf(root), pathsOf(root)]).toEqual([0, 1])
})

test('the number of nodes is limited; the smallest are left out, and the sums still include them', () => {
  const changes = Array.from({ length: 50 }, (_, d) =>
    Array.from({ length: 40 }, (_, f) =>
      added(`d${String(d).padStart(2, '0')}\0f${String(f).padStart(2, '0')}`, 1 + 40 * d + f),
    ),
  ).flat()
  const root = treeOf(changes, 500)
  const nodes = (node: ChangeNode): number => node.children.reduce((sum, child) => sum + nodes(child), 1)
  const left = (node: ChangeNode): number =>
    node.children.reduce((sum, child) => sum + left(child), node.left)
  expect(nodes(root)).toBeLessThanOrEqual(501)
  expect(nodes(root)).toBeGreaterThan(50)
  expect(root.counts.added).toBe(2_000)
  expect(root.delta).toBe((2_000 * 2_001) / 2)
  const leaves = (node: ChangeNode): number =>
    node.isDirectory ? node.children.reduce((sum, child) => sum + leaves(child), 0) : 1
  expect(leaves(root) + left(root)).toBe(2_000)
  expect(named(root, 'd49', 'd49\0f39')).toBeDefined()
})
