import { expect, it } from 'vitest'
import { MemoryStore } from '../../test/support/memory-store.ts'
import { imageKey, layerKey, markerOf, provenanceKey, tableIndexName, tocImageName } from '../index/keys.ts'
import { forgetDigest, forgetTable } from './forget.ts'

const DIGEST = `sha256:${'1'.repeat(64)}`
const TABLE = `sha256:${'2'.repeat(64)}`
const tabled = tableIndexName(DIGEST, TABLE)
const MARKERS = [
  layerKey(DIGEST, 'entries.parquet'),
  layerKey(tabled, 'entries.parquet'),
  imageKey(DIGEST, 'packages.parquet'),
  imageKey(tocImageName(DIGEST), 'packages.parquet'),
]
const OTHERS = [
  layerKey(tabled, 'chunks.bin'),
  imageKey(DIGEST, 'files.parquet'),
  imageKey(DIGEST, 'public'),
  imageKey(tocImageName(DIGEST), 'files.parquet'),
]

async function stored(...keys: readonly string[]): Promise<MemoryStore> {
  const store = new MemoryStore()
  for (const key of keys) await store.put(key, new Uint8Array(1))
  return store
}

it('deletes what marks an index as complete before and after the rest of it', async () => {
  const store = await stored(...OTHERS, ...MARKERS)
  const deleted: string[] = []
  const remove = store.delete.bind(store)
  store.delete = async (key) => {
    deleted.push(key)
    await remove(key)
  }
  await forgetDigest(store, 'upload-a', DIGEST)
  await forgetTable(store, 'upload-a', { table: TABLE, blob: DIGEST })
  expect([...store.objects.keys()]).toEqual([])
  for (const other of OTHERS) {
    const marker = markerOf(other)
    expect(MARKERS).toContain(marker)
    expect(deleted.indexOf(marker), marker).toBeLessThan(deleted.indexOf(other))
    expect(deleted.lastIndexOf(marker), marker).toBeGreaterThan(deleted.indexOf(other))
  }
})

it('keeps the index of what another source gave, too', async () => {
  const own = provenanceKey('layer', DIGEST, 'upload-a')
  const other = provenanceKey('layer', DIGEST, 'registry.example:443')
  const store = await stored(...MARKERS, own, other)
  await forgetDigest(store, 'upload-a', DIGEST)
  expect([...store.objects.keys()].sort()).toEqual([...MARKERS, other].sort())
})

it('keeps what another source gave as a table of contents, even if only this one gave the content', async () => {
  const other = provenanceKey('layer', TABLE, 'registry.example:443')
  const kept = [layerKey(tabled, 'entries.parquet'), layerKey(tabled, 'chunks.bin'), other]
  const store = await stored(
    ...kept,
    provenanceKey('layer', DIGEST, 'upload-a'),
    layerKey(DIGEST, 'entries.parquet'),
  )
  await forgetTable(store, 'upload-a', { table: TABLE, blob: DIGEST })
  await forgetDigest(store, 'upload-a', DIGEST)
  expect([...store.objects.keys()].sort()).toEqual(kept.sort())
})
