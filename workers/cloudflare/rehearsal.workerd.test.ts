import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { rehearsal } from './worker.ts'

test('the Worker analyses a small image before the first request, and stores nothing', async () => {
  const answer = await rehearsal.fetch(new Request('http://worker/'), env as never)
  expect(answer.status).toBe(204)
  expect((await env.BUCKET.list()).objects).toEqual([])
})
