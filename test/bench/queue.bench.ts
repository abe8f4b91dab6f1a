/** What a queue that several servers share costs: one job over Redis against one in the process, and three servers against one. */
import { randomBytes } from 'node:crypto'
import { rm } from 'node:fs/promises'
import type { Jobs } from '../../src/host.ts'
import { isFinished, type LayerJob } from '../../src/job.ts'
import { JobRunner } from '../../src/service/jobs/runner.ts'
import { follow } from '../../src/service/jobs/wait.ts'
import { createLog } from '../../workers/node/log.ts'
import { joinQueue } from '../../workers/node/queue.ts'
import { startApp } from '../app.ts'
import { makeImage, makeLayer } from '../images.ts'
import { TestRedis } from '../redis.ts'
import { FixtureRegistry } from '../registry/fixture.ts'
import { type SpawnedService, spawnService, temporaryData } from '../service.ts'
import { areInstalled, best, line, seconds } from './measure.ts'

const RUNS = 3
const BATCHES = 10
const JOBS = 50
const SERVERS = 3
const LAYERS = 24
const FILES = 40
const FILE_BYTES = 100_000

export default async function queue(): Promise<void> {
  if (!(await areInstalled('redis-server'))) {
    console.log('redis-server is not installed')
    return
  }
  const redis = await TestRedis.start()
  try {
    await oneJob(redis)
    await threeServers(redis)
  } finally {
    await redis.stop()
  }
}

/** Jobs that do nothing, one after the other. */
async function oneJob({ url }: TestRedis): Promise<void> {
  const limits = { analyses: 8, queuedAnalyses: 100, layers: 16 }
  const runner = () => new JobRunner(async () => {}, limits)
  const shared = await joinQueue({
    redis: { url, key: randomBytes(32) },
    queuedAnalyses: 100,
    log: createLog('silent'),
  })
  const orders = { run: async () => ({}), giveUp: async () => {}, atOnce: 1 }
  const atOnce = { image: 8, layer: 16, config: 16 }
  shared.work({ runner: runner(), service: startApp().service, atOnce, orders })
  await millisecondsOfOne(shared.jobs)
  const own: number[] = []
  const over: number[] = []
  for (let batch = 0; batch < BATCHES; batch++) {
    own.push(await millisecondsOfOne(runner()))
    over.push(await millisecondsOfOne(shared.jobs))
  }
  await shared.close()
  const [alone, queued] = [best(own), best(over)]
  line('one job', { 'ms in the process': alone, 'ms over Redis': queued, 'ms more': queued - alone })
}

async function millisecondsOfOne(jobs: Jobs): Promise<number> {
  const all = await seconds(async () => {
    for (let job = 0; job < JOBS; job++)
      for await (const state of follow(jobs, emptyJob(), 60_000))
        if (state.status === 'failed') throw new Error(state.error?.detail)
        else if (isFinished(state)) break
  })
  return (all * 1000) / JOBS
}

function emptyJob(): LayerJob {
  const digest = `sha256:${randomBytes(32).toString('hex')}`
  return {
    kind: 'layer',
    source: { kind: 'registry', registry: 'registry.example', repository: 'app' },
    image: digest,
    descriptor: { digest, mediaType: 'application/vnd.oci.image.layer.v1.tar', size: 1 },
  }
}

/** On the same cores: they have nothing to gain here, and are to lose little. */
async function threeServers({ url }: TestRedis): Promise<void> {
  const registry = await FixtureRegistry.start()
  const times: Record<'one' | 'three', number[]> = { one: [], three: [] }
  for (let run = 0; run < RUNS; run++) {
    for (const [name, count] of [
      ['one', 1],
      ['three', SERVERS],
    ] as const) {
      const data = await temporaryData()
      const settings = count === 1 ? {} : { REDIS_URL: url, LAMINA_KEY: randomBytes(32).toString('base64') }
      const servers = await Promise.all(
        Array.from({ length: count }, () => spawnService('node', data, settings)),
      )
      // So that the threads run, as they do in a service that is in use.
      for (let warm = 0; warm < 4; warm++) await reportOf(servers, await newImage(registry, 6))
      const image = await newImage(registry, LAYERS)
      times[name].push(await seconds(() => reportOf(servers, image)))
      await Promise.all(servers.map((server) => server.end('SIGTERM')))
      await rm(data, { recursive: true })
    }
  }
  await registry.close()
  const [one, three] = [best(times.one), best(times.three)]
  line(`${LAYERS} layers on one machine`, { 'one server': one, 'three servers': three, times: three / one })
}

async function newImage(registry: FixtureRegistry, layers: number): Promise<string> {
  const made = await Array.fromAsync({ length: layers }, async (_, layer) =>
    makeLayer(
      Array.from({ length: FILES }, (_, file) => ({
        name: `${layer}/${file}`,
        content: randomBytes(FILE_BYTES),
      })),
    ),
  )
  return registry.push(`app-${randomBytes(4).toString('hex')}`, 'v1', makeImage(made))
}

/** Asked at all servers at once. */
async function reportOf(servers: readonly SpawnedService[], image: string): Promise<void> {
  const statuses = await Promise.all(
    servers.map(async (server) => {
      const answer = await fetch(`${server.url}/v1/report?wait=300&image=${image}`)
      await answer.arrayBuffer()
      return answer.status
    }),
  )
  if (statuses.some((status) => status !== 200)) throw new Error(`answered ${statuses}`)
}
