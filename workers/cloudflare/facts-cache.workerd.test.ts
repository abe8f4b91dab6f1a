import { env, waitUntil } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { PUBLIC, provenanceKey } from '../../src/index/keys.ts'
import { FactsCache } from './facts-cache.ts'
import { R2Store } from './r2-store.ts'

test('the cache of the location gives what the bucket gave before', async () => {
  const key = provenanceKey('manifest', `sha256:${'c'.repeat(64)}`, PUBLIC)
  const bucket = new R2Store(env.BUCKET)
  const kept: Promise<unknown>[] = []
  const keepAlive = (work: Promise<unknown>) => {
    kept.push(work)
    waitUntil(work)
  }
  const store = new FactsCache(bucket, { cache: () => caches.open('facts'), keepAlive })
  await bucket.put(key, new TextEncoder().encode('a manifest'))
  for (const _ of ['from the bucket', 'from the cache']) {
    const object = await store.get(key)
    expect(await new Response(object?.body).text()).toBe('a manifest')
    expect(object?.size).toBe(10)
    await Promise.all(kept)
    await bucket.delete(key)
  }
  await store.delete(key)
  expect(await store.get(key)).toBeUndefined()
})
