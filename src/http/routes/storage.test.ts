import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { FixtureRegistry } from '../../../test/registry/fixture.ts'
import { startApp, startAppOn } from '../../../test/support/app.ts'
import { makeImage, makeIndex, makeLayer, type TestImage } from '../../../test/support/images.ts'
import { MemoryStore } from '../../../test/support/memory-store.ts'

let registry: FixtureRegistry
let repository: string

const onDay = (n: number) => `2024-01-${String(n).padStart(2, '0')}T00:00:00Z`

/** What an image stores. */
function bytesOf(image: TestImage): number {
  const blobs = [image.config.descriptor, ...image.layers.map(({ descriptor }) => descriptor)]
  return image.bytes.byteLength + blobs.reduce((sum, { size }) => sum + size, 0)
}

let v1: TestImage
let v2: TestImage

beforeAll(async () => {
  registry = await FixtureRegistry.start()
  repository = `${registry.host}/app`
  const base = await makeLayer([{ name: 'base', content: 'x'.repeat(5_000) }])
  const image = async (n: number) =>
    makeImage([base, await makeLayer([{ name: `own${n}` }])], { config: { created: onDay(n) } })
  ;[v1, v2] = await Promise.all([image(1), image(2)])
  registry.push('app', 'v1', v1)
  registry.push('app', 'v2', v2)
  registry.push('app', 'latest', v2)
  const arm64 = makeImage([base], {
    platform: { os: 'linux', architecture: 'arm64' },
    config: { created: onDay(9) },
  })
  const attestation = makeImage([base], { configBytes: new TextEncoder().encode('{}') })
  registry.push(
    'app',
    'multi',
    makeIndex([
      [attestation, { annotations: { 'vnd.docker.reference.type': 'attestation-manifest' } }],
      [arm64, { platform: { os: 'linux', architecture: 'arm64' } }],
      // Its config has to be read to know its platform.
      [v1],
    ]),
  )
})

afterAll(() => registry.close())

beforeEach(() => {
  registry.clearFaults()
  registry.forgetRequests()
})

type Query = Readonly<Record<string, string | readonly string[]>>

function pathOf(query: Query, path = '/v1/storage'): string {
  const given = Object.entries({ repository, ...query })
  return `${path}?${new URLSearchParams(given.flatMap(([name, value]) => [value].flat().map((one) => [name, one])))}`
}

const { ask } = startApp()
const read = async (query: Query, from = ask) => (await from(pathOf(query))).json()

describe('what a repository stores', () => {
  it('is told for each tag, with the time of the image for linux/amd64', async () => {
    const { items, total } = await read({ sort: 'name' })
    const tag = (image: TestImage) => ({ digest: image.descriptor.digest, bytes: bytesOf(image) })
    expect(items).toEqual([
      expect.objectContaining({ name: 'latest', ...tag(v2), uniqueBytes: 0, created: onDay(2) }),
      expect.objectContaining({ name: 'multi', created: onDay(1) }),
      expect.objectContaining({ name: 'v1', ...tag(v1), uniqueBytes: 0, created: onDay(1) }),
      expect.objectContaining({ name: 'v2', ...tag(v2), uniqueBytes: 0 }),
    ])
    expect(total).toEqual({ tags: 4, manifests: 5, blobs: 7, bytes: expect.any(Number), complete: true })
  })

  it('is read with a question for each manifest and one config of each tag, and pages cost nothing', async () => {
    const fresh = startApp().ask
    const first = await read({ limit: '2', sort: 'name' }, fresh)
    const count = registry.requests.length
    expect(registry.requests.filter(({ path }) => /\/blobs\//.test(path))).toHaveLength(2)
    // Tags, four of them, and the two manifests that no tag names; all of them once.
    expect(new Set(registry.requests.map(({ path }) => path)).size).toBe(count)
    expect(count).toBe(1 + 4 + 2 + 2)
    const second = await read({ limit: '2', sort: 'name', cursor: first.nextCursor }, fresh)
    expect(second.items.map(({ name }: { name: string }) => name)).toEqual(['v1', 'v2'])
    expect([second.total, second.nextCursor]).toEqual([first.total, undefined])
    expect(registry.requests).toHaveLength(count)
  })

  it('says what a deletion frees, with what a registry needs for it', async () => {
    const { reclaim } = await read({ delete: ['latest', 'v2'] })
    const bytes = bytesOf(v2) - (v2.layers[0]?.descriptor.size ?? 0)
    expect(reclaim).toEqual({ tags: ['latest', 'v2'], manifests: 1, blobs: 2, bytes })
    const text = await (await ask(pathOf({ keep: '1', format: 'text' }))).text()
    expect(text).toMatch(/Deleting 2 tags frees [\s\S]*garbage[\s\S]*multi v1\n$/)
  })

  it.each([
    ['csv', 'text/csv; charset=utf-8', 'name,digest,bytes,uniqueBytes,sharedBytes,created,problem\r\n'],
    ['ndjson', 'application/x-ndjson', '{"name":"multi","digest":"sha256:'],
    ['text', 'text/plain; charset=utf-8', '127.0.0.1:'],
    ['markdown', 'text/markdown; charset=utf-8', '### `127.0.0.1:'],
    ['svg', 'image/svg+xml; charset=utf-8', '<svg xmlns="http://www.w3.org/2000/svg"'],
  ])('is written as %s', async (format, type, beginning) => {
    const answer = await ask(pathOf({ format }))
    expect(answer.headers.get('content-type')).toBe(type)
    const body = await answer.text()
    expect(body.slice(0, beginning.length)).toBe(beginning)
    for (const name of ['latest', 'multi', 'v1', 'v2']) expect(body).toContain(name)
  })

  it('names a long tag whole, so that it can be copied', async () => {
    const tag = `sha256-${'ab'.repeat(32)}.sig`
    registry.push('long', tag, v1)
    expect(
      await (await ask(pathOf({ repository: `${registry.host}/long`, format: 'text' }))).text(),
    ).toContain(tag)
  })

  it.each([
    [{ tag: 'v*', keep: '1' }, 'keep'],
    [{ tag: 'v*', delete: 'v*' }, 'delete'],
    [{ delete: '' }, 'delete'],
    [{ delete: 'v[1' }, 'delete'],
    [{ keep: '0' }, 'keep'],
    [{ cursor: 'nonsense' }, 'cursor'],
    [{ repository: 'app:v1' }, 'repository'],
  ])('is not told for %j', async (query: Query, parameter) => {
    const answer = await ask(pathOf(query))
    expect([answer.status, (await answer.json()).parameter]).toEqual([400, parameter])
  })
})

describe('tags that cannot be read', () => {
  const broken = () => `${registry.host}/broken`
  const codes = (items: readonly { name: string; problem?: { code: string } }[]) =>
    Object.fromEntries(items.map(({ name, problem }) => [name, problem?.code]))

  it('are problems, and count nothing', async () => {
    registry.push('broken', 'good', v1)
    registry.putManifest(
      'broken',
      'old',
      'application/vnd.docker.distribution.manifest.v1+json',
      Buffer.from('{"schemaVersion":1}'),
    )
    registry.putManifest('broken', 'garbage', 'application/vnd.oci.image.manifest.v1+json', Buffer.from('<'))
    const missing = makeIndex([[v2]])
    registry.putManifest('broken', 'childless', missing.descriptor.mediaType, missing.bytes)
    let nested = makeIndex([[v1]])
    for (let n = 0; n < 5; n++) nested = makeIndex([[nested]])
    registry.push('broken', 'deep', nested)
    const { items, total } = await read({ repository: broken() })
    expect(codes(items)).toEqual({
      good: undefined,
      childless: 'image_not_found',
      deep: 'too_large',
      garbage: 'invalid_image',
      old: 'not_an_image',
    })
    expect(total).toEqual({ tags: 5, manifests: 1, blobs: 3, bytes: bytesOf(v1), complete: false })
  })

  it('are not asked for once the registry limits questions', async () => {
    for (let n = 0; n < 40; n++) registry.push('tired', `t${n}`, v1)
    registry.fault({ path: /tired\/manifests/ }, { status: 429, headers: { 'retry-after': '60' } }, 100)
    const { items } = await read({ repository: `${registry.host}/tired` })
    expect(new Set(items.map(({ problem }: { problem: { code: string } }) => problem.code))).toEqual(
      new Set(['registry_error']),
    )
    expect(items).toHaveLength(40)
    expect(registry.count({ path: /tired\/manifests/ })).toBeLessThanOrEqual(4)
  })

  it('are those past the requests that a host may make', async () => {
    for (let n = 0; n < 40; n++)
      registry.push('dear', `t${n}`, makeImage([], { config: { created: onDay(n) } }))
    const app = startAppOn(new MemoryStore())
    const limited = { ...app.service, host: { ...app.service.host, maxRequests: 1_090 } }
    const { readStorage } = await import('../../service/fleet/storage.ts')
    const { ledger } = await readStorage(limited, {
      repository: { registry: registry.host, repository: 'dear' },
      credentials: { for: () => undefined },
      wait: 60,
    })
    const problems = [...ledger.tags.values()].flatMap((tag) => ('problem' in tag ? [tag.problem.code] : []))
    expect(new Set(problems)).toEqual(new Set(['too_large']))
    // Nine requests for each of those that were read, four of which may have been under way.
    expect(ledger.tags.size - problems.length).toBeGreaterThanOrEqual(10)
    expect(ledger.tags.size - problems.length).toBeLessThanOrEqual(13)
  })
})

describe('a repository of 2,000 tags', () => {
  const large = () => `${registry.host}/large`
  let layers: TestImage['layers']

  beforeAll(async () => {
    layers = await Promise.all(Array.from({ length: 8 }, (_, n) => makeLayer([{ name: `layer${n}` }])))
    for (let n = 0; n < 2_000; n++) {
      const own = layers.slice(n % 4, 4 + (n % 5))
      registry.push(
        'large',
        `v${n}`,
        makeImage(own, { config: { created: onDay(1 + (n % 28)), config: { Labels: { n: `${n}` } } } }),
      )
    }
  })

  it('has to be narrowed, which costs no question about a manifest', async () => {
    const answer = await ask(pathOf({ repository: large() }))
    expect([answer.status, (await answer.json()).code]).toEqual([413, 'too_large'])
    expect(registry.count({ path: /manifests/ })).toBe(0)
  })

  it('is read a thousand tags at a time, with two questions for each, four at once', async () => {
    const { ask, service } = startApp()
    let most = 0
    const watch = setInterval(() => {
      most = Math.max(most, registry.openAnswers)
    }, 1)
    const { items, total } = await read({ repository: large(), tag: 'v1???', limit: '1000' }, ask)
    clearInterval(watch)
    expect(most).toBeLessThanOrEqual(4)
    expect([items.length, total.manifests, total.blobs, total.complete]).toEqual([1_000, 1_000, 1_008, true])
    expect(registry.count({ path: /manifests/ })).toBe(1_000)
    expect(registry.count({ path: /blobs/ })).toBe(1_000)
    // What is remembered of it, for pages: some 1.5 kB a tag.
    expect(service.memory.ledgers.bytes).toBeLessThan(2_000_000)
  })

  it('is read in steps by those who do not wait, who see how far it is', async () => {
    const { ask } = startApp()
    const query = { repository: large(), tag: 'v1?', wait: '0' }
    const progress: number[] = []
    let answer = await ask(pathOf(query))
    for (; answer.status === 202; answer = await ask(pathOf(query))) {
      const { status, tags, tagsDone } = await answer.json()
      expect([status, tags, answer.headers.get('retry-after')]).toEqual(['running', 10, '1'])
      progress.push(tagsDone)
    }
    expect(progress).toEqual([4, 8])
    expect((await answer.json()).items).toHaveLength(10)
    expect(registry.count({ path: /manifests/ })).toBe(10)
  })

  it('is not ready as text meanwhile', async () => {
    const answer = await startApp().ask(
      pathOf({ repository: large(), tag: 'v1?', wait: '0', format: 'text' }),
    )
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '1'])
  })
})

describe('the page', () => {
  it('ticks what the form names, and has the lines that delete it', async () => {
    const page = await (await ask(pathOf({ delete: 'v2 latest' }, '/storage'))).text()
    expect(page.match(/<input type="checkbox"[^>]*checked/g)).toHaveLength(2)
    expect(page).toContain(`crane delete ${repository}@${v2.descriptor.digest}  # latest, v2`)
    expect(page).toContain('Deleting 2 tags frees')
  })

  it('says how many tags are read until all are', async () => {
    // The page waits a second, which began before the first question.
    const questions = { path: /slow\/manifests/ }
    const asked = expect.poll(() => registry.count(questions)).toBeGreaterThan(0)
    registry.fault(questions, { until: asked.then(() => sleep(1_050)) }, 4)
    for (let n = 0; n < 5; n++) registry.push('slow', `t${n}`, v1)
    const answer = await ask(pathOf({ repository: `${registry.host}/slow` }, '/storage'))
    expect(answer.status).toBe(202)
    expect(await answer.text()).toContain('4 of 5 tags read')
    const whole = await ask(pathOf({ repository: `${registry.host}/slow` }, '/storage'))
    expect([whole.status, (await whole.text()).match(/type="checkbox"/g)?.length]).toEqual([200, 5])
  })
})
