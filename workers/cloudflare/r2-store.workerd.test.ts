import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { describeObjectStore } from '../../test/object-store.ts'
import { R2Store } from './r2-store.ts'

let opened = 0

describeObjectStore('R2Store', async () => {
  const store = new R2Store(env.BUCKET)
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

test('a refusal of R2 is told as the failure of the store, without its words', async () => {
  const store = new R2Store(env.BUCKET)
  const name = 'longer-than-names-may-be'.repeat(50)
  const failure: unknown = await store.put(name, new Uint8Array(1)).catch((error: unknown) => error)
  expect(failure).toMatchObject({ code: 'store_error', fields: { retryAfter: 5 } })
  expect(String(failure)).not.toContain('longer')
})
