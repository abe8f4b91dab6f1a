import { expect, it } from 'vitest'
import { MemoryStore } from '../../test/memory-store.ts'
import { givenKey, imageKey, layerKey, tableIndexName, tocImageName } from '../index/keys.ts'
import { forgetDigest, forgetOrigin } from './forget.ts'

const DIGEST = `sha256:${'1'.repeat(64)}`
const tabled = tableIndexName(DIGEST, `sha256:${'2'.repeat(64)}`)
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
  expect([...store.objects.keys()]).toEqual([])
  for (const other of OTHERS) {
    const marker = MARKERS.filter((key) => other.startsWith(key.slice(0, key.lastIndexOf('/') + 1)))
    for (const key of marker) {
      expect(deleted.indexOf(key), key).toBeLessThan(deleted.indexOf(other))
      expect(deleted.lastIndexOf(key), key).toBeGreaterThan(deleted.indexOf(other))
    }
  }
})

it('keeps the index of what another source gave, too, and of what this one never gave', async () => {
  const other = givenKey('layer', DIGEST, 'registry.example:443')
  const store = await stored(...MARKERS, givenKey('layer', DIGEST, 'upload-a'), other)
  await forgetOrigin(store, 'upload-a', new Set([DIGEST]))
  expect([...store.objects.keys()].sort()).toEqual([...MARKERS, other].sort())
  await forgetOrigin(store, 'upload-b', new Set([DIGEST]))
  expect(store.objects.size).toBe(MARKERS.length + 1)
})
