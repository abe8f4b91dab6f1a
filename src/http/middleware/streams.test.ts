import { Hono } from 'hono'
import { describe, expect, it } from 'vitest'
import type { Env } from '../backend.ts'
import { boundedStreams } from './streams.ts'

const LIMITS = { atOnce: 3, ofOneClient: 2, unreadMilliseconds: 60_000 }

function appOf(limits = LIMITS) {
  const cancelled: string[] = []
  const app = new Hono<Env>()
  app.use(boundedStreams((context) => context.req.query('client') ?? '', limits))
  app.get('/lines', (context) => {
    const body = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new Uint8Array(10)),
      cancel: () => void cancelled.push(context.req.query('client') ?? ''),
    })
    return new Response(body, { headers: { 'Content-Type': 'application/x-ndjson' } })
  })
  app.get('/short', () => new Response('text'))
  return {
    cancelled,
    read: (client: string, path = '/lines', method = 'GET') =>
      app.request(`${path}?client=${client}`, { method }),
  }
}

describe('streams', () => {
  it('are limited per client and in total', async () => {
    const { read, cancelled } = appOf()
    const [first] = [await read('a'), await read('a')]
    const refused = await read('a')
    expect(refused.status).toBe(429)
    expect(refused.headers.get('retry-after')).toBe('2')
    expect(await refused.json()).toMatchObject({ code: 'rate_limited' })
    expect(cancelled).toEqual(['a'])
    expect((await read('b')).status).toBe(200)
    expect((await read('c')).status).toBe(429)
    expect(await (await read('c', '/short')).text()).toBe('text')
    await first?.body?.cancel()
    expect((await read('c')).status).toBe(200)
  })

  it('are neither counted nor left open by HEAD, which nobody reads', async () => {
    const { read, cancelled } = appOf()
    for (let asked = 0; asked < 5; asked++) {
      const { status, headers, body } = await read('a', '/lines', 'HEAD')
      expect([status, headers.get('content-type'), body]).toEqual([200, 'application/x-ndjson', null])
    }
    expect(cancelled).toEqual(['a', 'a', 'a', 'a', 'a'])
    expect((await read('a')).status).toBe(200)
  })

  it('are cut off when their reader stalls, which frees their slots', async () => {
    const { read, cancelled } = appOf({ atOnce: 1, ofOneClient: 1, unreadMilliseconds: 50 })
    const reader = (await read('a')).body?.getReader()
    expect((await reader?.read())?.value?.byteLength).toBe(10)
    await expect.poll(() => cancelled).toEqual(['a'])
    await expect(reader?.read()).rejects.toThrow('the client read nothing')
    expect((await read('b')).status).toBe(200)
  })
})
