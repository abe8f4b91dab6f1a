import { expect, test } from 'vitest'
import { type GroupRow, groupsOf, largeFiles, type OwnerOf, TooManyGroups } from './groups.ts'

const PLAIN: Omit<GroupRow, 'key' | 'type' | 'bytes'> = {
  mode: 0o644,
  uid: 0,
  gid: 0,
  link: undefined,
  device: undefined,
  xattrs: undefined,
  layer: 1,
  inode: undefined,
  sha256: undefined,
}

let inodes = 0
function row(path: string, bytes: number, more: Partial<GroupRow> = {}): GroupRow {
  return {
    ...PLAIN,
    key: path.replaceAll('/', '\0'),
    type: 'file',
    bytes,
    inode: ++inodes,
    sha256: 'x',
    ...more,
  }
}

async function* batches(rows: readonly GroupRow[]) {
  for (let i = 0; i < rows.length; i += 2) yield rows.slice(i, i + 2)
}

const nobody: OwnerOf = () => undefined

async function groups(rows: readonly GroupRow[], ownerOf = nobody, limit = 100) {
  const image = () => ({ rows: batches(rows), ownerOf, firstLayer: 1 })
  return groupsOf(image(), await largeFiles(image()), limit)
}

test('files are grouped by package, alone if they are large, else by their first two directories', async () => {
  const owner: OwnerOf = (key) => (key === 'usr\0lib\0p\0a' ? { type: 'deb', name: 'p' } : undefined)
  const found = await groups(
    [row('app', 5), row('big', 1000), row('usr/lib/a/b/c', 6), row('usr/lib/d', 7), row('usr/lib/p/a', 8)],
    owner,
  )
  expect([...found.values()].map(({ name, bytes }) => ({ ...name, bytes }))).toEqual([
    { kind: 'path', key: '', bytes: 5 },
    { kind: 'path', key: 'big', bytes: 1000 },
    { kind: 'path', key: 'usr\0lib', bytes: 13 },
    { kind: 'package', type: 'deb', name: 'p', bytes: 8 },
  ])
})

test('an inode counts once, and what the base image has counts never', async () => {
  const found = await groups([
    row('a/x', 5, { inode: 1e6 }),
    row('b/x', 5, { inode: 1e6 }),
    row('c/x', 9, { layer: 0 }),
  ])
  expect([...found.values()].map(({ bytes }) => bytes)).toEqual([5, 0])
})

test.each([
  ['content', { sha256: 'y' }, false],
  ['mode', { mode: 0o600 }, false],
  ['owner', { gid: 1 }, false],
  ['xattrs', { xattrs: new Map([['a', 'b']]) }, false],
  ['type', { type: 'symlink', link: 'x' }, false],
  ['layer', { layer: 2 }, true],
] as const)('another %s of a member decides whether its group changed', async (_, change, isSame) => {
  const [before] = (await groups([row('a/x', 5)])).values()
  const [after] = (await groups([row('a/x', 5, change)])).values()
  expect(after?.digest === before?.digest).toBe(isSame)
})

test('there are at most so many groups', async () => {
  const rows = ['a/x', 'b/x', 'c/x'].map((path) => row(path, 1, { type: 'symlink' }))
  await expect(groups(rows, nobody, 2)).rejects.toThrow(TooManyGroups)
})
