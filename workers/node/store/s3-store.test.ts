import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { describeObjectStore, storeBelow } from '../../../test/support/object-store.ts'
import { startS3, type TestS3 } from '../../../test/support/s3.ts'
import { S3Proxy } from '../../../test/support/s3-proxy.ts'
import { S3Store } from './s3-store.ts'

let s3: TestS3
let opened = 0

beforeAll(async () => {
  s3 = await startS3()
  for (const [name, value] of Object.entries(s3.settings)) vi.stubEnv(name, value)
})

afterAll(async () => {
  vi.unstubAllEnvs()
  await s3.stop()
})

function open(
  settings: Readonly<Record<string, string>> = s3.settings,
  silentMilliseconds?: number,
): S3Store {
  const { S3_ENDPOINT: endpoint = '', S3_BUCKET: bucket = '', S3_REGION: region = '' } = settings
  return new S3Store({ endpoint, bucket, region }, silentMilliseconds)
}

describeObjectStore('S3Store', async () => {
  return storeBelow(open(), `store-${opened++}/`)
})

/** The error of each operation, called once. */
async function failures(store: S3Store): Promise<unknown[]> {
  const results = await Promise.allSettled([
    store.get('a'),
    store.has('a'),
    store.put('a', new Uint8Array(1)),
    store.put('a', new Blob([new Uint8Array(6_000_000)]).stream()),
    store.delete('a'),
    Array.fromAsync(store.list('')),
  ])
  return results.map((result) => (result.status === 'rejected' ? result.reason : 'no failure'))
}

test('an unreachable store is reported without revealing its address', async () => {
  for (const failure of await failures(open({ ...s3.settings, S3_ENDPOINT: 'http://127.0.0.1:1' }))) {
    expect(failure).toMatchObject({ code: 'store_error', fields: { retryAfter: 5 } })
    expect(String(failure)).not.toContain('127.0.0.1')
  }
})

describe('behind a failing network', () => {
  let proxy: S3Proxy
  let store: S3Store
  /** Gives up soon, but not if a busy machine is merely slow. */
  let impatient: S3Store

  beforeAll(async () => {
    proxy = await S3Proxy.start(s3.settings.S3_ENDPOINT ?? '')
    const settings = { ...s3.settings, S3_ENDPOINT: proxy.endpoint }
    store = open(settings)
    impatient = open(settings, 2_000)
  })

  afterEach(() => proxy.clearFaults())
  afterAll(() => proxy.close())

  test('a store that never answers is given up', async () => {
    proxy.fault(() => true, { kind: 'hang' })
    for (const failure of await failures(impatient)) expect(failure).toMatchObject({ code: 'store_error' })
  })

  test("a store's refusal is reported without its message", async () => {
    proxy.fault(() => true, { kind: 'refuse', status: 403, code: 'AccessDenied' })
    for (const failure of await failures(store)) {
      expect(failure).toMatchObject({ code: 'store_error' })
      expect(String(failure)).not.toContain(s3.settings.AWS_ACCESS_KEY_ID)
    }
  })

  test.each(['cutAnswer', 'stallAnswer'] as const)(
    'an object that breaks off while it is read: %s',
    async (kind) => {
      await store.put('read', new Uint8Array(100_000))
      proxy.fault(() => true, { kind, bytes: 50_000 })
      const object = await impatient.get('read')
      await expect(new Response(object?.body).bytes()).rejects.toMatchObject({ code: 'store_error' })
    },
  )

  test('an interrupted part is sent again', async () => {
    const bytes = new Uint8Array(6_000_000).map((_, i) => i % 251)
    proxy.fault(({ path }) => path.includes('partNumber=1'), { kind: 'cutRequest', bytes: 2_000_000 }, 2)
    await store.put('mended', new Blob([bytes]).stream())
    const object = await store.get('mended')
    expect(Buffer.compare(await new Response(object?.body).bytes(), bytes)).toBe(0)
  })

  test('an upload whose part is interrupted every time is aborted', async () => {
    proxy.fault(({ path }) => path.includes('partNumber=2'), { kind: 'cutRequest', bytes: 100_000 })
    const body = new Blob([new Uint8Array(6_000_000)]).stream()
    await expect(store.put('broken', body)).rejects.toMatchObject({ code: 'store_error' })
    expect(proxy.requests.at(-1)).toMatchObject({
      method: 'DELETE',
      path: expect.stringContaining('uploadId='),
    })
    expect(await store.has('broken')).toBe(false)
  })
})
