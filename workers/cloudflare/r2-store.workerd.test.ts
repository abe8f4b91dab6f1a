import { env } from 'cloudflare:workers'
import { expect, it } from 'vitest'
import { R2Store } from './r2-store.ts'

it('x', async () => {
  const s = new R2Store(env.BUCKET)
  await s.put('a', new Uint8Array(3))
  expect(await s.has('a')).toBe(true)
})
