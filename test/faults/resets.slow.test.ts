/** A Durable Object can be reset at any moment: whoever waits for it still gets an answer, and nothing hangs. */
import { rm } from 'node:fs/promises'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Job, jobKey } from '../../src/job.ts'
import { type RunningWorker, startWorker } from '../../workers/cloudflare/miniflare.ts'
import { FixtureRegistry } from '../registry/fixture.ts'
import { ask } from '../support/ask.ts'
import { makeImage, makeLayer, type TestImage } from '../support/images.ts'
import { SETTINGS, temporaryData } from '../support/service.ts'

/** The Worker itself, with objects that a test can reset and evict from outside as the platform does. */
const ENTRY = `
import worker, { JobObject as Tested } from './worker.js'

export class JobObject extends Tested {
  reset() {
    this.ctx.abort('a reset')
  }
  async alarm() {
    this.woken = (this.woken ?? 0) + 1
    await super.alarm()
  }
  async beat() {
    await super.alarm()
    const left = await this.left()
    // So late that it would stay.
    if (left.alarm) await this.ctx.storage.setAlarm(Date.now() + 86_400_000)
    return left
  }
  /** As after a reset for lack of memory: everyone who waited tells the next life. */
  async outgrown() {
    await Promise.all([this.outgrew(), this.outgrew()])
  }
  async left() {
    const { storage } = this.ctx
    const alarm = (await storage.getAlarm()) !== null
    return { alarm, stored: (await storage.list()).size, woken: this.woken ?? 0 }
  }
}

const clock = Date.now

export const local = {
  async fetch(request, env, context) {
    const { pathname, searchParams } = new URL(request.url)
    if (pathname === '/clock') {
      const now = Date.now()
      Date.now = searchParams.has('stopped') ? () => now : clock
      return Response.json(now)
    }
    if (!pathname.startsWith('/object/')) return worker.fetch(request, env, context)
    const object = env.JOBS.get(env.JOBS.idFromName(searchParams.get('key')))
    switch (pathname) {
      case '/object/reset':
        return Response.json((await object.reset().catch((error) => String(error))) ?? '')
      case '/object/outgrown':
        return Response.json((await object.outgrown()) ?? '')
      case '/object/beat':
        return Response.json(await object.beat())
      default:
        return Response.json(await object.left())
    }
  },
}

export default local
`

const MAX_ANALYSES = 2

let data: string
let worker: RunningWorker
let registry: FixtureRegistry

beforeAll(async () => {
  data = await temporaryData()
  registry = await FixtureRegistry.start()
  const settings = { ...SETTINGS, LAMINA_DATA: data, LAMINA_MAX_ANALYSES: `${MAX_ANALYSES}` }
  worker = await startWorker(settings, { entry: ENTRY, storedJobs: true })
})

afterEach(() => registry.clearFaults())

afterAll(async () => {
  await Promise.all([worker?.stop(), registry?.close()])
  await rm(data, { recursive: true, force: true })
})

type Subject = { readonly reference: string; readonly image: TestImage; readonly repository: string }

let made = 0

async function newSubject(names: readonly string[] = ['a', 'b']): Promise<Subject> {
  const repository = `reset${made++}`
  const layers = await Promise.all(
    names.map((name) => makeLayer([{ name, content: `${name} of ${repository}` }])),
  )
  const image = makeImage(layers)
  return { reference: registry.push(repository, 'v1', image), image, repository }
}

function keysOf({ image, repository }: Subject): { readonly image: string; readonly layers: string[] } {
  const source = { kind: 'registry', registry: registry.host, repository } as const
  const { digest } = image.descriptor
  const layers = image.layers.map(
    ({ descriptor }): Job => ({ kind: 'layer', source, descriptor, image: digest }),
  )
  return {
    image: jobKey({ kind: 'image', source, digest }),
    layers: layers.map(jobKey),
  }
}

async function tell(what: 'reset' | 'outgrown' | 'beat' | 'left', key: string): Promise<unknown> {
  const answer = await fetch(`${worker.url}/object/${what}?${new URLSearchParams({ key })}`)
  expect(answer.status).toBe(200)
  return answer.json()
}

const report = ({ reference }: Subject, wait = 120) =>
  ask(worker.url, '/v1/report', { query: { image: reference, wait } })

/** Holds up the image's layers until released. @returns once they are being read */
async function hold(
  subject: Subject,
): Promise<{ readonly answers: ReturnType<typeof report>[]; release(): void }> {
  const blobs = subject.image.layers.map(({ descriptor }) => descriptor.digest)
  const path = new RegExp(`blobs/(${blobs.join('|')})`)
  const { promise: until, resolve: release } = Promise.withResolvers<void>()
  registry.fault({ path, method: 'GET' }, { until }, 100)
  const answers = Array.from({ length: 3 }, () => report(subject))
  await expect.poll(() => registry.count({ path, method: 'GET' })).toBeGreaterThan(0)
  return { answers, release }
}

async function expectAnswers(answers: readonly ReturnType<typeof report>[]): Promise<void> {
  const statuses = (await Promise.all(answers)).map(({ status, body }) => ({ status, code: body.code }))
  expect(statuses).toEqual(answers.map(() => ({ status: 200, code: undefined })))
}

it.each<[string, (keys: ReturnType<typeof keysOf>) => string[]]>([
  ['of a layer', ({ layers }) => layers.slice(0, 1)],
  ['of all layers', ({ layers }) => layers],
  ['of the image', ({ image }) => [image]],
  [
    'of the image and all layers, again and again',
    ({ image, layers }) => [image, ...layers, image, ...layers],
  ],
])('resetting the objects %s loses no answer', async (_, chosen) => {
  const subject = await newSubject()
  const { answers, release } = await hold(subject)
  for (const key of chosen(keysOf(subject))) expect(await tell('reset', key)).toContain('a reset')
  release()
  await expectAnswers(answers)
  // What the reset objects held is free again as soon as they are back.
  await expectAnswers([report(await newSubject())])
})

describe('what reset objects held is free as soon as they are back, not only when their leases end', () => {
  const setClock = (query: string) => fetch(`${worker.url}/clock${query}`)
  // No lease ends while the clock stands still.
  beforeEach(() => setClock('?stopped'))
  afterEach(() => setClock(''))

  it('the places of images', async () => {
    const subject = await newSubject()
    const { answers, release } = await hold(subject)
    const { image } = keysOf(subject)
    for (let life = 0; life <= MAX_ANALYSES; life++) {
      await tell('reset', image)
      await expect.poll(async () => (await report(subject, 0)).body.status).toBe('running')
    }
    release()
    // Whoever met all resets may have been told to try again.
    await Promise.all(answers)
    await expectAnswers([report(subject)])
  })

  it('the memory of layers', async () => {
    const subject = await newSubject()
    const { answers, release } = await hold(subject)
    const [layer] = subject.image.layers
    const blob = { path: new RegExp(`blobs/${layer?.descriptor.digest}`), method: 'GET' }
    const [key = ''] = keysOf(subject).layers
    for (let life = 1; life <= 3; life++) {
      await expect.poll(() => registry.count(blob)).toBe(life)
      await tell('reset', key)
    }
    await expect.poll(() => registry.count(blob)).toBe(4)
    release()
    await expectAnswers(answers)
  })
})

/** Nothing will wake it, and nothing has woken it. */
const RESTS = { alarm: false, stored: 0, woken: 0 }

it('an object goes idle when its job is done, whatever else is running', async () => {
  const [done, running] = [await newSubject(), await newSubject(['held'])]
  const { answers, release } = await hold(running)
  expect((await report(done)).status).toBe(200)
  expect(await tell('left', keysOf(done).image)).toEqual(RESTS)
  expect(await tell('beat', keysOf(done).image)).toEqual(RESTS)
  expect(await tell('beat', keysOf(running).image)).toMatchObject({ alarm: true })
  release()
  await expectAnswers(answers)
  await expect.poll(() => tell('left', keysOf(running).image)).toEqual(RESTS)
})

describe('a job that exceeds the memory of its isolate', () => {
  async function outgrow(key: string, times: number): Promise<void> {
    for (let life = 0; life < times; life++) {
      await tell('reset', key)
      await tell('outgrown', key)
    }
  }

  it.each<[string, (keys: ReturnType<typeof keysOf>) => string]>([
    ['reading this layer', ({ layers }) => layers[0] ?? ''],
    ['merging the layers', ({ image }) => image],
  ])('fails after four times: %s', async (what, chosen) => {
    const subject = await newSubject()
    const key = chosen(keysOf(subject))
    await outgrow(key, 4)
    const { status, body } = await report(subject)
    expect({ status, code: body.code, detail: body.detail }).toEqual({
      status: 413,
      code: 'too_large',
      detail: expect.stringContaining(`${what} `),
    })
    // What the heartbeat of an earlier life finds.
    expect(await tell('beat', key)).toMatchObject({ alarm: true, stored: 1 })
  })

  it('three times are forgiven, and forgotten when it is done', async () => {
    const subject = await newSubject()
    const { image } = keysOf(subject)
    await outgrow(image, 3)
    expect((await report(subject)).status).toBe(200)
    await expect.poll(() => tell('left', image)).toMatchObject({ alarm: false, stored: 0 })
  })
})
