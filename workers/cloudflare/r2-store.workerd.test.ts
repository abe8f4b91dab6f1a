import { env } from 'cloudflare:workers'
import { expect, test, vi } from 'vitest'
import { describeObjectStore, storeBelow } from '../../test/support/object-store.ts'
import { type R2Bucket, R2Store } from './r2-store.ts'

let opened = 0

describeObjectStore('R2Store', async () => {
  return storeBelow(new R2Store(env.BUCKET), `store-${opened++}/`)
})

describeObjectStore('R2Store that reads in pieces', async () => {
  return storeBelow(new R2Store(env.BUCKET, { pieceBytes: 700_001 }), `store-${opened++}/`)
})

test('a range longer than one piece equals the range read at once', async () => {
  await new R2Store(env.BUCKET).put(
    'ranges',
    Uint8Array.from({ length: 1000 }, (_, i) => i),
  )
  const store = new R2Store(env.BUCKET, { pieceBytes: 300 })
  for (const [offset, length] of [
    [0, 301],
    [17, 900],
    [100, 5000],
    [999, 400],
    [1000, 400],
  ] as const) {
    const object = await store.get('ranges', { offset, length })
    expect(object?.size).toBe(1000)
    expect([...new Uint8Array(await new Response(object?.body).arrayBuffer())]).toEqual(
      Array.from({ length: 1000 }, (_, i) => i & 255).slice(offset, offset + length),
    )
  }
})

/** What is written at the same time, for a store that has this bucket. */
function counting(): { readonly bucket: R2Bucket; readonly most: () => number } {
  let running = 0
  let most = 0
  const write = async <T>(work: () => Promise<T>): Promise<T> => {
    most = Math.max(most, ++running)
    try {
      return await work()
    } finally {
      running--
    }
  }
  const { BUCKET } = env
  const bucket: R2Bucket = {
    head: (key) => BUCKET.head(key),
    get: (key, options) => BUCKET.get(key, options),
    put: (key, body) => write(() => BUCKET.put(key, body)),
    delete: (key) => BUCKET.delete(key),
    list: (options) => BUCKET.list(options),
    async createMultipartUpload(key) {
      const upload = await BUCKET.createMultipartUpload(key)
      return {
        uploadPart: (part, body) => write(() => upload.uploadPart(part, body)),
        complete: (parts) => upload.complete(parts),
        abort: () => upload.abort(),
      }
    },
  }
  return { bucket, most: () => most }
}

test('on Miniflare large objects are written one after the other, and a failure keeps none waiting', async () => {
  const { bucket, most } = counting()
  const store = new R2Store(bucket, { pieceBytes: 64 * 1024 })
  const bytes = new Uint8Array(100_000).fill(7)
  const tooLong = 'longer-than-names-may-be'.repeat(50)
  const written = await Promise.allSettled([
    store.put('turns/0', bytes),
    store.put(tooLong, bytes),
    store.put('turns/1', bytes),
    store.put('turns/2', new Blob([LARGE]).stream()),
    store.put('turns/3', bytes),
  ])
  expect(written.map(({ status }) => status)).toEqual([
    'fulfilled',
    'rejected',
    'fulfilled',
    'fulfilled',
    'fulfilled',
  ])
  expect(most()).toBe(1)
})

test('a large write that never ends, as one of a request that was cancelled, holds up the next for a while only', async () => {
  let puts = 0
  const bucket: R2Bucket = {
    ...counting().bucket,
    put: async (key, bytes) => (puts++ === 0 ? new Promise(() => {}) : env.BUCKET.put(key, bytes)),
  }
  const store = new R2Store(bucket, { pieceBytes: 1 })
  vi.useFakeTimers()
  void store.put('never-ends', Uint8Array.of(1, 2))
  const after = store.put('after-it', Uint8Array.of(1, 2))
  await vi.advanceTimersByTimeAsync(1_000)
  expect(puts).toBe(1)
  await vi.advanceTimersByTimeAsync(10_000)
  vi.useRealTimers()
  await after
  expect(await store.has('after-it')).toBe(true)
})

test('a refusal by R2 is reported as a store failure, without its message', async () => {
  const store = new R2Store(env.BUCKET)
  const name = 'longer-than-names-may-be'.repeat(50)
  const failure: unknown = await store.put(name, new Uint8Array(1)).catch((error: unknown) => error)
  expect(failure).toMatchObject({ code: 'store_error', fields: { retryAfter: 5 } })
  expect(String(failure)).not.toContain('longer')
})

type Operation =
  | 'head'
  | 'get'
  | 'put'
  | 'delete'
  | 'list'
  | 'createMultipartUpload'
  | 'uploadPart'
  | 'complete'

/**
 * The bucket, with failures before its operations.
 *
 * @param fail whether this call of the operation, counted from 1, fails, and with what
 */
function failing(fail: (operation: Operation, call: number) => string | undefined): R2Bucket {
  const bucket: R2Bucket = env.BUCKET
  const calls = new Map<Operation, number>()
  const counted = async <T>(operation: Operation, ask: () => Promise<T>): Promise<T> => {
    const call = (calls.get(operation) ?? 0) + 1
    calls.set(operation, call)
    const message = fail(operation, call)
    if (message !== undefined) throw new Error(message)
    return ask()
  }
  return {
    head: (key) => counted('head', () => bucket.head(key)),
    get: (key, options) => counted('get', () => bucket.get(key, options)),
    put: (key, body) => counted('put', () => bucket.put(key, body)),
    delete: (key) => counted('delete', () => bucket.delete(key)),
    list: (options) => counted('list', () => bucket.list(options)),
    async createMultipartUpload(key) {
      const upload = await counted('createMultipartUpload', () => bucket.createMultipartUpload(key))
      return {
        uploadPart: (part, body) => counted('uploadPart', () => upload.uploadPart(part, body)),
        complete: (parts) => counted('complete', () => upload.complete(parts)),
        abort: () => upload.abort(),
      }
    },
  }
}

const LARGE = Uint8Array.from({ length: 6 * 1024 * 1024 }, (_, i) => i % 251)

async function useAll(store: R2Store, key: string): Promise<void> {
  await store.put(key, Uint8Array.of(1, 2, 3))
  expect(await store.has(key)).toBe(true)
  const part = await store.get(key, { offset: 1, length: 1 })
  expect(new Uint8Array(await new Response(part?.body).arrayBuffer())).toEqual(Uint8Array.of(2))
  await store.put(`${key}/large`, new Blob([LARGE]).stream())
  const large = await store.get(`${key}/large`)
  expect(Buffer.from(await new Response(large?.body).arrayBuffer()).equals(LARGE)).toBe(true)
  expect(await Array.fromAsync(store.list(key))).toEqual([key, `${key}/large`])
  await store.delete(key)
  expect(await store.has(key)).toBe(false)
}

test.each([
  ['put: We encountered an internal error. Please try again. (10001)'],
  ['put: The bucket is moved (10043)'],
  ['put: The connection was lost (10054)'],
  ['Network connection lost.'],
])('each operation is retried after "%s"', async (message) => {
  // Twice in a row: an operation may take three calls.
  const bucket = failing((_, call) => (call % 3 === 0 ? undefined : message))
  await useAll(new R2Store(bucket), `failing/${message.slice(-8)}`)
})

test('a permanent failure is reported after three calls; one that no retry can fix, after one', async () => {
  let calls = 0
  const store = (message: string) =>
    new R2Store(
      failing(() => {
        calls++
        return message
      }),
    )
  await expect(store('get: internal (10001)').has('x')).rejects.toMatchObject({
    code: 'store_error',
    message: expect.stringContaining('10001'),
  })
  expect(calls).toBe(3)
  calls = 0
  await expect(store('get: no permission (10003)').has('x')).rejects.toMatchObject({ code: 'store_error' })
  expect(calls).toBe(1)
})

test('a key that another writer has just put counts as written', async () => {
  const key = 'written-twice'
  await env.BUCKET.put(key, Uint8Array.of(1))
  const bucket = failing((operation) => (operation === 'put' ? 'put: too often (10058)' : undefined))
  await new R2Store(bucket).put(key, Uint8Array.of(1))
  await expect(new R2Store(bucket).put('never-written', Uint8Array.of(1))).rejects.toMatchObject({
    code: 'store_error',
  })
})

test('a second write of a key within a second counts', async () => {
  const bucket = env.BUCKET
  let written = Number.NEGATIVE_INFINITY
  let puts = 0
  const slow: R2Bucket = {
    ...failing(() => undefined),
    async put(key, body) {
      puts++
      if (Date.now() - written < 1_000)
        throw new Error('put: Reduce your concurrent request rate for the same object. (10058)')
      written = Date.now()
      return bucket.put(key, body)
    },
  }
  const store = new R2Store(slow)
  for (const byte of [1, 2]) {
    await store.put('written-again', Uint8Array.of(byte))
    expect(new Uint8Array((await (await bucket.get('written-again'))?.arrayBuffer()) ?? [])).toEqual(
      Uint8Array.of(byte),
    )
  }
  expect(puts).toBe(3)
})

test('an upload whose completion got no answer counts as complete', async () => {
  const bucket = failing(() => undefined)
  const lossy: R2Bucket = {
    ...bucket,
    async createMultipartUpload(key) {
      const upload = await bucket.createMultipartUpload(key)
      return {
        ...upload,
        async complete(parts) {
          await upload.complete(parts)
          throw new Error('Network connection lost.')
        },
      }
    },
  }
  await new R2Store(lossy).put('completed', new Blob([LARGE]).stream())
  expect((await env.BUCKET.head('completed'))?.size).toBe(LARGE.length)
})

/** The bucket, whose bodies break off after some bytes, as often as given. */
function breaking(times: number, after: number): R2Bucket {
  let left = times
  return {
    ...failing(() => undefined),
    async get(key, options) {
      const object = await env.BUCKET.get(key, options)
      if (object === null || left-- <= 0) return object
      const bytes = new Uint8Array(await object.arrayBuffer())
      const body = new ReadableStream<Uint8Array>({
        start: (controller) => controller.enqueue(bytes.slice(0, after)),
        pull: (controller) => controller.error(new Error('Network connection lost.')),
      })
      return { size: object.size, body }
    },
  }
}

test('a small body that breaks off is read again', async () => {
  await env.BUCKET.put('breaks-off', LARGE)
  const store = new R2Store(breaking(2, 7))
  const object = await store.get('breaks-off', { offset: 100, length: 5_000 })
  const bytes = await new Response(object?.body).bytes()
  expect(Buffer.compare(bytes, LARGE.subarray(100, 5_100))).toBe(0)
})

test.each([undefined, { offset: 1, length: LARGE.length - 1 }])(
  'a large body that breaks off is a store error: %j',
  async (range) => {
    await env.BUCKET.put('breaks-off', LARGE)
    for (const pieceBytes of [Number.POSITIVE_INFINITY, 2 ** 20]) {
      const reading = async () => {
        const store = new R2Store(breaking(Number.POSITIVE_INFINITY, 2 ** 20 - 1), { pieceBytes })
        return new Response((await store.get('breaks-off', range))?.body).bytes()
      }
      await expect(reading()).rejects.toMatchObject({
        code: 'store_error',
        message: 'the object store returned an error (no connection)',
      })
    }
  },
)
