import fc from 'fast-check'
import { expect, test } from 'vitest'
import { imageLayers } from '../../test/layers/generate.ts'
import { smallTable, storeImage } from '../../test/layers/store.ts'
import { tries } from '../../test/layers/tries.ts'
import { MemoryStore } from '../../test/support/memory-store.ts'
import type { ObjectStore } from '../host.ts'
import { imageKey } from '../index/keys.ts'
import type { Schema } from '../table/schema.ts'
import { openTable } from '../table/table.ts'
import { pathToKey, showPath } from '../text/path.ts'
import { type Area, findAreas } from './areas.ts'
import { DIRECTORIES } from './directories.ts'
import { MERGED_ENTRIES } from './merged-entry.ts'
import { imageTree, type TreeNode } from './tree.ts'

async function table<Row>(store: ObjectStore, key: string, schema: Schema<Row>) {
  const opened = await openTable(store, key, schema)
  if (opened === undefined) throw new Error(`no ${key}`)
  return opened
}

async function tablesOf(store: ObjectStore, digest: string) {
  return {
    files: await table(store, imageKey(digest, 'files.parquet'), MERGED_ENTRIES),
    directories: await smallTable(store, digest, 'directories', DIRECTORIES),
  }
}

type Shown = { readonly path: string; readonly bytes: number; readonly files: number; children?: Shown[] }

function ofArea({ key, bytes, files, children }: Area): Shown {
  return { path: showPath(key).path, bytes, files, ...(children && { children: children.map(ofArea) }) }
}

/** Leaves out what takes no bytes. */
function ofTree({ path, bytes, files, children }: TreeNode): Shown {
  const shown = children?.filter((child) => child.bytes > 0).map(ofTree)
  return { path, bytes, files, ...(shown && { children: shown }) }
}

const classes = { count: 5, of: ({ layer }: { readonly layer: number }) => layer }

test("areas equal the tree's sums, however many rows are read at once", async () => {
  await fc.assert(
    fc.asyncProperty(
      imageLayers,
      fc.constantFrom('', 'a', 'b', 'a/b'),
      fc.constantFrom(0, 2, 1000),
      fc.integer({ min: 1, max: 5 }),
      async (layers, path, atOnce, depth) => {
        const store = new MemoryStore()
        const { digest } = await storeImage(store, layers)
        const tables = await tablesOf(store, digest)
        const key = pathToKey(path)
        const areas = await findAreas(tables, key, {
          depth,
          smallest: 0,
          classes,
          reading: { atOnce, inAll: 1000 },
        })
        const tree = await imageTree(tables, key, { depth, limit: 1000 }).catch(() => undefined)
        if (tree?.type === 'directory') expect(areas && ofArea(areas)).toEqual(ofTree(tree))
        else expect(areas).toBeUndefined()
      },
    ),
    { numRuns: tries(100, 2_000) },
  )
})

test('small entries are left out, and a directory belongs to the layer with most of its bytes', async () => {
  const store = new MemoryStore()
  const file = (path: string, bytes: number, ordinal: number) => ({
    key: pathToKey(path),
    type: 'file' as const,
    bytes,
    mode: 0o644,
    uid: 0,
    gid: 0,
    mtime: 0,
    ordinal,
    offset: 0,
    sha256: String.fromCharCode(ordinal).padEnd(32, 'x'),
  })
  const { digest } = await storeImage(store, [
    [file('a/one', 600, 0), file('a/tiny', 1, 1)],
    [file('a/deep/two', 900, 0), file('b', 500, 1)],
  ])
  const tables = await tablesOf(store, digest)
  const found = await findAreas(tables, '', { depth: 2, smallest: 0.01, classes })
  const told = ({ key, main, children }: Area): unknown => [showPath(key).path, main, children?.map(told)]
  expect(found && told(found)).toEqual([
    '',
    1,
    [
      [
        'a',
        1,
        [
          ['a/deep', 1, undefined],
          ['a/one', 0, undefined],
        ],
      ],
      ['b', 1, undefined],
    ],
  ])
})

test('beyond the row limit, directories stay closed', async () => {
  const store = new MemoryStore()
  const { digest } = await storeImage(store, [
    Array.from({ length: 300 }, (_, i) => ({
      key: pathToKey(`d${i % 3}/f${i}`),
      type: 'file' as const,
      bytes: 100,
      mode: 0o644,
      uid: 0,
      gid: 0,
      mtime: 0,
      ordinal: i,
      offset: 0,
      sha256: 'x'.repeat(32),
    })),
  ])
  const tables = await tablesOf(store, digest)
  const shape = { depth: 3, smallest: 0, classes }
  const few = await findAreas(tables, '', { ...shape, reading: { atOnce: 120, inAll: 50 } })
  expect(few?.children?.map(({ bytes, children }) => [bytes, children?.length])).toEqual([
    [10_000, 100],
    [10_000, undefined],
    [10_000, undefined],
  ])
})
