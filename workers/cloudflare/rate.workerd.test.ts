/** The limit of `wrangler.toml`, counted by the runtime's own limiter. */
import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { BoundRate } from './rate.ts'

test('a client can start ten analyses per minute, and so can others', async () => {
  const rate = new BoundRate(env.RATE)
  for (let i = 0; i < 10; i++) await rate.admit('192.0.2.1')
  await expect(rate.admit('192.0.2.1')).rejects.toMatchObject({
    code: 'rate_limited',
    fields: { retryAfter: 60 },
  })
  await rate.admit('192.0.2.2')
})
