/** Ends of jobs that a neighbour writes to Redis, who has no key of the servers. */
import { randomBytes } from 'node:crypto'
import { Queue } from 'bullmq'
import { Redis } from 'ioredis'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type ImageJob, type JobState, jobKey } from '../../../src/job.ts'
import { JobRunner } from '../../../src/jobs/runner.ts'
import { Problem } from '../../../src/problem.ts'
import { startApp } from '../../../test/support/app.ts'
import { TestRedis } from '../../../test/support/redis.ts'
import { createLog } from '../log.ts'
import { joinQueue, type SharedJobs } from './queue.ts'
import { PREFIX, QUEUES } from './queue-messages.ts'

const job: ImageJob = {
  kind: 'image',
  source: { kind: 'registry', registry: 'registry.example', repository: 'app' },
  digest: `sha256:${'a'.repeat(64)}`,
}
const WORDS = 'words of a neighbour'
const FORGED = JSON.stringify({
  progress: { layers: 1, layersDone: 1, layersReused: 0, bytes: 1, bytesDone: 1 },
  place: 'registry.example',
  error: { code: 'invalid_image', detail: WORDS },
})

let redis: TestRedis
let server: SharedJobs
let neighbour: Queue
let client: Redis

beforeEach(async () => {
  redis = await TestRedis.start()
  server = await joinQueue({
    redis: { url: redis.url, key: randomBytes(32) },
    queuedAnalyses: 10,
    log: createLog('silent'),
  })
  client = new Redis(redis.url)
  neighbour = new Queue(QUEUES.image, { connection: { url: redis.url }, prefix: PREFIX })
})

afterEach(async () => {
  await neighbour.close()
  client.disconnect()
  await server.close()
  await redis.stop()
})

/** Runs jobs with this. */
function work(run: () => Promise<void>): void {
  const runner = new JobRunner(run, { analyses: 1, queuedAnalyses: 1, layers: 1 })
  const images = { run: async () => ({}), giveUp: async () => {}, atOnce: 1 }
  server.work({ runner, service: startApp().service, atOnce: { image: 1, layer: 1, config: 1 }, images })
}

/** The event, and the only job that there is. */
async function forge(event: 'failed' | 'completed'): Promise<void> {
  const [waiting] = await neighbour.getJobs()
  const field = event === 'failed' ? 'failedReason' : 'returnvalue'
  const fields = ['event', event, 'jobId', String(waiting?.id), field, FORGED, 'prev', 'active']
  await client.xadd(neighbour.keys.events ?? '', '*', ...fields)
}

async function ended(): Promise<JobState | undefined> {
  let state = await server.jobs.watch(jobKey(job), 0, 0)
  while (state?.status === 'queued' || state?.status === 'running')
    state = await server.jobs.watch(jobKey(job), state.version, 5_000)
  return state
}

test.each(['failed', 'completed'] as const)('a job that "%s" by their word goes on', async (event) => {
  const running = Promise.withResolvers<void>()
  const done = Promise.withResolvers<void>()
  work(() => {
    running.resolve()
    return done.promise
  })
  await server.jobs.start(job)
  await running.promise
  await forge(event)
  const { version = 0 } = (await server.jobs.watch(jobKey(job), 0, 0)) ?? {}
  const next = await server.jobs.watch(jobKey(job), version, 1_000)
  expect(next?.status).toBe('running')
  done.resolve()
  expect((await ended())?.status).toBe('succeeded')
})

test('a failure is told in the words of the server that ran the job', async () => {
  work(() => Promise.reject(new Problem('invalid_image', 'layer 1 is cut off')))
  await server.jobs.start(job)
  expect(await ended()).toMatchObject({ status: 'failed', error: { detail: 'layer 1 is cut off' } })
})
