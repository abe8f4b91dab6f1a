import { env } from 'cloudflare:workers'
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
