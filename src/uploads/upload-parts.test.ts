import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, it } from 'vitest'
import { MemoryStore } from '../../test/support/memory-store.ts'
import { uploadPartKey } from '../index/keys.ts'
import { BlobReader } from '../layer/blob.ts'
import { readBytes } from '../source/archive/range-reader.ts'
import { PART_BYTES, PartWriter, storedArchive } from './upload-parts.ts'

setFlagsFromString('--expose-gc')
const collectGarbage: () => void = runInNewContext('gc')

const upload = '0'.repeat(64)
const archive = randomBytes(2 * PART_BYTES + 1_000)

async function written(store = new MemoryStore(), chunk = 300_000): Promise<MemoryStore> {
  const parts = new PartWriter(store, upload)
  const buffer = new Uint8Array(chunk)
  for (let at = 0; at < archive.length; at += chunk) {
    const piece = archive.subarray(at, at + chunk)
    buffer.set(piece)
    // The writer must not keep the chunk, whose memory is used again.
    await parts.write(buffer.subarray(0, piece.length))
  }
  await parts.finish()
  return store
}

it.each([300_000, PART_BYTES, 3 * PART_BYTES])(
  'reads any range of what was written in chunks of %i bytes',
  async (chunk) => {
    const store = await written(new MemoryStore(), chunk)
    expect([...store.objects.values()].map((part) => part.length)).toEqual([PART_BYTES, PART_BYTES, 1_000])
    const reader = storedArchive(store, { upload, size: archive.length })
    for (const [offset, length] of [
      [0, archive.length],
      [0, 0],
      [PART_BYTES - 1, 2],
      [PART_BYTES, PART_BYTES],
      [PART_BYTES + 7, PART_BYTES],
      [archive.length - 3, 3],
      [archive.length - 3, PART_BYTES],
      [archive.length + PART_BYTES, 1],
    ] as const) {
      const bytes = await readBytes(reader, { offset, length })
      expect(archive.subarray(offset, offset + length).equals(bytes), `${offset}, ${length}`).toBe(true)
    }
  },
)

it('opens the next part while one is read, and leaves none open', async () => {
  const store = await written()
  const opened: ReadableStream[] = []
  const cancelled: ReadableStream[] = []
  const watched = new MemoryStore()
  watched.get = async (key, range) => {
    const object = await store.get(key, range)
    const body = object?.body
    if (object === undefined || body === undefined) return undefined
    opened.push(body)
    const { cancel } = body
    body.cancel = async (reason) => {
      cancelled.push(body)
      await cancel.call(body, reason)
    }
    return { ...object, body }
  }
  const stream = await storedArchive(watched, { upload }).read({ offset: 0, length: archive.length })
  const reader = stream.getReader()
  await reader.read()
  await expect.poll(() => opened.length).toBe(2)
  await reader.cancel()
  // The first is locked by its reader, which was cancelled.
  expect(cancelled).toEqual([opened[1]])
})

/** Parts in a store whose bodies arrive slowly, and break off after `pieces`; it knows which ones are open. */
function slowly(pieces = Number.POSITIVE_INFINITY) {
  const store = new MemoryStore()
  for (let part = 0; part < 5; part++)
    store.objects.set(uploadPartKey(upload, part), new Uint8Array(PART_BYTES))
  const get = store.get.bind(store)
  const open = new Set<string>()
  store.get = async (key, range) => {
    const object = await get(key, range)
    if (object === undefined) return undefined
    const reader = object.body.getReader()
    let count = 0
    const pull = async (controller: ReadableStreamDefaultController<Uint8Array>) => {
      await sleep(1)
      const { value } = await reader.read()
      if (value !== undefined && count++ < pieces) return controller.enqueue(value)
      open.delete(key)
      if (value === undefined) controller.close()
      else throw new Error('reset')
    }
    const cancel = () => {
      open.delete(key)
    }
    open.add(key)
    return { size: object.size, body: new ReadableStream({ pull, cancel }, { highWaterMark: 0 }) }
  }
  return { open, archive: storedArchive(store, { upload, size: 5 * PART_BYTES }) }
}

// In the first part, and where it changes to the next.
it.each([1, 15, 16, 17])('leaves no part open when it is cancelled after %i pieces', async (pieces) => {
  const { open, archive } = slowly()
  const reader = new BlobReader(await archive.read({ offset: 0, length: 5 * PART_BYTES }))
  for (let n = 0; n < pieces; n++) await reader.read()
  // It is reading ahead.
  await reader.cancel()
  // Whatever would still be opened.
  await sleep(50)
  expect([...open]).toEqual([])
})

it('leaves no part open when one breaks off', async () => {
  const { open, archive } = slowly(3)
  await expect(readBytes(archive, { offset: 0, length: PART_BYTES + 1 })).rejects.toThrow('reset')
  await expect.poll(() => [...open]).toEqual([])
})

it('reads parts that arrive later, and stops when the upload is gone', async () => {
  const store = new MemoryStore()
  let isGone = false
  const incoming = storedArchive(store, { upload, isGone: async () => isGone })
  const read = readBytes(incoming, { offset: PART_BYTES - 10, length: 20 })
  await sleep(60)
  await written(store)
  expect(archive.subarray(PART_BYTES - 10, PART_BYTES + 10).equals(await read)).toBe(true)
  store.objects.clear()
  const vain = readBytes(incoming, { offset: 0, length: 1 })
  isGone = true
  await expect(vain).rejects.toMatchObject({ code: 'upload_not_found' })
  await expect(readBytes(storedArchive(store, { upload }), { offset: 0, length: 1 })).rejects.toMatchObject({
    code: 'upload_not_found',
  })
})

it('fails when a part cannot be stored', async () => {
  const store = new MemoryStore()
  const put = store.put.bind(store)
  store.put = async (key, body) => {
    if (key === uploadPartKey(upload, 1)) throw new Error('no space')
    await put(key, body)
  }
  await expect(written(store)).rejects.toThrow('no space')
})

it('an archive that has hardly begun holds little memory, and a finished one none', async () => {
  const store = new MemoryStore()
  const held = () => {
    collectGarbage()
    return process.memoryUsage().arrayBuffers
  }
  const before = held()
  const writers = Array.from({ length: 40 }, (_, i) => new PartWriter(store, String(i)))
  for (const writer of writers) await writer.write(new Uint8Array(1_000))
  const begun = held() - before
  expect(begun).toBeGreaterThan(0)
  expect(begun).toBeLessThan(40 * 600_000)
  for (const writer of writers) await writer.write(new Uint8Array(PART_BYTES))
  for (const writer of writers) await writer.close()
  // What the store holds is the writers' first parts. The collector frees buffers in a thread of its own.
  await expect.poll(() => held() - before).toBeLessThan(40 * (PART_BYTES + 600_000))
})
