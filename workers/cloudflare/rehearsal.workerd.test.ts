import { createExecutionContext } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { local, rehearsal } from './worker.ts'

const environment = env as never
const request = (path: string) => new Request(`http://localhost${path}`)

test('the Worker analyses a small image before the first request, and stores nothing', async () => {
  const answer = await rehearsal.fetch(request('/'), environment)
  expect(answer.status).toBe(200)
  expect(await answer.json()).toMatchObject({ counts: { layers: 4 } })
  expect((await env.BUCKET.list()).objects).toEqual([])
})

test('it plays on while a supervisor asks, and ends with the first request', async () => {
  const status = async (path: string) => {
    const playing = rehearsal.fetch(request('/'), environment)
    await local.fetch(request(path), environment, createExecutionContext())
    return (await playing).status
  }
  expect(await status('/healthz')).toBe(200)
  expect(await status('/v1/unknown')).not.toBe(200)
})
