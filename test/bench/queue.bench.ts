/**
 * The cost of a queue that several servers share: one job over Redis against one in process, and three servers against one.
 */
import { randomBytes } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { gzipSync } from 'node:zlib'
import { follow } from '../../src/follow-job.ts'
import type { Jobs } from '../../src/host.ts'
import { isFinished, type LayerJob } from '../../src/job.ts'
import { JobRunner } from '../../src/jobs/runner.ts'
import { createLog } from '../../workers/node/log.ts'
import { joinQueue } from '../../workers/node/queue/queue.ts'
import { FixtureRegistry } from '../registry/fixture.ts'
import { startApp } from '../support/app.ts'
import { makeImage, makeLayer, packTar } from '../support/images.ts'
import { TestRedis } from '../support/redis.ts'
import { type SpawnedService, spawnService, temporaryData } from '../support/service.ts'
import { areInstalled, best, cpuSeconds, line, seconds } from './measure.ts'

const RUNS = 3
const BATCHES = 10
const JOBS = 50
const SERVERS = 3
/** Some seconds of work, so that the work is measured and not the start of an image. */
const LARGE = { layers: 24, files: 160 } as const
const FILE_BYTES = 100_000
/** The end marker of a tar. */
const END_BYTES = 1024
/** Images until a server's threads are warm and have compiled their code. Several servers need that many times more. */
const WARM = { images: 4, layers: 6, files: 40 } as const

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
  const images = { run: async () => ({}), giveUp: async () => {}, atOnce: 1 }
  const atOnce = { image: 8, layer: 16, config: 16 }
  shared.work({ runner: runner(), service: startApp().service, atOnce, images })
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

/**
 * On the same cores: more servers cannot be faster here, but must not be much slower. The runs alternate while both stay up.
 */
async function threeServers({ url }: TestRedis): Promise<void> {
  const registry = await FixtureRegistry.start()
  const groups = [await Group.start(1), await Group.start(SERVERS, url)]
  const times = groups.map((): number[] => [])
  const costs = groups.map((): number[] => [])
  for (let number = 0; number < WARM.images * SERVERS; number++) {
    const image = await newImage(registry, WARM)
    for (const group of groups) if (number < WARM.images * group.size) await group.report(image)
  }
  for (let run = 0; run < RUNS; run++) {
    const image = await newImage(registry, LARGE)
    for (const [at, group] of groups.entries()) {
      const before = await group.cpuSeconds()
      times[at]?.push(await seconds(() => group.report(image)))
      costs[at]?.push((await group.cpuSeconds()) - before)
    }
  }
  await Promise.all([registry.close(), ...groups.map((group) => group.stop())])
  const [one = 0, three = 0] = times.map(best)
  const [costOfOne = 0, costOfThree = 0] = costs.map(best)
  const bytes = (LARGE.layers * LARGE.files * FILE_BYTES) / 1e6
  line(`${LARGE.layers} layers, ${bytes} MB in all, on one machine`, {
    'one server': one,
    'three servers': three,
    times: three / one,
    'CPU of one': costOfOne,
    'CPU of three': costOfThree,
    'times CPU': costOfThree / costOfOne,
  })
}

/** One server by itself, or several that share a queue and a store. */
class Group {
  readonly #servers: readonly SpawnedService[]
  readonly #data: string

  private constructor(servers: readonly SpawnedService[], data: string) {
    this.#servers = servers
    this.#data = data
  }

  static async start(size: number, redis?: string): Promise<Group> {
    const data = await temporaryData()
    const settings =
      redis === undefined ? {} : { REDIS_URL: redis, LAMINA_KEY: randomBytes(32).toString('base64') }
    const servers = Array.from({ length: size }, () => spawnService('node', data, settings))
    return new Group(await Promise.all(servers), data)
  }

  get size(): number {
    return this.#servers.length
  }

  async cpuSeconds(): Promise<number> {
    const each = await Promise.all(this.#servers.map(({ pid }) => cpuSeconds(pid)))
    return each.reduce((sum, one) => sum + one, 0)
  }

  /** Requested from all servers at once. */
  async report(image: string): Promise<void> {
    const statuses = await Promise.all(
      this.#servers.map(async (server) => {
        const answer = await fetch(`${server.url}/v1/report?wait=300&image=${image}`)
        await answer.arrayBuffer()
        return answer.status
      }),
    )
    if (statuses.some((status) => status !== 200)) throw new Error(`answered ${statuses}`)
  }

  async stop(): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.end('SIGTERM')))
    await rm(this.#data, { recursive: true })
  }
}

/** The common part of all layers of a size, compressed once: compressing takes longer than what is measured. */
const packed = new Map<number, Promise<{ readonly tar: Uint8Array; readonly gzip: Uint8Array }>>()

async function pack(files: number) {
  const tar = await packTar(
    Array.from({ length: files }, (_, file) => ({ name: `file-${file}`, content: randomBytes(FILE_BYTES) })),
  )
  return { tar, gzip: gzipSync(tar) }
}

async function newImage(
  registry: FixtureRegistry,
  { layers, files }: { readonly layers: number; readonly files: number },
): Promise<string> {
  const common = packed.get(files) ?? pack(files)
  packed.set(files, common)
  const { tar, gzip } = await common
  const made = await Array.fromAsync({ length: layers }, async () => {
    const own = (await packTar([{ name: 'own', content: randomBytes(16) }])).subarray(0, -END_BYTES)
    return makeLayer(Buffer.concat([own, tar]), { bytes: Buffer.concat([gzipSync(own), gzip]) })
  })
  return registry.push(`app-${randomBytes(4).toString('hex')}`, 'v1', makeImage(made))
}
