import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { describeObjectStore, storeBelow } from '../../test/object-store.ts'
import { R2Store } from './r2-store.ts'

let opened = 0

describeObjectStore('R2Store', async () => {
  return storeBelow(new R2Store(env.BUCKET), `store-${opened++}/`)
})

test('a refusal of R2 is told as the failure of the store, without its words', async () => {
  const store = new R2Store(env.BUCKET)
  const name = 'longer-than-names-may-be'.repeat(50)
  const failure: unknown = await store.put(name, new Uint8Array(1)).catch((error: unknown) => error)
  expect(failure).toMatchObject({ code: 'store_error', fields: { retryAfter: 5 } })
  expect(String(failure)).not.toContain('longer')
})
