import { expect, test } from 'vitest'
import { MemoryStore } from '../../test/support/memory-store.ts'
import { LostTable } from '../table/table.ts'
import { ChunkArchive, findChunks } from './chunks.ts'
import { layerKey, tableIndexName } from './keys.ts'

const digest = (letter: string) => `sha256:${letter.repeat(64)}`
const INDEX = tableIndexName(digest('a'), digest('b'))
const KEY = layerKey(INDEX, 'chunks.bin')

/** Two files, the second with two chunks. */
async function stored(index: string): Promise<MemoryStore> {
  const store = new MemoryStore()
  const archive = new ChunkArchive(store, index)
  archive.add({ blobOffset: 10, inner: 512, bytes: 100, blobEnd: undefined, sha256: 'x'.repeat(32) })
  archive.add({ blobOffset: 80, inner: 0, bytes: 100, blobEnd: undefined, sha256: undefined })
  archive.add({ blobOffset: 160, inner: 0, bytes: 50, blobEnd: 200, sha256: undefined })
  await archive.finish(300)
  return store
}

const FILES = [
  { offset: 0, bytes: 100 },
  { offset: 1, bytes: 150 },
] as const

test('the chunks of a file', async () => {
  const store = await stored(INDEX)
  const [first, second] = await Promise.all(FILES.map((file) => findChunks(store, INDEX, file)))
  expect(first).toEqual({
    blobOffset: 10,
    inner: 512,
    blobEnd: 80,
    chunks: [{ bytes: 100, sha256: 'x'.repeat(32) }],
  })
  expect(second).toEqual({
    blobOffset: 80,
    inner: 0,
    blobEnd: 200,
    chunks: [
      { bytes: 100, sha256: undefined },
      { bytes: 50, sha256: undefined },
    ],
  })
})

test('a record counts as lost if any byte changed or it belongs to another place or object', async () => {
  const store = await stored(INDEX)
  const whole = store.objects.get(KEY) ?? new Uint8Array(0)
  const [last] = FILES.slice(-1)
  const lost = async (bytes: Uint8Array, what: string) => {
    store.objects.set(KEY, bytes)
    await expect(findChunks(store, INDEX, last ?? FILES[0]), what).rejects.toThrow(LostTable)
  }
  const record = whole.length / 4
  for (let at = record; at < 3 * record; at++)
    await lost(
      whole.map((byte, i) => byte ^ (i === at ? 4 : 0)),
      `byte ${at}`,
    )
  await lost(whole.subarray(record), 'moved')
  await lost(whole.subarray(0, 2 * record), 'cut short')
  const other = tableIndexName(digest('a'), digest('c'))
  await lost((await stored(other)).objects.get(layerKey(other, 'chunks.bin')) ?? whole, 'swapped')
})
