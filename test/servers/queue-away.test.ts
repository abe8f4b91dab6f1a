/** A server without its Redis: known images are answered, new ones are refused for now, and the service stays ready. */
import { rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startNode } from '../../workers/node/service.ts'
import { FixtureRegistry } from '../registry/fixture.ts'
import { ask } from '../support/ask.ts'
import { SETTINGS, spawnService, temporaryData } from '../support/service.ts'
import { newSubject, reportOf, type Subject } from '../support/subject.ts'

const LAMINA_KEY = Buffer.alloc(32, 1).toString('base64')

let registry: FixtureRegistry
let data: string
let known: Subject
let url: string
let stop: () => Promise<void>

beforeAll(async () => {
  registry = await FixtureRegistry.start()
  data = await temporaryData()
  known = await newSubject(registry)
  const before = await startNode({ ...SETTINGS, LAMINA_DATA: data })
  expect((await reportOf(before.url, known)).status).toBe(200)
  await before.stop()
  const away = { REDIS_URL: `redis://127.0.0.1:${await closedPort()}`, LAMINA_KEY }
  ;({ url, stop } = await startNode({ ...SETTINGS, LAMINA_DATA: data, ...away }))
})

afterAll(async () => {
  await stop?.()
  await registry?.close()
  if (data !== undefined) await rm(data, { recursive: true })
})

/** An address where nothing listens. */
async function closedPort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

test('the service stays ready, and says that it analyses nothing new', async () => {
  const { status, body } = await ask(url, '/readyz')
  expect({ status, body }).toEqual({ status: 200, body: { status: 'degraded', redis: 'away' } })
})

test('known images are answered', async () => {
  expect((await reportOf(url, known)).status).toBe(200)
})

test('a new image is refused for now, and nothing of it is read', async () => {
  const subject = await newSubject(registry)
  const blobs = () => registry.count({ path: /\/blobs\//, method: 'GET' })
  const readBefore = blobs()
  const { status, headers, body } = await reportOf(url, subject)
  expect({ status, code: body.code }).toEqual({ status: 503, code: 'queue_unavailable' })
  expect(Number(headers.get('retry-after'))).toBeGreaterThan(0)
  expect(blobs()).toBe(readBefore)
})

test('metrics are still served', async () => {
  expect(await (await fetch(`${url}/metrics`)).text()).toContain('lamina_jobs_queued 0')
})

/** The packages that a server had loaded when it ended. */
async function loaded(settings: Record<string, string>): Promise<string> {
  const own = await temporaryData()
  const flags = ['--import', new URL('../support/loaded-packages.ts', import.meta.url).href]
  const service = await spawnService('node', own, settings, flags)
  expect((await fetch(`${service.url}/readyz`)).status).toBe(200)
  expect(await service.end('SIGTERM')).toBe(0)
  await rm(own, { recursive: true })
  return service.output().replace(/^(?!loaded: ).*\n/gm, '')
}

test('without REDIS_URL nothing of the queue is loaded', async () => {
  expect(await loaded({})).toMatch(/^loaded: (?!.*(bullmq|ioredis))/)
  const queue = { REDIS_URL: `redis://127.0.0.1:${await closedPort()}`, LAMINA_KEY }
  expect(await loaded(queue)).toMatch(/bullmq.*ioredis|ioredis.*bullmq/)
})
