/** What must hold for every `ObjectStore`, whatever it stores objects in. */
import { describe, expect, test } from 'vitest'
import type { ByteRange, ObjectStore } from '../../src/host.ts'

const MIB = 1024 * 1024

/** Bytes that differ from place to place. */
function bytesOf(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 8) * 7 + (i >> 16)) & 255)
}

/** Pieces of uneven sizes, made on demand. */
function streamOf(
  bytes: Uint8Array,
  failure?: { readonly after: number; readonly error: Error },
): ReadableStream<Uint8Array> {
  const end = failure?.after ?? bytes.length
  let at = 0
  return new ReadableStream({
    pull(controller) {
      if (at < end) {
        controller.enqueue(bytes.slice(at, Math.min(at + 70_001, end)))
        at += 70_001
      } else if (failure === undefined) controller.close()
      else controller.error(failure.error)
    },
  })
}

async function read(
  store: ObjectStore,
  key: string,
  range?: ByteRange,
): Promise<{ size: number; bytes: Uint8Array } | undefined> {
  const object = await store.get(key, range)
  if (object === undefined) return undefined
  const chunks = await Array.fromAsync(object.body)
  const bytes = new Uint8Array(chunks.reduce((all, chunk) => all + chunk.length, 0))
  let at = 0
  for (const chunk of chunks) {
    bytes.set(chunk, at)
    at += chunk.length
  }
  return { size: object.size, bytes }
}

function isSame(a: Uint8Array | undefined, b: Uint8Array): boolean {
  return a !== undefined && Buffer.compare(a, b) === 0
}

/** @param open opens an empty store, a new one for each test */
export function describeObjectStore(name: string, open: () => Promise<ObjectStore>): void {
  describe(name, () => {
    test('an object can be read completely and in ranges', async () => {
      const store = await open()
      const bytes = bytesOf(1000)
      await store.put('a/b', bytes)
      expect(await read(store, 'a/b')).toEqual({ size: 1000, bytes })
      const cases: [ByteRange, Uint8Array][] = [
        [{ offset: 0, length: 1 }, bytes.slice(0, 1)],
        [{ offset: 100, length: 300 }, bytes.slice(100, 400)],
        [{ offset: 990, length: 100 }, bytes.slice(990)],
        [{ offset: 999, length: 1 }, bytes.slice(999)],
        [{ suffix: 10 }, bytes.slice(990)],
        [{ suffix: 1000 }, bytes],
        [{ suffix: 5000 }, bytes],
      ]
      for (const [range, expected] of cases) {
        expect(await read(store, 'a/b', range), JSON.stringify(range)).toEqual({
          size: 1000,
          bytes: expected,
        })
      }
    })

    test('a range past the end has no bytes', async () => {
      const store = await open()
      await store.put('a', bytesOf(10))
      expect((await read(store, 'a', { offset: 10, length: 5 }))?.bytes).toEqual(new Uint8Array(0))
    })

    test('an object may be empty', async () => {
      const store = await open()
      await store.put('empty', new Uint8Array(0))
      await store.put('stream', streamOf(new Uint8Array(0)))
      for (const key of ['empty', 'stream']) {
        expect(await store.has(key)).toBe(true)
        expect(await read(store, key)).toEqual({ size: 0, bytes: new Uint8Array(0) })
        expect((await read(store, key, { suffix: 10 }))?.bytes).toEqual(new Uint8Array(0))
      }
    })

    test.each([1, 5 * MIB - 1, 5 * MIB, 5 * MIB + 1, 12 * MIB])('a stream of %i bytes', async (length) => {
      const store = await open()
      const bytes = bytesOf(length)
      await store.put('stream', streamOf(bytes))
      const found = await read(store, 'stream')
      expect(found?.size).toBe(length)
      expect(isSame(found?.bytes, bytes)).toBe(true)
      const middle = await read(store, 'stream', { offset: length >> 1, length: 2 * MIB })
      expect(isSame(middle?.bytes, bytes.slice(length >> 1, (length >> 1) + 2 * MIB))).toBe(true)
    })

    test.each([0, 100, 6 * MIB])('a stream that fails after %i bytes leaves no object', async (after) => {
      const store = await open()
      const error = new Error('the source failed')
      await expect(store.put('cut', streamOf(bytesOf(7 * MIB), { after, error }))).rejects.toThrow(
        error.message,
      )
      expect(await store.has('cut')).toBe(false)
      expect(await store.get('cut')).toBeUndefined()
      expect(await Array.fromAsync(store.list(''))).toEqual([])
    })

    test('an object that is not there', async () => {
      const store = await open()
      await store.put('a/b/c', bytesOf(1))
      for (const key of ['a', 'a/b', 'a/b/c/d', 'a/b/cc', 'x']) {
        expect(await store.has(key), key).toBe(false)
        expect(await store.get(key), key).toBeUndefined()
        expect(await store.get(key, { suffix: 5 }), key).toBeUndefined()
      }
      await store.delete('x')
    })

    test('a deleted object is gone', async () => {
      const store = await open()
      await store.put('a/b', bytesOf(1))
      await store.put('a/c', bytesOf(1))
      await store.delete('a/b')
      expect(await store.has('a/b')).toBe(false)
      expect(await Array.fromAsync(store.list('a/'))).toEqual(['a/c'])
      await store.delete('a/c')
      await store.put('a/b', bytesOf(2))
      expect(await read(store, 'a/b')).toEqual({ size: 2, bytes: bytesOf(2) })
    })

    test('keys are listed by prefix in byte order', async () => {
      const store = await open()
      const keys = [
        'a/b',
        'a.x',
        'a0',
        'ab/c/d',
        'ab/c.d',
        'ab/c0',
        'b',
        'sources/x/[::1]:5000',
        'sources/x/host:5000',
        'é',
        'a/b2/c',
      ]
      for (const key of keys) await store.put(key, bytesOf(1))
      const sorted = [...keys].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
      for (const prefix of ['', 'a', 'a/', 'a/b', 'ab/c', 'ab/c/', 'b', 'x', 'sources/x/', 'é', 'a/b/']) {
        const expected = sorted.filter((key) => key.startsWith(prefix))
        expect(await Array.fromAsync(store.list(prefix)), prefix).toEqual(expected)
      }
    })

    test('more objects than one page of a listing', async () => {
      const store = await open()
      const keys = Array.from({ length: 1100 }, (_, i) => `many/${String(i).padStart(4, '0')}`)
      for (let i = 0; i < keys.length; i += 50) {
        await Promise.all(keys.slice(i, i + 50).map((key) => store.put(key, new Uint8Array(0))))
      }
      expect(await Array.fromAsync(store.list('many/'))).toEqual(keys)
    })

    test('two writers of one object', async () => {
      const store = await open()
      const bytes = bytesOf(300_000)
      await Promise.all([1, 2, 3, 4].map(() => store.put('same', streamOf(bytes))))
      expect(isSame((await read(store, 'same'))?.bytes, bytes)).toBe(true)
      expect(await Array.fromAsync(store.list(''))).toEqual(['same'])
    })

    test('a reader can stop early', async () => {
      const store = await open()
      await store.put('large', bytesOf(3 * MIB))
      const object = await store.get('large')
      const reader = object?.body.getReader()
      expect((await reader?.read())?.value?.[1]).toBe(31)
      await reader?.cancel()
      await store.delete('large')
      expect(await store.has('large')).toBe(false)
    })
  })
}

/** The part of a store below `prefix`, as a separate store. */
export function storeBelow(store: ObjectStore, prefix: string): ObjectStore {
  return {
    get: (key, range) => store.get(prefix + key, range),
    has: (key) => store.has(prefix + key),
    put: (key, body) => store.put(prefix + key, body),
    delete: (key) => store.delete(prefix + key),
    async *list(part) {
      for await (const key of store.list(prefix + part)) yield key.slice(prefix.length)
    },
  }
}
