import { deflateRawSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { MemoryStore } from '../../test/support/memory-store.ts'
import type { Checkpoint } from '../layer/decode/checkpoints.ts'
import { CheckpointArchive, findBlobPart } from './checkpoints.ts'
import { layerKey } from './keys.ts'

const DIGEST = `sha256:${'a'.repeat(64)}`
const window = (letter: string) => Buffer.alloc(32 * 1024, letter)

async function stored(checkpoints: readonly Checkpoint[], sparse: readonly number[] = []) {
  const store = new MemoryStore()
  const archive = new CheckpointArchive(store)
  for (const checkpoint of checkpoints) {
    archive.add(checkpoint)
    await archive.flush()
  }
  for (const offset of sparse) archive.addSparse(offset)
  await archive.finish()
  const bytes = Buffer.concat(await Array.fromAsync(archive.chunks()))
  // Between other bytes.
  await store.put(layerKey(DIGEST, 'entries.parquet'), Buffer.concat([BEFORE, bytes, BEFORE]))
  return { store, layer: { digest: DIGEST, checkpoints: { offset: BEFORE.length, bytes: bytes.length } } }
}

const BEFORE = Buffer.alloc(1000, 'x')

const block = (blobOffset: number, bit: number, tarOffset: number, letter: string): Checkpoint => ({
  kind: 'block',
  blobOffset,
  bit,
  tarOffset,
  packedWindow: deflateRawSync(window(letter)),
})

const CHECKPOINTS: readonly Checkpoint[] = [
  { kind: 'start', blobOffset: 1_000, tarOffset: 5_000 },
  { kind: 'mark', blobOffset: 70_000, tarOffset: 200_000 },
  // It begins in the byte in which the marker before it ends.
  block(69_999, 3, 200_000, 'x'),
  block(90_000, 0, 300_000, 'y'),
  { kind: 'mark', blobOffset: 2 ** 36, tarOffset: 2 ** 40 },
]

test.each([
  ['before all of them', { offset: 10, bytes: 20 }, { blobOffset: 0, tarOffset: 0, blobEnd: 1_000 }],
  ['after a start', { offset: 5_000, bytes: 1 }, { blobOffset: 1_000, tarOffset: 5_000, blobEnd: 70_000 }],
  [
    'after a block in the middle of a byte',
    { offset: 299_999, bytes: 1 },
    { blobOffset: 69_999, tarOffset: 200_000, blobEnd: 90_000, block: { bit: 3, window: window('x') } },
  ],
  [
    'up to a block that begins in the middle of a byte',
    { offset: 190_000, bytes: 10_000 },
    { blobOffset: 1_000, tarOffset: 5_000, blobEnd: 70_000 },
  ],
  [
    'after a block at the start of a byte',
    { offset: 300_000, bytes: 2 ** 39 },
    { blobOffset: 90_000, tarOffset: 300_000, blobEnd: 2 ** 36, block: { bit: 0, window: window('y') } },
  ],
  [
    'after all of them',
    { offset: 2 ** 40, bytes: 1 },
    { blobOffset: 90_000, tarOffset: 300_000, blobEnd: undefined, block: { bit: 0, window: window('y') } },
  ],
])('the part for a file %s', async (_, part, expected) => {
  const { store, layer } = await stored(CHECKPOINTS)
  const found = await findBlobPart(store, layer, part)
  expect(found).toEqual(expected)
})

test('a sparse file has no separate part', async () => {
  const { store, layer } = await stored(CHECKPOINTS, [4_096, 250_000])
  expect(await findBlobPart(store, layer, { offset: 250_000, bytes: 10 })).toBeUndefined()
  expect(await findBlobPart(store, layer, { offset: 250_001, bytes: 10 })).toBeDefined()
})

test('handles more checkpoints than are fetched at once', async () => {
  const many = Array.from(
    { length: 20_000 },
    (_, i): Checkpoint => ({
      kind: 'start',
      blobOffset: (i + 1) * 30_000,
      tarOffset: (i + 1) * 90_000,
    }),
  )
  const { store, layer } = await stored(many)
  const found = await findBlobPart(store, layer, { offset: 1_000_000, bytes: 10 })
  expect(found).toEqual({ blobOffset: 330_000, tarOffset: 990_000, blobEnd: 360_000 })
})

test('stores nothing without checkpoints', async () => {
  const { store, layer } = await stored([], [512])
  expect(layer.checkpoints.bytes).toBe(0)
  expect(await findBlobPart(store, layer, { offset: 0, bytes: 1 })).toBeUndefined()
})
