import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type AppliedPath, applyLayers } from '../../test/layers/apply.ts'
import { imageLayers } from '../../test/layers/generate.ts'
import { imageSource, smallTable, storeImage, storeLayer } from '../../test/layers/store.ts'
import { LONG, tries } from '../../test/layers/tries.ts'
import { MemoryStore } from '../../test/support/memory-store.ts'
import type { ObjectStore } from '../host.ts'
import { ENTRIES } from '../index/entries.ts'
import { imageKey, layerKey } from '../index/keys.ts'
import type { Entry } from '../layer/entry.ts'
import type { Schema } from '../table/schema.ts'
import { openTable } from '../table/table.ts'
import { compareText, encodeText, toByteString } from '../text/bytes.ts'
import { isWithin, parentKey, pathToKey, showPath } from '../text/path.ts'
import { DIRECTORIES } from './directories.ts'
import type { MergedEntry } from './merged-entry.ts'
import { MERGED_ENTRIES } from './merged-entry.ts'
import { imageTree, layerTree, type TreeNode, type TreeShape } from './tree.ts'
import { writeImage } from './write.ts'

const RUNS = tries(100, 5_000)

async function table<Row>(store: ObjectStore, key: string, schema: Schema<Row>) {
  const opened = await openTable(store, key, schema)
  if (opened === undefined) throw new Error(`no ${key}`)
  return opened
}

async function treeTables(store: ObjectStore, digest: string) {
  return {
    files: await table(store, imageKey(digest, 'files.parquet'), MERGED_ENTRIES),
    directories: await smallTable(store, digest, 'directories', DIRECTORIES),
  }
}

/** The same, computed by scanning all paths for each directory. */
function expectedTree(paths: readonly AppliedPath[], key: string, options: TreeShape): TreeNode | undefined {
  const path = paths.find((one) => one.key === key)
  if (path === undefined && key !== '') return undefined
  const type = path === undefined ? 'directory' : (path.entry?.type ?? 'directory')
  const files = paths.filter((one) => isWithin(one.key, key) && one.entry?.type === 'file')
  const bytes = files.reduce((sum, { entry }) => sum + (entry?.bytes ?? 0), 0)
  const shown = { ...showPath(key), type, bytes, files: files.length }
  if (type !== 'directory' || options.depth === 0) return shown
  const children = paths
    .filter((one) => one.key !== key && parentKey(one.key) === key)
    .map((one) => expectedTree(paths, one.key, { ...options, depth: options.depth - 1 }))
    .filter((child) => child !== undefined)
    .sort((a, b) => b.bytes - a.bytes)
  return { ...shown, children: children.slice(0, options.limit) }
}

const options = fc.record({ depth: fc.nat(4), limit: fc.integer({ min: 1, max: 5 }) })
const asked = fc.constantFrom('', 'a', 'b', 'a/b', 'a/a', 'c/-d', '.e')

test('a tree has the sizes du reports for each directory, largest first', async () => {
  await fc.assert(
    fc.asyncProperty(imageLayers, asked, options, async (layers, path, options) => {
      const store = new MemoryStore()
      const { digest } = await storeImage(store, layers)
      const { paths } = applyLayers(layers)
      const key = pathToKey(path)
      const expected = expectedTree(paths, key, options)
      const tree = imageTree(await treeTables(store, digest), key, options)
      if (expected === undefined) await expect(tree).rejects.toMatchObject({ code: 'path_not_found' })
      else expect(await tree).toEqual(expected)
    }),
    { numRuns: RUNS },
  )
})

test("a layer's tree is that of the layer alone", async () => {
  await fc.assert(
    fc.asyncProperty(imageLayers, asked, options, async (layers, path, options) => {
      const store = new MemoryStore()
      const stored = await storeImage(store, layers)
      const key = pathToKey(path)
      for (const [layer, { descriptor }] of stored.layers.entries()) {
        const expected = expectedTree(applyLayers([layers[layer] ?? []]).paths, key, options)
        const members = await table(store, layerKey(descriptor.digest, 'entries.parquet'), ENTRIES)
        const tree = layerTree(members, key, options)
        if (expected === undefined) await expect(tree).rejects.toMatchObject({ code: 'path_not_found' })
        else expect(await tree).toEqual(expected)
      }
    }),
    { numRuns: RUNS / 2 },
  )
})

test('a directory shown page by page loses nothing, in either order', async () => {
  const orders = fc.constantFrom('bytes', 'name')
  await fc.assert(
    fc.asyncProperty(imageLayers, asked, orders, fc.integer({ min: 1, max: 3 }), async (...given) => {
      const [layers, path, order, limit] = given
      const store = new MemoryStore()
      const { digest } = await storeImage(store, layers)
      const key = pathToKey(path)
      const expected = expectedTree(applyLayers(layers).paths, key, { depth: 1, limit: 1_000 })?.children
      if (expected === undefined) return
      const tables = await treeTables(store, digest)
      const found: TreeNode[] = []
      for (let last: TreeNode | undefined; ; last = found.at(-1)) {
        const after = last && { bytes: last.bytes, key: keyOf(last) }
        const { children = [] } = await imageTree(tables, key, { depth: 1, limit, order, after })
        if (children.length === 0) break
        found.push(...children)
      }
      const byName = expected.toSorted((a, b) => compareText(keyOf(a), keyOf(b)))
      expect(found).toEqual(order === 'name' ? byName : expected)
    }),
    { numRuns: RUNS },
  )
})

function keyOf({ path, pathBase64 }: TreeNode): string {
  return pathToKey(
    pathBase64 === undefined ? encodeText(path) : toByteString(Buffer.from(pathBase64, 'base64')),
  )
}

/** Twenty directories of subdirectories with 50 files each, and symbolic links at the root between them. */
async function* manyFiles(total: number): AsyncGenerator<readonly Entry[]> {
  const common = { mode: 0o755, uid: 0, gid: 0, mtime: 0, offset: 512 }
  let ordinal = 0
  for (let top = 0; top < 20; top++) {
    const name = `top${String(top).padStart(2, '0')}`
    const batch: Entry[] = []
    batch.push({ ...common, key: name, type: 'directory', bytes: 0, ordinal: ordinal++ })
    for (let file = 0; file < total / 20; file++) {
      const key = `${name}\0d${String(Math.floor(file / 50)).padStart(5, '0')}\0file-${String(file).padStart(6, '0')}.txt`
      const sha256 = `${top}/${file}`.padStart(32, '\x80')
      batch.push({ ...common, key, type: 'file', bytes: file, sha256, ordinal: ordinal++ })
    }
    yield batch
    yield [{ ...common, key: `${name}x`, type: 'symlink', bytes: 0, link: 'top00', ordinal: ordinal++ }]
  }
}

test('a directory of many files, or a page of it, is read in a few pieces', async () => {
  const total = LONG ? 1_000_000 : 40_000
  const store = new MemoryStore()
  const layer = await storeLayer(store, 'many', manyFiles(total))
  const source = imageSource('many files', [layer])
  await writeImage(store, source)
  for (const path of ['', 'top10', 'top10/d00007']) {
    store.bytesRead = 0
    const tree = await imageTree(await treeTables(store, source.index), pathToKey(path), {
      depth: 1,
      limit: 100,
    })
    expect(tree.children).toHaveLength(path === '' ? 40 : path === 'top10' ? Math.min(100, total / 1000) : 50)
    expect(store.bytesRead).toBeLessThan(512 * 1024)
  }
  store.bytesRead = 0
  const { files } = await treeTables(store, source.index)
  const start = Math.floor(files.rowCount / 2)
  const page: MergedEntry[] = []
  for await (const rows of files.rows({ start, end: start + 100 })) page.push(...rows)
  expect(page.map(({ key }) => key)).toHaveLength(100)
  expect(store.bytesRead).toBeLessThan(512 * 1024)
})
