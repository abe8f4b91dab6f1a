/** Two servers that share a Redis and a store: polling starts nothing, and nothing is lost when Redis goes away. */
import { randomBytes } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { type RunningNode, startNode } from '../../workers/node/service.ts'
import { FixtureRegistry } from '../registry/fixture.ts'
import { type Answer, ask } from '../support/ask.ts'
import { makeImage, makeLayer } from '../support/images.ts'
import { TestRedis } from '../support/redis.ts'
import { SETTINGS, spawnService, temporaryData } from '../support/service.ts'
import { blobPath, newSubject, reportOf, type Subject } from '../support/subject.ts'

/** Long enough for a busy machine. */
const SOON = { timeout: 90_000, interval: 100 }
/** Jobs that one server runs at once. */
const ANALYSES = 2
/** Configs that one server reads at once. */
const TAKEN_CONFIGS = 32
const BATCH_IMAGES = 30
const BATCH_REFERENCES = 1_000

let registry: FixtureRegistry
let redis: TestRedis
let data: string
let settings: Record<string, string>
let servers: readonly RunningNode[]

beforeAll(async () => {
  registry = await FixtureRegistry.start()
})

afterAll(() => registry?.close())

beforeEach(async () => {
  redis = await TestRedis.start()
  data = await temporaryData()
  settings = {
    ...SETTINGS,
    LAMINA_DATA: data,
    LAMINA_MAX_ANALYSES: String(ANALYSES),
    REDIS_URL: redis.url,
    LAMINA_KEY: randomBytes(32).toString('base64'),
  }
  servers = await Promise.all([startNode(settings), startNode(settings)])
})

afterEach(async () => {
  registry.clearFaults()
  await Promise.all(servers.map((server) => server.stop(0)))
  await redis.stop()
  await rm(data, { recursive: true, force: true })
})

const urlOf = (server: 0 | 1) => servers[server]?.url ?? ''
const reports = (subject: Subject) => servers.map(({ url }) => reportOf(url, subject))
const statuses = async (answers: readonly Promise<Answer<unknown>>[]) =>
  (await Promise.all(answers)).map(({ status }) => status)
const readiness = async (server: 0 | 1) => (await ask(urlOf(server), '/readyz')).body

async function stateOf(server: 0 | 1, id: string): Promise<string> {
  const { status, body } = await ask(urlOf(server), `/v1/analyses/${id}`)
  if (status !== 200) return body.code
  return body.error === undefined ? body.status : `${body.status}: ${body.error.code}`
}

/** From now on the registry does not serve this layer. */
function hold(subject: Subject, layer: number): { readonly asked: () => number; release(): void } {
  const { promise: until, resolve } = Promise.withResolvers<void>()
  const blob = { path: blobPath(subject, layer), method: 'GET' }
  registry.fault(blob, { until }, 100)
  return {
    asked: () => registry.count(blob),
    release() {
      registry.clearFaults()
      resolve()
    },
  }
}

const begin = async (subject: Subject): Promise<string> =>
  (await ask(urlOf(0), '/v1/analyses', { method: 'POST', json: { image: subject.reference } })).body.id

test('an analysis can be polled at any server, which starts nothing', async () => {
  const subject = await newSubject(registry)
  const held = hold(subject, 0)
  const id = await begin(subject)
  await expect.poll(held.asked, SOON).toBe(1)
  expect(await stateOf(1, id)).toBe('running')
  expect(await stateOf(0, id)).toBe('running')
  held.release()
  await expect.poll(() => stateOf(1, id), SOON).toBe('succeeded')
  expect(held.asked()).toBe(1)
})

test('an analysis that was lost with Redis counts as failed until somebody requests the report', async () => {
  const subject = await newSubject(registry)
  // Others take all slots, so that no server runs it before it is lost.
  const others = await Promise.all(
    Array.from({ length: servers.length * ANALYSES }, async () => {
      const other = await newSubject(registry)
      return { other, held: hold(other, 0) }
    }),
  )
  for (const { other } of others) await begin(other)
  await expect.poll(() => others.every(({ held }) => held.asked() > 0), SOON).toBe(true)
  const id = await begin(subject)
  const blob = { path: blobPath(subject, 0), method: 'GET' }
  const before = registry.count(blob)
  await redis.down()
  await redis.empty()
  await redis.up()
  await expect.poll(() => readiness(1), SOON).toEqual({ status: 'ok', redis: 'ok' })
  await expect.poll(() => stateOf(1, id), SOON).toBe('failed: analysis_pending')
  expect(registry.count(blob)).toBe(before)
  for (const { held } of others) held.release()
  expect((await reportOf(urlOf(1), subject)).status).toBe(200)
})

test('while Redis is away known images are answered and new ones are not read; afterwards everything resumes by itself', async () => {
  const known = await newSubject(registry)
  expect(await statuses(reports(known))).toEqual([200, 200])
  const subject = await newSubject(registry)
  await redis.down()
  await expect.poll(() => readiness(0), SOON).toEqual({ status: 'degraded', redis: 'away' })
  await expect.poll(() => readiness(1), SOON).toEqual({ status: 'degraded', redis: 'away' })
  expect(await statuses(reports(known))).toEqual([200, 200])
  for (const { status, headers, body } of await Promise.all(reports(subject))) {
    expect([status, body.code]).toEqual([503, 'queue_unavailable'])
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0)
  }
  expect(registry.count({ path: blobPath(subject, 0) })).toBe(0)
  await redis.up()
  await expect.poll(() => readiness(0), SOON).toEqual({ status: 'ok', redis: 'ok' })
  await expect.poll(() => statuses(reports(subject)), SOON).toEqual([200, 200])
  expect(registry.count({ path: blobPath(subject, 0), method: 'GET' })).toBe(1)
})

test('while Redis hangs running analyses continue, and known images are answered', async () => {
  const known = await newSubject(registry)
  expect(await statuses(reports(known))).toEqual([200, 200])
  const subject = await newSubject(registry)
  const held = hold(subject, 0)
  const asked = reports(subject)
  await expect.poll(held.asked, SOON).toBe(1)
  redis.freeze()
  expect(await statuses(reports(known))).toEqual([200, 200])
  await expect.poll(() => readiness(0), SOON).toEqual({ status: 'degraded', redis: 'away' })
  held.release()
  redis.thaw()
  expect(await statuses(asked)).toEqual([200, 200])
  expect(held.asked()).toBe(1)
})

test.each([
  ['with its data', false],
  ['empty', true],
])('Redis is killed and restarted in the middle of an analysis, %s', async (_, isEmpty) => {
  const subject = await newSubject(registry)
  const held = hold(subject, 0)
  const asked = reports(subject)
  await expect.poll(held.asked, SOON).toBe(1)
  await redis.down()
  await expect.poll(() => readiness(0), SOON).toEqual({ status: 'degraded', redis: 'away' })
  if (isEmpty) await redis.empty()
  await redis.up()
  held.release()
  expect(await statuses(asked)).toEqual([200, 200])
  expect(held.asked()).toBeLessThanOrEqual(isEmpty ? 2 : 1)
})

test('images whose configs no server has time to read are refused, until there is time', async () => {
  const layer = await makeLayer([{ name: 'a', content: 'a' }])
  const { promise: until, resolve: release } = Promise.withResolvers<void>()
  const images = Array.from({ length: servers.length * TAKEN_CONFIGS + 1 }, (_, i) => {
    const image = makeImage([layer], { config: { author: `${i} of ${redis.url}` } })
    registry.fault({ path: new RegExp(image.config.descriptor.digest), method: 'GET' }, { until })
    return registry.push('configs', `v${i}`, image)
  })
  const last = images.pop() ?? ''
  const report = (image: string) => ask(urlOf(0), '/v1/report', { query: { image, wait: 60 } })
  const others = images.map(report)
  const taken = () => registry.count({ path: /configs\/blobs/, method: 'GET' })
  await expect.poll(taken, SOON).toBe(images.length)
  const { status, headers, body } = await report(last)
  expect([status, body.code]).toEqual([429, 'rate_limited'])
  expect(Number(headers.get('retry-after'))).toBeGreaterThan(0)
  release()
  // The layer that they share is equally quick for all; the queue of images may be full for some.
  for (const one of await statuses(others)) expect([200, 429]).toContain(one)
  await expect.poll(async () => (await report(last)).status, SOON).toBe(200)
})

test('a batch of a thousand references outlives the server that took it; each image is analysed once', async () => {
  const images = await Promise.all(
    Array.from({ length: BATCH_IMAGES }, async (_, i) =>
      makeImage([await makeLayer([{ name: 'f', content: `shared batch ${i}` }])]),
    ),
  )
  const references = Array.from({ length: BATCH_REFERENCES }, (_, i) => {
    const image = images[i % BATCH_IMAGES]
    if (image === undefined) throw new Error('no image')
    return registry.push('shared-batch', `v${i}`, image)
  })
  const reads = () =>
    images.map(({ layers: [layer] }) =>
      registry.count({ path: new RegExp(`blobs/${layer?.descriptor.digest}`), method: 'GET' }),
    )
  // It alone takes jobs, until it is killed while it reads.
  await Promise.all(servers.map((server) => server.stop(0)))
  servers = []
  const first = await spawnService('node', data, settings)
  const { promise: until, resolve: release } = Promise.withResolvers<void>()
  for (const { layers } of images.slice(5))
    registry.fault(
      { path: new RegExp(`blobs/${layers[0]?.descriptor.digest}`), method: 'GET' },
      { until },
      100,
    )
  const { status, body } = await ask(first.url, '/v1/analyses', {
    method: 'POST',
    json: { images: references.map((image) => ({ image })) },
  })
  expect(status).toBe(202)
  const ids: string[] = body.items.map(({ id }: { id: string }) => id)
  await expect.poll(() => reads().filter((count) => count > 0).length, SOON).toBeGreaterThan(5)
  await first.end('SIGKILL')
  const cut = reads()
  registry.clearFaults()
  release()
  const second = await startNode(settings)
  servers = [second]
  // Polling starts nothing.
  for (const id of ids.slice(-BATCH_IMAGES)) await expect.poll(() => stateOf(0, id), SOON).toBe('succeeded')
  // What was being read when the server died is read again.
  for (const [i, count] of reads().entries()) expect(count).toBe(i >= 5 && (cut[i] ?? 0) > 0 ? 2 : 1)
}, 400_000)
