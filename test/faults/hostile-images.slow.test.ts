/**
 * Random hostile images, registry answers and requests, against both hosts as they are started: each gives an answer or a
 * problem, and the service goes on answering. `LAMINA_SEED` repeats a run.
 */
import { rm } from 'node:fs/promises'
import { pathToFileURL } from 'node:url'
import fc from 'fast-check'
import { beforeAll, expect, it, onTestFinished } from 'vitest'
import { inParallel } from '../../src/concurrency.ts'
import { bundleNode } from '../../workers/node/bundle.ts'
import { Inspector } from '../bench/inspector.ts'
import { peakMegabytes, processBelow } from '../bench/measure.ts'
import { watchHealth } from '../support/health.ts'
import type { TestImage } from '../support/images.ts'
import { freePort } from '../support/ports.ts'
import { HOSTS, type HostName, NODE_FLAGS, type SpawnedService, temporaryData } from '../support/service.ts'
import { newStage, type Stage } from '../support/stage.ts'
import { hostileBody, hostileImage, makeHostile, pushHostile } from './hostile-images.ts'

const LONG = process.env.LAMINA_LONG !== undefined
const IMAGES = LONG ? 300 : 8
const AT_ONCE = 6
const SEED = Number(process.env.LAMINA_SEED ?? (LONG ? Date.now() % 2 ** 31 : 1))
/** For the whole Node process. */
const MOST_MEGABYTES = 600
/** For an isolate, as on Cloudflare; workerd terminates one whose heap alone is larger. */
const ISOLATE_MEGABYTES = 128
/** Memory that the inspector does not see: the instances of WebAssembly. */
const WASM_MEGABYTES = 17
const QUESTION_MILLISECONDS = 300_000
const LOOK_MILLISECONDS = 1_000

const hostile = fc.sample(hostileImage, { numRuns: IMAGES, seed: SEED })
const bodies = fc.sample(hostileBody, { numRuns: IMAGES, seed: SEED })
/** Both hosts read the same images. */
let images: readonly TestImage[]
let service: SpawnedService
/** The bundle that users start if its memory matters: a few images take little anyway. */
let node: HostName | URL = 'node'

beforeAll(async () => {
  images = await inParallel(hostile, 1, makeHostile)
  if (!LONG) return
  const folder = await temporaryData()
  await bundleNode(folder)
  node = new URL('start.js', pathToFileURL(`${folder}/`))
  return () => rm(folder, { recursive: true, force: true })
})

type Told = { readonly what: string; readonly status: number; readonly code?: string }

async function tell(what: string, path: string, init: RequestInit = {}): Promise<Told> {
  const signal = AbortSignal.timeout(QUESTION_MILLISECONDS)
  const answer = await fetch(`${service.url}${path}`, { ...init, signal })
  const body = await answer.text()
  if (answer.ok || answer.status === 412) return { what, status: answer.status }
  const { code }: { code?: string } = JSON.parse(body)
  return { what, status: answer.status, ...(code === undefined ? {} : { code }) }
}

/** All requests for one image. */
async function questions(reference: string, glob: string, body: Uint8Array): Promise<Told[]> {
  const about = (more: Record<string, string> = {}) => new URLSearchParams({ image: reference, ...more })
  const repository = reference.replace(/:v1$/, '')
  return [
    await tell('report', `/v1/report?${about({ wait: '300' })}`),
    ...(await Promise.all([
      tell('packages', `/v1/packages?${about({ wait: '60' })}`),
      tell('files', `/v1/files?${about({ wait: '60', glob })}`),
      tell('tree', `/v1/tree?${about({ wait: '60' })}`),
      tell('check', `/v1/check?${about({ wait: '60', deny: glob, maxLayers: '3' })}`),
      tell('badge', `/badge/size.json?${about()}`),
      tell('dockerfile', `/v1/dockerfile?${about()}`),
      tell('tags', `/v1/tags?${new URLSearchParams({ repository })}`),
      tell('file', `/v1/file?${about({ wait: '60', path: 'etc/os-release' })}`),
      tell('post', '/v1/check', {
        method: 'POST',
        body: Buffer.from(body),
        headers: { 'content-type': 'application/yaml' },
      }),
    ])),
  ]
}

type Running = { readonly service: SpawnedService; memory(): Promise<Record<string, number>> }

/** Node with the flags of `npm run start:node`, and workerd with a way to look into it. */
const START: Record<HostName, (stage: Stage) => Promise<Running>> = {
  async node(stage) {
    const service = await stage.spawn(node, {}, NODE_FLAGS)
    return { service, memory: async () => ({ resident: await peakMegabytes(service.pid) }) }
  },
  async worker(stage) {
    const port = await freePort()
    const service = await stage.spawn(new URL('../support/inspected-worker.ts', import.meta.url), {
      MINIFLARE_WORKERD_V8_FLAGS: `--max-old-space-size=${ISOLATE_MEGABYTES}`,
      INSPECTOR_PORT: `${port}`,
    })
    const inspector = await Inspector.open(port)
    onTestFinished(() => inspector.close())
    let isolate = 0
    let looking = Promise.resolve()
    const looks = setInterval(() => {
      looking = looking.then(async () => {
        const { heapMegabytes, bufferMegabytes } = await inspector.live()
        isolate = Math.max(isolate, heapMegabytes + bufferMegabytes)
      })
    }, LOOK_MILLISECONDS)
    onTestFinished(() => clearInterval(looks))
    return {
      service,
      async memory() {
        clearInterval(looks)
        await looking
        const workerd = await processBelow(service.pid, 'workerd')
        return { isolate, resident: await peakMegabytes(workerd ?? service.pid) }
      },
    }
  },
}

it.each(HOSTS)('on %s every request is answered', { timeout: LONG ? 3_600_000 : 300_000 }, async (host) => {
  const stage = await newStage()
  const references = images.map((image, number) =>
    pushHostile(stage.registry, `hostile${number}`, image, hostile[number]?.faults ?? []),
  )
  const running = await START[host](stage)
  service = running.service
  const health = watchHealth(service.url)
  const told: Told[] = []
  await inParallel([...hostile.entries()], AT_ONCE, async ([number, { glob }]) => {
    told.push(...(await questions(references[number] ?? '', glob, bodies[number] ?? new Uint8Array(0))))
  })
  const { longestMilliseconds } = await health.stop()
  const memory = await running.memory()
  const codes = new Map<string, number>()
  for (const { status, code = '' } of told)
    codes.set(`${status} ${code}`, (codes.get(`${status} ${code}`) ?? 0) + 1)
  if (LONG)
    console.log({
      host,
      seed: SEED,
      memory,
      healthzMilliseconds: longestMilliseconds,
      ...Object.fromEntries(codes),
    })
  // An analysis that took more than five minutes would give 202.
  const unanswered = told.filter(({ status, code }) => status === 202 || status === 500 || code === undefined)
  expect({
    seed: SEED,
    unanswered: unanswered.filter(({ status }) => status !== 200 && status !== 412),
  }).toEqual({
    seed: SEED,
    unanswered: [],
  })
  expect(service.output()).not.toContain('crashed')
  if (host === 'node') expect(memory.resident).toBeLessThan(MOST_MEGABYTES)
  else expect(memory.isolate).toBeLessThan(ISOLATE_MEGABYTES - WASM_MEGABYTES)
})
