import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { batchesOf, fileSystem } from '../../test/support/file-systems.ts'
import type { MergedEntry } from '../image/merged-entry.ts'
import { isWithin, type PathKey, parentKey, showPath } from '../text/path.ts'
import { type Change, fromBytes, toBytes } from './change.ts'
import { type DirectoryChange, DirectoryGrowth } from './directories.ts'
import { joinRows } from './join.ts'

type Rows = readonly MergedEntry[]

async function changesOf(from: Rows, to: Rows): Promise<Change[]> {
  const changes: Change[] = []
  const steps = joinRows({ batches: batchesOf(from)(0), start: 0 }, { batches: batchesOf(to)(0), start: 0 })
  for await (const step of steps) changes.push(...step.changes)
  return changes
}

function growth(changes: readonly Change[], limit = 50): DirectoryChange[] {
  const directories = new DirectoryGrowth(limit)
  for (const change of changes) directories.add(change)
  return directories.finish()
}

/** Regular files with all directories above them. */
function files(sizes: Readonly<Record<string, number>>): MergedEntry[] {
  const paths = new Map<string, number | undefined>()
  for (const [path, bytes] of Object.entries(sizes)) {
    paths.set(path.replaceAll('/', '\0'), bytes)
    for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1)) {
      paths.set(path.slice(0, at).replaceAll('/', '\0'), undefined)
    }
  }
  const plain = { mode: 0o755, uid: 0, gid: 0, mtime: 0, ordinal: 0, offset: 0, layer: 0 }
  return [...paths]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(
      ([key, bytes]): MergedEntry =>
        bytes === undefined
          ? { ...plain, key, type: 'directory', bytes: 0 }
          : { ...plain, key, type: 'file', bytes, sha256: String(bytes).padEnd(32) },
    )
}

const shown = async (from: Readonly<Record<string, number>>, to: Readonly<Record<string, number>>) =>
  growth(await changesOf(files(from), files(to))).map(({ path, delta }) => [path, delta])

describe('where the growth is', () => {
  test('the deepest directory that contains all of it', async () => {
    expect(await shown({ 'a/x': 1 }, { 'a/b/c/y': 5, 'a/b/c/z': 2, 'a/x': 1 })).toEqual([['a/b/c', 7]])
  })

  test('a directory and one below it, if both are informative', async () => {
    expect(await shown({ 'a/x': 1 }, { 'a/x': 4, 'a/b/y': 9, 'c/z': 2 })).toEqual([
      ['a', 12],
      ['a/b', 9],
      ['c', 2],
    ])
    expect(await shown({}, { 'a/b/x': 1, 'a/c/x': 2 })).toEqual([
      ['a', 3],
      ['a/c', 2],
      ['a/b', 1],
    ])
  })

  test('growth and shrinkage that cancel out are shown where they happened', async () => {
    expect(await shown({ 'a/b/x': 5 }, { 'a/c/x': 5 })).toEqual([
      ['a/b', -5],
      ['a/c', 5],
    ])
  })

  test('paths are counted, including the directory itself', async () => {
    const changes = await changesOf(
      files({ 'a/gone': 1, 'a/more': 1, 'a/mode': 1 }),
      files({ 'a/new/x': 5, 'a/more': 9, 'a/mode': 1 }).map((row) =>
        row.key === 'a\0mode' ? { ...row, mode: 0 } : row,
      ),
    )
    expect(growth(changes)).toEqual([
      { path: 'a', delta: 12, added: 2, removed: 1, modified: 2 },
      { path: 'a/new', delta: 5, added: 2, removed: 0, modified: 0 },
    ])
  })

  test('a file that becomes a directory counts as removed', async () => {
    expect(await shown({ 'a/b': 5 }, { 'a/b/x': 2 })).toEqual([['a/b', -3]])
  })

  test('no more than requested', async () => {
    const many = Object.fromEntries(Array.from({ length: 90 }, (_, i) => [`d${i}/x`, i + 1]))
    const found = growth(await changesOf([], files(many)), 50)
    expect(found.map(({ delta }) => delta)).toEqual(Array.from({ length: 50 }, (_, i) => 90 - i))
  })
})

/** Looks at each directory separately. */
function naively(changes: readonly Change[]): DirectoryChange[] {
  const isDirectory = (change: Change): boolean =>
    (change.kind !== 'added' && change.from.type === 'directory') ||
    (change.kind !== 'removed' && change.to.type === 'directory')
  const holder = (change: Change): PathKey => (isDirectory(change) ? change.key : parentKey(change.key))
  const directories = new Set<PathKey>()
  for (const change of changes)
    for (let at = holder(change); at !== ''; at = parentKey(at)) directories.add(at)
  const delta = (some: readonly Change[]): number =>
    some.reduce((sum, one) => sum + toBytes(one) - fromBytes(one), 0)
  const below = (directory: PathKey): Change[] =>
    changes.filter((change) => isWithin(holder(change), directory))
  const grown = [...directories].filter((directory) => delta(below(directory)) !== 0)
  return grown
    .filter((directory) => {
      const moved = changes.some((one) => holder(one) === directory && toBytes(one) !== fromBytes(one))
      return moved || grown.filter((other) => parentKey(other) === directory).length !== 1
    })
    .map((directory) => {
      const all = below(directory)
      const count = (kind: Change['kind']): number => all.filter((change) => change.kind === kind).length
      return {
        ...showPath(directory),
        delta: delta(all),
        added: count('added'),
        removed: count('removed'),
        modified: count('modified'),
      }
    })
}

test('the sums equal those computed for each directory separately, generated', async () => {
  const inOrder = (all: readonly DirectoryChange[]) =>
    all.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
  await fc.assert(
    fc.asyncProperty(fileSystem, fileSystem, async (from, to) => {
      const changes = await changesOf(from, to)
      const found = growth(changes)
      expect(inOrder(found)).toEqual(inOrder(naively(changes)))
      const sizes = found.map(({ delta }) => Math.abs(delta))
      expect(sizes).toEqual(sizes.toSorted((a, b) => b - a))
    }),
    { numRuns: process.env.LAMINA_LONG ? 20_000 : 500 },
  )
})
