import fc from 'fast-check'
import { expect, test } from 'vitest'
import { applyLayers, diveFigures } from '../../test/layers/apply.ts'
import { imageLayers, tableRows } from '../../test/layers/generate.ts'
import { imageSource, smallTable, storeImage, storeLayer } from '../../test/layers/store.ts'
import { tries } from '../../test/layers/tries.ts'
import { MemoryStore } from '../../test/support/memory-store.ts'
import type { ObjectStore } from '../host.ts'
import { imageKey, layerKey } from '../index/keys.ts'
import type { Entry } from '../layer/entry.ts'
import type { Schema } from '../table/schema.ts'
import { openTable, plainRow } from '../table/table.ts'
import { toHex } from '../text/bytes.ts'
import { showPath } from '../text/path.ts'
import { DIRECTORIES } from './directories.ts'
import { DUPLICATES } from './duplicates.ts'
import { readStoredImage, type SmallTable, writeFailure } from './image.ts'
import { MERGED_ENTRIES } from './merged-entry.ts'
import { WASTED_FILES } from './waste.ts'
import { writeImage } from './write.ts'

const RUNS = tries(100, 5_000)

async function readAll<Row>(
  store: ObjectStore,
  digest: string,
  name: SmallTable | 'files.parquet',
  schema: Schema<Row>,
): Promise<Row[]> {
  const table =
    name === 'files.parquet'
      ? await openTable(store, imageKey(digest, name), schema)
      : await smallTable(store, digest, name, schema)
  if (table === undefined) throw new Error(`no ${name}`)
  const rows: Row[] = []
  for await (const batch of table.rows()) rows.push(...batch.map((row) => plainRow(schema, row)))
  return rows
}

/** Groups of two or more files with the same content, according to the table. */
function groupsOf(files: readonly Pick<Entry, 'key' | 'bytes' | 'sha256'>[]) {
  const byContent = Map.groupBy(
    files.filter(({ bytes }) => bytes > 0),
    ({ sha256 = '' }) => sha256,
  )
  return [...byContent]
    .filter(([, copies]) => copies.length > 1)
    .map(([sha256, copies]) => {
      const bytes = copies[0]?.bytes ?? 0
      const keys = copies.map(({ key }) => key).sort()
      const wastedBytes = bytes * (copies.length - 1)
      return {
        sha256: toHex(sha256),
        bytes,
        count: copies.length,
        wastedBytes,
        paths: keys.slice(0, 50).map(showPath),
      }
    })
    .sort((a, b) => b.wastedBytes - a.wastedBytes || (a.sha256 < b.sha256 ? -1 : 1))
}

test('the tables and the facts agree', async () => {
  await fc.assert(
    fc.asyncProperty(imageLayers, async (layers) => {
      const store = new MemoryStore()
      const { digest, facts } = await storeImage(store, layers)
      const applied = applyLayers(layers).paths
      const files = await readAll(store, digest, 'files.parquet', MERGED_ENTRIES)
      expect(files.map(({ key }) => key)).toEqual(applied.map(({ key }) => key))

      const directories = await readAll(store, digest, 'directories', DIRECTORIES)
      expect(directories.find(({ key }) => key === '')?.bytes).toBe(facts.size.apparentBytes)
      expect(directories).toHaveLength(facts.counts.directories + 1)

      const waste = await readAll(store, digest, 'waste', WASTED_FILES)
      const bytesOf = (of: typeof waste) => of.reduce((sum, { bytes }) => sum + bytes, 0)
      expect(waste).toEqual(waste.toSorted((a, b) => b.bytes - a.bytes))
      expect(facts.waste).toMatchObject({ bytes: bytesOf(waste), files: waste.length })
      for (const reason of ['removed', 'replaced', 'metadataOnly'] as const) {
        const some = waste.filter((file) => file.reason === reason)
        expect(facts.waste[reason]).toEqual({ bytes: bytesOf(some), files: some.length })
      }
      expect(facts.layers.map(({ wastedBytes }) => wastedBytes)).toEqual(
        layers.map((_, layer) => bytesOf(waste.filter((file) => file.layer === layer))),
      )
      expect(facts.size.rootfsBytes + facts.waste.bytes).toBe(facts.size.fileBytes)

      const inodes = new Map(
        applied
          .flatMap(({ entry, inode, key }) =>
            entry?.type === 'file' ? [[inode, { ...entry, key }] as const] : [],
          )
          .reverse(),
      )
      const groups = groupsOf([...inodes.values()])
      expect(await readAll(store, digest, 'duplicates', DUPLICATES)).toEqual(groups)
      const wastedBytes = groups.reduce((sum, group) => sum + group.wastedBytes, 0)
      expect(facts.duplicates).toEqual({ groups: groups.length, wastedBytes })
      const members = layers.flat().filter(({ type, whiteout }) => type === 'file' && whiteout === undefined)
      expect(await readAll(store, digest, 'layerDuplicates', DUPLICATES)).toEqual(groupsOf(members))

      const { score, ...efficiency } = diveFigures(layers)
      expect(facts.efficiency).toEqual({ ...efficiency, score: expect.closeTo(score, 12) })

      const largest = applied
        .filter(({ entry }) => entry?.type === 'file')
        .map(({ key, entry, layer }) => ({ ...showPath(key), bytes: entry?.bytes, layer }))
        .sort((a, b) => (b.bytes ?? 0) - (a.bytes ?? 0))
      expect(facts.largestFiles).toEqual(largest.slice(0, 20))
      expect(await readStoredImage(store, digest)).toMatchObject({ facts })
      expect([...store.objects.keys()].filter((key) => key.startsWith('temporary/'))).toEqual([])
    }),
    { numRuns: RUNS },
  )
})

test('an interrupted merge leaves nothing that is served and no temporary objects', async () => {
  const store = new MemoryStore()
  const layer = await storeLayer(store, 'a layer', tableRows([fileOf('a', 0), fileOf('b', 1)], 1))
  const source = imageSource('cut', [layer])
  const put = store.put.bind(store)
  store.put = async (key, body) => {
    if (key.endsWith('packages.parquet')) throw new Error('the store is full')
    await put(key, body)
  }
  await expect(writeImage(store, source)).rejects.toThrow('the store is full')
  expect(await readStoredImage(store, source.index)).toBeUndefined()
  expect([...store.objects.keys()].filter((key) => key.startsWith('temporary/'))).toEqual([])
  store.put = put
  await writeImage(store, source)
  expect(await readStoredImage(store, source.index)).toMatchObject({ facts: { counts: { files: 2 } } })
})

test.each([
  ['missing', () => undefined],
  ['truncated', (table: Uint8Array) => table.subarray(0, table.length - 100)],
  [
    'damaged in the middle',
    (table: Uint8Array) => table.map((byte, at) => (at > 10 && at < 60 ? ~byte : byte)),
  ],
])('a layer whose table is %s counts as not indexed', async (_, damage) => {
  const store = new MemoryStore()
  const layer = await storeLayer(store, 'a layer', tableRows([fileOf('a', 0)]))
  const { digest } = layer.descriptor
  const key = layerKey(digest, 'entries.parquet')
  const damaged = damage(store.objects.get(key) ?? new Uint8Array())
  if (damaged === undefined) store.objects.delete(key)
  else store.objects.set(key, damaged)
  await expect(writeImage(store, imageSource('lost', [layer]))).rejects.toMatchObject({ code: 'store_error' })
  expect(store.objects.has(key)).toBe(false)
})

test('a failure is stored in place of facts', async () => {
  const store = new MemoryStore()
  const failure = { code: 'invalid_image', detail: 'layer 1 is cut off', layer: 1, permanent: true } as const
  await writeFailure(store, imageSource('bad', []).index, failure)
  expect(await readStoredImage(store, imageSource('bad', []).index)).toEqual({ failure })
})

function fileOf(key: string, ordinal: number): Entry {
  const sha256 = key.padEnd(32, '\xff')
  return { key, type: 'file', bytes: 7, mode: 0o644, uid: 0, gid: 0, mtime: 0, sha256, ordinal, offset: 512 }
}
