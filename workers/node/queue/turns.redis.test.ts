/** The order in which jobs of several registries are taken from a queue that servers share. */
import { randomBytes } from 'node:crypto'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { follow } from '../../../src/follow-job.ts'
import { isFinished, type LayerJob } from '../../../src/job.ts'
import { JobRunner } from '../../../src/jobs/runner.ts'
import { startApp } from '../../../test/support/app.ts'
import { TestRedis } from '../../../test/support/redis.ts'
import { createLog } from '../log.ts'
import { joinQueue, type SharedJobs } from './queue.ts'

const PATIENCE_MILLISECONDS = 60_000

let redis: TestRedis
let servers: readonly SharedJobs[]
/** The names of jobs in the order in which they are done, one at a time. */
let done: string[]

beforeEach(async () => {
  redis = await TestRedis.start()
  done = []
  const key = randomBytes(32)
  const join = () =>
    joinQueue({ redis: { url: redis.url, key }, queuedAnalyses: 100, log: createLog('silent') })
  servers = await Promise.all([join(), join()])
})

afterEach(async () => {
  await servers[0]?.finish()
  await Promise.all(servers.map((server) => server.close()))
  await redis.stop()
})

/** @param name its registry and its number there */
function layer(name: string): LayerJob {
  const digest = `sha256:${Buffer.from(name).toString('hex').padEnd(64, '0')}`
  return {
    kind: 'layer',
    source: { kind: 'registry', registry: `${name[0]}.example`, repository: 'app' },
    image: digest,
    descriptor: { digest, mediaType: 'application/vnd.oci.image.layer.v1.tar', size: 1 },
  }
}

async function queue(server: 0 | 1, ...names: readonly string[]): Promise<void> {
  for (const name of names) await servers[server]?.jobs.start(layer(name))
}

function work(after: (name: string) => Promise<void> = async () => {}): void {
  const runner = new JobRunner(
    async (job) => {
      if (job.kind !== 'layer') return
      const name = Buffer.from(job.descriptor.digest.slice('sha256:'.length), 'hex')
        .toString()
        .replaceAll('\0', '')
      done.push(name)
      await after(name)
    },
    { analyses: 1, queuedAnalyses: 100, layers: 1 },
  )
  const images = { run: async () => ({}), giveUp: async () => {}, atOnce: 1 }
  const atOnce = { image: 1, layer: 1, config: 1 }
  servers[0]?.work({ runner, service: startApp().service, atOnce, images })
}

async function ended(name: string): Promise<void> {
  const jobs = servers[1]?.jobs
  if (jobs === undefined) throw new Error('no server')
  for await (const state of follow(jobs, layer(name), PATIENCE_MILLISECONDS)) if (isFinished(state)) return
  throw new Error(`${name} did not end; done are ${done}`)
}

test('registries take turns', async () => {
  await queue(0, 'a1', 'a2', 'a3', 'a4')
  await queue(1, 'b1', 'b2')
  await queue(0, 'a5')
  await queue(1, 'c1')
  work()
  await ended('a5')
  expect(done).toEqual(['a1', 'b1', 'c1', 'a2', 'b2', 'a3', 'a4', 'a5'])
})

test('jobs of one registry run in the order of the requests, across all servers', async () => {
  await queue(0, 'a1', 'a2', 'a3')
  await queue(1, 'a4', 'a5')
  await queue(0, 'a6')
  work()
  await ended('a6')
  expect(done).toEqual(['a1', 'a2', 'a3', 'a4', 'a5', 'a6'])
})

test('later jobs never overtake waiting ones, however many there are', async () => {
  await queue(0, 'a1', 'a2', 'a3', 'a4')
  // Whenever a job ends, another is requested at the other server.
  let next = 5
  work(async () => {
    if (next <= 8) await queue(1, `a${next++}`)
  })
  await ended('a4')
  expect(done.slice(0, 4)).toEqual(['a1', 'a2', 'a3', 'a4'])
})

test('requesting a waiting job again does not change the order', async () => {
  await queue(0, 'a1')
  await queue(0, ...Array.from({ length: 5 }, () => 'a1'), 'a2')
  await queue(1, 'b1', 'b2', 'b3')
  work()
  await ended('b3')
  expect(done).toEqual(['a1', 'b1', 'a2', 'b2', 'b3'])
})
