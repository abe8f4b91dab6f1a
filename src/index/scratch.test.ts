import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, onTestFinished, test } from 'vitest'
import { blobOf, LIMITS, sha256Digest, WASM } from '../../test/support/blob.ts'
import { MemoryStore } from '../../test/support/memory-store.ts'
import { member, tar } from '../../test/support/tar.ts'
import { zipOf } from '../../test/support/zip.ts'
import { FolderStore } from '../../workers/node/store/folder-store.ts'
import { HELD_BYTES } from '../layer/examine.ts'
import { readLayer } from '../layer/read.ts'
import { indexLayer } from './layer-index.ts'
import { StoredScratch } from './scratch.ts'

test('any range of what was written in pieces of any size is read', async () => {
  const total = 3_000_000
  const content = Buffer.from(Uint32Array.from({ length: total / 4 }, (_, i) => i).buffer)
  const size = fc.integer({ min: 20_000, max: 2_200_000 })
  const at = fc.integer({ min: 0, max: total })
  await fc.assert(
    fc.asyncProperty(fc.array(size, { minLength: 1 }), fc.array(fc.tuple(at, at)), async (sizes, ranges) => {
      const scratch = new StoredScratch(new MemoryStore())
      for (let [i, filled] = [0, 0]; filled < total; filled += sizes[i++ % sizes.length] ?? 1) {
        // The piece is valid only until the next one.
        const piece = Uint8Array.from(content.subarray(filled, filled + (sizes[i % sizes.length] ?? 1)))
        await scratch.write(piece)
        piece.fill(0)
      }
      const file = await scratch.finish()
      expect(file.bytes).toBe(total)
      for (const [offset, length] of ranges)
        expect(content.subarray(offset, offset + length).equals(await file.read(offset, length))).toBe(true)
      await scratch.release()
    }),
    { numRuns: 20 },
  )
})

/** A layer with an archive that is too large to be held in memory, and something after it. */
const LAYER = tar(
  member({ name: 'app.jar' }, zipOf({}, { stored: { 'some.class': new Uint8Array(HELD_BYTES + 1) } })),
  member({ name: 'after' }, 'x'),
)

async function emptyFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'lamina-scratch-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile()).map(({ name }) => name)
}

test.each([
  ['read', undefined, ['entries.parquet']],
  ['cut off within the archive', new Error('connection reset'), []],
])('nothing that was put aside is left of a layer that is %s', async (_, failure, left) => {
  const folder = await emptyFolder()
  const whole = blobOf(LAYER).stream
  const half = whole.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(piece, controller) {
        passed += piece.length
        if (failure !== undefined && passed > HELD_BYTES) controller.error(failure)
        else controller.enqueue(piece)
      },
    }),
  )
  let passed = 0
  const descriptor = { digest: sha256Digest(LAYER), size: LAYER.length }
  const indexed = indexLayer(new FolderStore(folder), descriptor.digest, (sinks) =>
    readLayer(half, { descriptor, limits: LIMITS, wasm: WASM, ...sinks }),
  )
  await (failure === undefined ? indexed : expect(indexed).rejects.toThrow(failure))
  expect(await filesIn(folder)).toEqual(left)
})

test('nothing that was put aside is left when the job is cancelled', async () => {
  const folder = await emptyFolder()
  const stop = new AbortController()
  const reason = new Error('cancelled')
  const descriptor = { digest: sha256Digest(LAYER), size: LAYER.length }
  const indexed = indexLayer(new FolderStore(folder), descriptor.digest, (sinks) =>
    readLayer(blobOf(LAYER).stream, {
      descriptor,
      limits: LIMITS,
      wasm: WASM,
      signal: stop.signal,
      onBytes: (bytes) => {
        if (bytes > HELD_BYTES / 2) stop.abort(reason)
      },
      ...sinks,
    }),
  )
  await expect(indexed).rejects.toThrow(reason)
  expect(await filesIn(folder)).toEqual([])
})
