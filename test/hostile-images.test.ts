/**
 * Images, answers of registries and questions that only an enemy makes, at random, against both hosts as they are started: each
 * ends in an answer or a problem, and the service goes on answering. `LAMINA_SEED` repeats a run.
 */
import { rm } from 'node:fs/promises'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { inParallel } from '../src/concurrency.ts'
import { peakMegabytes, processBelow } from './bench/measure.ts'
import { hostileBody, hostileImage, pushHostile } from './hostile-images.ts'
import { FixtureRegistry } from './registry/fixture.ts'
import { HOSTS, type SpawnedService, spawnService, temporaryData } from './service.ts'

const LONG = process.env.LAMINA_LONG !== undefined
const IMAGES = LONG ? 300 : 12
const AT_ONCE = 6
const SEED = Number(process.env.LAMINA_SEED ?? (LONG ? Date.now() % 2 ** 31 : 1))
/** Of the whole Node process. */
const MOST_MEGABYTES = 600
/** workerd ends an isolate whose heap is larger, as Cloudflare does. */
const ISOLATE = { MINIFLARE_WORKERD_V8_FLAGS: '--max-old-space-size=128' }
const QUESTION_MILLISECONDS = 300_000

let data: string
let service: SpawnedService
let registry: FixtureRegistry

beforeEach(async () => {
  registry = await FixtureRegistry.start()
  data = await temporaryData()
})

afterEach(async () => {
  await Promise.all([service?.end('SIGKILL'), registry?.close()])
  await rm(data, { recursive: true, force: true })
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

/** All that is asked of one image. */
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

/** Asks `/healthz` until the work is done. @returns the longest that it took, in milliseconds */
async function longestSilence(work: Promise<unknown>): Promise<number> {
  let isDone = false
  const done = work.finally(() => {
    isDone = true
  })
  let longest = 0
  while (!isDone) {
    const asked = performance.now()
    expect((await fetch(`${service.url}/healthz`)).status).toBe(200)
    longest = Math.max(longest, performance.now() - asked)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  await done
  return longest
}

it.each(HOSTS)('on %s all is answered', { timeout: LONG ? 3_600_000 : 300_000 }, async (host) => {
  const images = fc.sample(hostileImage, { numRuns: IMAGES, seed: SEED })
  const bodies = fc.sample(hostileBody, { numRuns: IMAGES, seed: SEED })
  service = await spawnService(host, data, host === 'worker' ? ISOLATE : {})
  const told: Told[] = []
  const work = inParallel([...images.entries()], AT_ONCE, async ([number, image]) => {
    const reference = await pushHostile(registry, `hostile${number}`, image)
    told.push(...(await questions(reference, image.glob, bodies[number] ?? new Uint8Array(0))))
  })
  const silence = await longestSilence(work)
  const measured = host === 'worker' ? await processBelow(service.pid, 'workerd') : service.pid
  const peak = await peakMegabytes(measured ?? service.pid)
  const codes = new Map<string, number>()
  for (const { status, code = '' } of told)
    codes.set(`${status} ${code}`, (codes.get(`${status} ${code}`) ?? 0) + 1)
  if (LONG) {
    console.log({
      host,
      seed: SEED,
      peakMegabytes: peak,
      healthzMilliseconds: silence,
      ...Object.fromEntries(codes),
    })
  }
  // Not analysed within five minutes would be 202.
  const unanswered = told.filter(({ status, code }) => status === 202 || status === 500 || code === undefined)
  expect({
    seed: SEED,
    unanswered: unanswered.filter(({ status }) => status !== 200 && status !== 412),
  }).toEqual({
    seed: SEED,
    unanswered: [],
  })
  expect(service.output()).not.toContain('crashed')
  if (host === 'node') expect(peak).toBeLessThan(MOST_MEGABYTES)
})
