/**
 * Images in a queue that servers share: one that fails is retried, and one that fails permanently is kept for inspection.
 */
import { randomBytes } from 'node:crypto'
import { Queue } from 'bullmq'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { QueuedImage } from '../../../src/job.ts'
import type { ImageQueueWork } from '../../../src/jobs/memory-image-queue.ts'
import { JobRunner } from '../../../src/jobs/runner.ts'
import { Problem } from '../../../src/problem.ts'
import { startApp } from '../../../test/support/app.ts'
import { TestRedis } from '../../../test/support/redis.ts'
import { createLog } from '../log.ts'
import { joinQueue, type SharedJobs } from './queue.ts'

/** Long enough for a busy machine. */
const SOON = { timeout: 60_000, interval: 50 }
const PROBLEM = new Problem('registry_error', 'the registry answered 500')

let redis: TestRedis
let server: SharedJobs

beforeEach(async () => {
  redis = await TestRedis.start()
  server = await joinQueue({
    redis: { url: redis.url, key: randomBytes(32) },
    queuedAnalyses: 10,
    log: createLog('silent'),
  })
})

afterEach(async () => {
  await server.close()
  await redis.stop()
})

function work(images: ImageQueueWork): void {
  const runner = new JobRunner(async () => {}, { analyses: 1, queuedAnalyses: 1, layers: 1 })
  const atOnce = { image: 1, layer: 1, config: 1 }
  server.work({ runner, service: startApp().service, atOnce, images: { ...images, atOnce: 2 } })
}

const queued = (name: string): QueuedImage => ({
  image: `registry.example/${name}:v1`,
  analyses: [`of ${name}`],
})

test('an image that fails is retried, and held until it is done', async () => {
  const attempts: number[] = []
  const { promise: until, resolve: release } = Promise.withResolvers<void>()
  work({
    async run(_, attempt) {
      attempts.push(attempt)
      if (attempt < 3) return { again: { seconds: 0, problem: PROBLEM } }
      await until
      return {}
    },
    giveUp: () => Promise.reject(new Error('it was not to be given up')),
  })
  await server.imageQueue.add([queued('a')])
  await expect.poll(() => attempts, SOON).toEqual([1, 2, 3])
  expect(await server.imageQueue.holds('of a')).toBe(true)
  release()
  await expect.poll(() => server.imageQueue.holds('of a'), SOON).toBe(false)
})

test('an image that fails permanently is kept with its reason for the operator', async () => {
  const told: [string, string][] = []
  work({
    run: async () => ({ again: { seconds: 0, problem: PROBLEM } }),
    giveUp: async ({ image }, { code }) => void told.push([image, code]),
  })
  await server.imageQueue.add([queued('a')])
  await expect.poll(() => server.imageQueue.holds('of a'), SOON).toBe(false)
  expect(told).toEqual([['registry.example/a:v1', 'registry_error']])
  const queue = new Queue('queued-images', { connection: { url: redis.url }, prefix: 'lamina' })
  const [failed] = await queue.getFailed()
  await queue.close()
  expect([failed?.data, failed?.failedReason, failed?.attemptsMade]).toEqual([
    queued('a'),
    'registry_error: the registry answered 500',
    9,
  ])
})

test('a batch of images that does not fit is refused as a whole', async () => {
  const many = (count: number) => Array.from({ length: count }, (_, i) => queued(`a${i}`))
  await server.imageQueue.add(many(9_999))
  await expect(server.imageQueue.add(many(2))).rejects.toMatchObject({ code: 'rate_limited' })
  await server.imageQueue.add(many(1))
})

test('while Redis is away images are refused, and it is unknown which are held', async () => {
  await redis.down()
  await expect(server.imageQueue.add([queued('a')])).rejects.toMatchObject({ code: 'queue_unavailable' })
  expect(await server.imageQueue.holds('of a')).toBeUndefined()
})
