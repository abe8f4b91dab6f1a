import { Hono } from 'hono'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { startApp } from '../../test/support/app.ts'
import { Semaphore } from '../semaphore.ts'
import type { Analysis } from '../service/images/analyses.ts'
import type { Backend, Env } from './backend.ts'
import { eventStream } from './events.ts'
import { Bodies } from './middleware/body.ts'
import { boundedStreams } from './middleware/streams.ts'

const RUNNING: Analysis = {
  id: '0f6a1c9e-0000-4000-8000-000000000000',
  image: 'registry.example/app:v1',
  platform: 'linux/amd64',
  digest: `sha256:${'0'.repeat(64)}`,
  createdAt: '2026-01-01T00:00:00Z',
  status: 'running',
  progress: { layers: 1, layersDone: 0, layersReused: 0, bytes: 1, bytesDone: 0 },
}

const told: unknown[] = []

beforeEach(() => {
  told.length = 0
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
})
afterEach(() => void vi.useRealTimers())

/** These states as events. The request's signal says nothing, as on Workers. */
function appOf(states: AsyncGenerator<Analysis, void>) {
  const backend: Backend = {
    ...startApp().service,
    log: ({ error }) => told.push(error),
    rate: { admit: async () => {} },
    hasPages: false,
    clientOf: () => '',
    bodies: new Bodies(),
    uploads: new Semaphore({ total: 1 }),
    keepAlive: () => {},
  }
  return new Hono<Env>()
    .use(boundedStreams(backend.clientOf))
    .get('/', (context) => eventStream(backend, context, states))
}

async function read(states: AsyncGenerator<Analysis, void>) {
  const { body } = await appOf(states).request('/')
  if (body === null) throw new Error('the answer has no body')
  return body.getReader()
}

it.each([
  ['the next state comes', async () => RUNNING],
  ['the analysis cannot be read any more', () => Promise.reject(new Error('the store is gone'))],
])('nothing is told of a reader that left when %s', async (_, next) => {
  const gate = Promise.withResolvers<void>()
  let isReturned = false
  async function* states() {
    try {
      yield RUNNING
      await gate.promise
      yield await next()
    } finally {
      isReturned = true
    }
  }
  const reader = await read(states())
  await reader.read()
  const left = reader.cancel()
  gate.resolve()
  await left.catch(() => {})
  expect(told).toEqual([])
  expect(isReturned).toBe(true)
  expect(vi.getTimerCount()).toBe(0)
})

it('a failure is told, and cuts off the events of a reader that stayed', async () => {
  const gone = new Error('the store is gone')
  async function* states() {
    yield RUNNING
    throw gone
  }
  const reader = await read(states())
  await reader.read().catch(() => {})
  await expect(reader.read()).rejects.toBe(gone)
  expect(told).toEqual([gone])
  expect(vi.getTimerCount()).toBe(0)
})

it('a comment is sent while nothing changes', async () => {
  const gate = Promise.withResolvers<void>()
  async function* states() {
    yield RUNNING
    await gate.promise
  }
  const reader = await read(states())
  await reader.read()
  const comment = reader.read()
  vi.advanceTimersToNextTimer()
  expect(new TextDecoder().decode((await comment).value)).toBe(': \n\n')
  gate.resolve()
  expect((await reader.read()).done).toBe(true)
  expect(vi.getTimerCount()).toBe(0)
})

it('HEAD, whose body nobody reads, leaves no timer and no listener', async () => {
  let isReturned = false
  async function* states() {
    try {
      for (;;) yield RUNNING
    } finally {
      isReturned = true
    }
  }
  const { status, body } = await appOf(states()).request('/', { method: 'HEAD' })
  expect([status, body]).toEqual([200, null])
  await expect.poll(() => isReturned).toBe(true)
  expect(vi.getTimerCount()).toBe(0)
})
