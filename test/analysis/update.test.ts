/** What an update pulls, through HTTP on both hosts: pairs, series, the gate, the badge, the pages. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { FixtureRegistry } from '../registry/fixture.ts'
import { ask } from '../support/ask.ts'
import { makeImage, makeLayer, type TestLayer } from '../support/images.ts'
import { HOSTS, startService, type TestService } from '../support/service.ts'
import { zipOf } from '../support/zip.ts'

let registry: FixtureRegistry
let v1: string
let v2: string

/** A layer of files named by their paths; `time` is that of all of them. */
function layerOf(files: Readonly<Record<string, string | Uint8Array>>, time = 0): Promise<TestLayer> {
  return makeLayer(
    Object.entries(files).map(([name, content]) => ({ name, content, mtime: new Date(time * 1000) })),
  )
}

const LIB = 'the same library '.repeat(500)
const NEW = 'something else '.repeat(300)

beforeAll(async () => {
  registry = await FixtureRegistry.start()
  const base = await layerOf({ 'etc/base': 'base' })
  v1 = registry.push('app', 'v1', makeImage([base, await layerOf({ 'lib/a': LIB, 'app-1/b': 'moved' })]))
  const rebuilt = await layerOf({ 'lib/a': LIB, 'app-2/b': 'moved', 'app-2/c': NEW }, 1)
  v2 = registry.push('app', 'v2', makeImage([base, rebuilt]))
  for (const tag of ['v3', 'v4']) {
    const layer = await layerOf({ 'lib/a': LIB, 'app-2/b': 'moved', 'app-2/c': NEW + tag }, 1)
    registry.push('app', tag, makeImage([base, layer]))
  }
})

afterAll(() => registry.close())

describe.each(HOSTS)('on %s', (host) => {
  let service: TestService

  beforeAll(async () => {
    service = await startService(host)
  })

  afterAll(() => service.stop())

  const pair = (query: object = {}) => ({ query: { from: v1, to: v2, wait: 60, ...query } })

  test('an update says what is pulled, what of it the old image has, and why', async () => {
    const { status, body } = await ask(service.url, '/v1/update', pair())
    expect(status).toBe(200)
    expect(body).toMatchObject({
      from: { reference: v1 },
      to: { reference: v2 },
      total: { layers: 2 },
      pull: { layers: 1 },
      rewritten: { files: 1, bytes: LIB.length },
      moved: { files: 1, bytes: 5 },
      new: { files: 1, bytes: NEW.length },
      causes: [
        { cause: 'times', layers: [1], files: 1, bytes: LIB.length },
        { cause: 'moved', layers: [1], files: 1, bytes: 5 },
      ],
      layers: [{ state: 'shared' }, { state: 'pulled' }],
    })
    expect(body.causes[0].fix).toContain('SOURCE_DATE_EPOCH')
  })

  test('as text and as Markdown it has the same figures', async () => {
    for (const format of ['text', 'markdown']) {
      const { body } = await ask(service.url, '/v1/update', pair({ format }))
      expect(body).toMatch(/This update pulls \d+ B of \d+ B; \d+ B of it is new\./)
      expect(body).toContain('rewrite-timestamp=true')
    }
  })

  test('what both versions of an archive contain is a cause; an archive that cannot be read is none', async () => {
    const library = Buffer.from(Array.from({ length: 90 }, (_, i) => i))
    const app = (version: string) => zipOf({ 'lib/a.jar': library, 'app.class': version })
    const push = async (tag: string, files: Record<string, Uint8Array>) =>
      registry.push('jars', tag, makeImage([await layerOf(files)]))
    const cut = (zip: Uint8Array) => zip.subarray(0, -1)
    const from = await push('v1', { 'app.jar': app('1'), 'cut.jar': app('1'), 'app.bin': app('1') })
    const to = await push('v2', { 'app.jar': app('2'), 'cut.jar': cut(app('2')), 'app.bin': app('2') })
    await ask(service.url, '/v1/diff', pair({ from, to }))
    const limited = { status: 429, headers: { 'retry-after': '3600' } }
    registry.fault({ path: /\/blobs\// }, limited, Number.POSITIVE_INFINITY)
    const failed = await ask(service.url, '/v1/update', pair({ from, to }))
    registry.clearFaults()
    expect([failed.status, failed.body.code]).toEqual([502, 'registry_error'])
    const { body } = await ask(service.url, '/v1/update', pair({ from, to }))
    expect(body.new.files).toBe(3)
    expect(body.causes).toMatchObject([{ cause: 'archive', layers: [0], files: 1, bytes: library.length }])
  })

  test('the gate limits what is pulled, from the manifests alone', async () => {
    const query = { image: v2, baseline: v1 }
    const { pull, total } = (await ask(service.url, '/v1/update', pair())).body
    const check = (maxPull: string | number) =>
      ask(service.url, '/v1/check', { query: { ...query, maxPull } })
    expect((await check(pull.bytes)).status).toBe(200)
    const broken = await check(pull.bytes - 1)
    expect(broken.status).toBe(412)
    expect(broken.body.rules[0].evidence).toMatchObject([{ layer: 1, bytes: pull.bytes }])
    expect((await check(`${Math.floor((100 * pull.bytes) / total.bytes)}%`)).status).toBe(412)
    expect((await ask(service.url, '/v1/check', { query: { image: v2, maxPull: 1 } })).status).toBe(400)
  })

  test('a badge says what is pulled', async () => {
    const message = async (image: string) =>
      (await ask(service.url, '/badge/update.json', { query: { image, baseline: v1 } })).body.message
    expect(await message(v2)).toMatch(/^pulls \d+ B$/)
    expect(await message(v1)).toBe('pulls nothing')
  })

  test('a series has a step for each update, and a plan', async () => {
    const repository = v1.slice(0, v1.lastIndexOf(':'))
    const query = { repository, last: 3, wait: 60 }
    const { status, body } = await ask(service.url, '/v1/updates', { query })
    expect(status).toBe(200)
    expect(body.steps.map((step: { to: string }) => step.to)).toEqual([
      `${repository}:v3`,
      `${repository}:v4`,
    ])
    expect(body.plan.layers.at(-1).groups).toMatchObject([{ path: 'app-2/c', changes: 2 }])
    expect(body.plan.mean.planned).toBeLessThan(body.plan.mean.now)
    const named = { repository, tag: ['v1', 'nothing', 'v2', 'v3'], wait: 60 }
    const { skipped } = (await ask(service.url, '/v1/updates', { query: named })).body
    expect(skipped).toMatchObject([{ name: 'nothing', problem: { code: 'image_not_found' } }])
    const few = await ask(service.url, '/v1/updates', { query: { repository, tag: ['v1', 'v2'] } })
    expect([few.status, few.body.code]).toEqual([422, 'too_few_tags'])
  })

  test('a list of images is compared, above their base', async () => {
    const images = [v1, v2, v1].map((image) => ({ image }))
    const answer = (body: object) =>
      ask(service.url, '/v1/updates', { method: 'POST', query: { wait: 60 }, json: body })
    const { body } = await answer({ images, baseImage: [v1] })
    expect(body.plan.base).toEqual({ layers: 2, bytes: 4 + LIB.length + 5 })
    const other = registry.push('other', 'v1', makeImage([await layerOf({ other: 'x' })]))
    expect((await answer({ images, baseImage: [other] })).body.code).toBe('not_based_on')
  })

  test('the pages say it where two images are compared', async () => {
    const url = new URL(service.url)
    url.search = new URLSearchParams({ image: v2, baseline: v1 }).toString()
    expect(await (await fetch(url)).text()).toMatch(/This update pulls \d+ B; \d+ B of it is new\./)
    const { body } = await ask(service.url, '/v1/diff', pair({ format: 'markdown' }))
    expect(body).toMatch(/This update pulls \d+ B; \d+ B of it is new\./)
  })
})
