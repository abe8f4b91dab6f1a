import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { describeObjectStore } from '../../test/object-store.ts'
import { startS3, type TestS3 } from '../../test/s3.ts'
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

function open(settings: Readonly<Record<string, string>> = s3.settings): S3Store {
  const { S3_ENDPOINT: endpoint = '', S3_BUCKET: bucket = '', S3_REGION: region = '' } = settings
  return new S3Store({ endpoint, bucket, region })
}

describeObjectStore('S3Store', async () => {
  const store = open()
  const prefix = `store-${opened++}/`
  return {
    get: (key, range) => store.get(prefix + key, range),
    has: (key) => store.has(prefix + key),
    put: (key, body) => store.put(prefix + key, body),
    delete: (key) => store.delete(prefix + key),
    async *list(part) {
      for await (const key of store.list(prefix + part)) yield key.slice(prefix.length)
    },
  }
})

test('a store that is not there is told without its address', async () => {
  const store = open({ ...s3.settings, S3_ENDPOINT: 'http://127.0.0.1:1' })
  for (const operation of [
    () => store.get('a'),
    () => store.has('a'),
    () => store.put('a', new Uint8Array(1)),
    () => store.delete('a'),
    () => Array.fromAsync(store.list('')),
  ]) {
    const failure: unknown = await operation().catch((error: unknown) => error)
    expect(failure).toMatchObject({ code: 'store_error', fields: { retryAfter: 5 } })
    expect(String(failure)).not.toContain('127.0.0.1')
  }
})
