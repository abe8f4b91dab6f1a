/** Many images at once: what the service requests from a registry, what it lists, and for whom. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { FixtureRegistry } from '../registry/fixture.ts'
import { ask, type Query, registryAuth } from '../support/ask.ts'
import { jsonBytes, makeImage, makeIndex, makeLayer, type TestImage } from '../support/images.ts'
import { HOSTS, startService, type TestService } from '../support/service.ts'

const USER = { username: 'mara', password: 'p4ss' }
const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json'
const MANY = 200

const day = (n: number) => `2026-01-${String(n).padStart(2, '0')}T10:00:00Z`

describe.each(HOSTS)('on %s', (host) => {
  let service: TestService
  let open: FixtureRegistry
  let guarded: FixtureRegistry

  beforeAll(async () => {
    ;[service, open, guarded] = await Promise.all([
      startService(host),
      FixtureRegistry.start({ pageSize: 70 }),
      FixtureRegistry.start({ auth: { kind: 'token', ...USER }, pageSize: 70 }),
    ])
  })

  afterAll(async () => {
    await Promise.all([service?.stop(), open?.close(), guarded?.close()])
  })

  const images = (query: Query, headers: Record<string, string> = {}) =>
    ask(service.url, '/v1/images', { query, headers })

  /** Configs differ, so that each image has a different one. */
  const image = async (created: string, sizes: readonly number[] = [10], author = ''): Promise<TestImage> =>
    makeImage(
      await Promise.all(sizes.map((size, i) => makeLayer([{ name: `f${i}`, content: 'x'.repeat(size) }]))),
      { config: { created, author } },
    )

  it('200 tags cost one token, plus two requests each the first time and one the second', async () => {
    const layer = await makeLayer([{ name: 'f', content: host }])
    for (let i = 0; i < MANY; i++)
      guarded.push('private/tags', `v${i}`, makeImage([layer], { config: { author: `${i}` } }))
    const repository = `${guarded.host}/private/tags`
    const headers = registryAuth(USER)
    const list = async () => {
      guarded.forgetRequests()
      const { status, body } = await images({ repository, limit: MANY }, headers)
      expect([status, body.items.length]).toEqual([200, MANY])
      return body
    }
    const first = await list()
    expect(guarded.count({ server: 'token' })).toBe(1)
    const questions = /\/(manifests|blobs)\//
    expect(guarded.count({ path: questions, status: 200 })).toBe(2 * MANY)
    const second = await list()
    expect(second).toEqual(first)
    expect(guarded.count({ server: 'token' })).toBe(0)
    expect(guarded.count({ path: questions })).toBeLessThanOrEqual(MANY)
    const { status, body } = await images({ repository })
    expect([status, body.code]).toEqual([401, 'unauthorized'])
  }, 120_000)

  it('tags come in natural order, page by page, with data from manifest and config', async () => {
    const made = new Map<string, TestImage>()
    for (const [i, tag] of ['v10', 'v9', 'v1.2', 'v1.10', 'latest'].entries())
      made.set(tag, await image(day(i + 1), [10, 20 + i], tag))
    for (const [tag, one] of made) open.push('order', tag, one)
    const repository = `${open.host}/order`
    const first = await images({ repository, limit: 2 })
    expect(first.headers.get('cache-control')).toBe('public, max-age=60')
    const second = await images({ repository, limit: 3, cursor: first.body.nextCursor })
    expect(second.body.nextCursor).toBeUndefined()
    const items = [...first.body.items, ...second.body.items]
    expect(items.map(({ name }) => name)).toEqual(['latest', 'v1.2', 'v1.10', 'v9', 'v10'])
    const latest = made.get('latest')
    expect(items[0]).toEqual({
      name: 'latest',
      digest: latest?.descriptor.digest,
      id: latest?.config.descriptor.digest,
      platform: 'linux/amd64',
      created: day(5),
      compressedBytes: latest?.layers.reduce((sum, { descriptor }) => sum + descriptor.size, 0),
      layers: 2,
    })
    const unchanged = await images(
      { repository, limit: 2 },
      { 'if-none-match': first.headers.get('etag') ?? '' },
    )
    expect(unchanged.status).toBe(304)
    const newest = await images({ repository, sort: 'created', tag: ['v1.*', 'v9'] })
    expect(newest.body.items.map(({ name }: { name: string }) => name)).toEqual(['v1.10', 'v1.2', 'v9'])
    const largest = await images({ repository, sort: '-compressedBytes', limit: 3 })
    const rest = await images({ repository, sort: '-compressedBytes', cursor: largest.body.nextCursor })
    const sizes = [...largest.body.items, ...rest.body.items].map(({ compressedBytes }) => compressedBytes)
    expect(sizes).toEqual(sizes.toSorted((a, b) => b - a))
    expect(sizes.length).toBe(5)
    const other = await images({ repository, cursor: largest.body.nextCursor })
    expect([other.status, other.body.parameter]).toEqual([400, 'cursor'])
  })

  it('a tag without an image is an item with its problem', async () => {
    const arm = makeIndex([[await image(day(1)), { platform: { os: 'linux', architecture: 'arm64' } }]])
    open.push('mixed', 'arm', arm)
    open.push('mixed', 'good', await image(day(2)))
    open.putManifest('mixed', 'damaged', OCI_MANIFEST, Buffer.from('{"schemaVersion":2'))
    open.putManifest(
      'mixed',
      'sbom',
      OCI_MANIFEST,
      jsonBytes({
        schemaVersion: 2,
        mediaType: OCI_MANIFEST,
        artifactType: 'application/spdx+json',
        config: {
          mediaType: 'application/vnd.oci.empty.v1+json',
          size: 2,
          digest: `sha256:${'0'.repeat(64)}`,
        },
        layers: [],
      }),
    )
    const { status, body } = await images({ repository: `${open.host}/mixed` })
    expect(status).toBe(200)
    const said = body.items.map(({ name, problem }: { name: string; problem?: { code: string } }) => [
      name,
      problem?.code,
    ])
    expect(said).toEqual([
      ['arm', 'platform_not_found'],
      ['damaged', 'invalid_image'],
      ['good', undefined],
      ['sbom', 'not_an_image'],
    ])
    const chosen = await images({ repository: `${open.host}/mixed`, platform: 'linux/arm64', tag: 'arm' })
    expect(chosen.body.items[0].platform).toBe('linux/arm64')
  })

  it("the registry's rate limit ends a page, which can be resumed from its cursor; a full list is cut off", async () => {
    const tags = Array.from({ length: 30 }, (_, i) => `v${i}`)
    for (const [i, tag] of tags.entries()) open.push('limited', tag, await image(day(i + 1), [10], tag))
    const repository = `${open.host}/limited`
    const tired = { path: /limited\/manifests\/v2\d/ }
    open.fault(tired, { status: 429, headers: { 'retry-after': '120' } }, 1000)
    const first = await images({ repository })
    expect(first.body.items.map(({ name }: { name: string }) => name)).toEqual(tags.slice(0, 20))
    const whole = await fetch(
      `${service.url}/v1/images?${new URLSearchParams({ repository, format: 'csv' })}`,
    )
    expect(whole.status).toBe(502)
    const none = await images({ repository, tag: 'v2?' })
    expect([none.status, none.body.code, none.headers.get('retry-after')]).toEqual([
      502,
      'registry_error',
      '120',
    ])
    open.clearFaults()
    const second = await images({ repository, cursor: first.body.nextCursor })
    expect(second.body.items.map(({ name }: { name: string }) => name)).toEqual(tags.slice(20))
  })

  it('the registry gets at most four requests at once', async () => {
    for (let i = 0; i < 20; i++) open.push('busy', `v${i}`, await image(day(1), [10], `${i}`))
    let most = 0
    const watch = setInterval(() => {
      most = Math.max(most, open.openAnswers)
    }, 1)
    open.fault({ path: /busy/ }, { delayMilliseconds: 20 }, 1000)
    expect((await images({ repository: `${open.host}/busy` })).status).toBe(200)
    clearInterval(watch)
    open.clearFaults()
    expect(most).toBeLessThanOrEqual(4)
    expect(most).toBeGreaterThan(1)
  })

  it('as CSV, lines, text, Markdown and a chart', async () => {
    open.push('forms', 'v1', await image(day(1), [10_000]))
    open.push('forms', 'v2', await image(day(2), [20_000]))
    open.putManifest('forms', 'x', OCI_MANIFEST, Buffer.from('[]'))
    const repository = `${open.host}/forms`
    const as = async (query: Query, accept?: string) =>
      images({ repository, ...query }, accept ? { accept } : {})
    const csv = await as({ format: 'csv' })
    expect(csv.headers.get('content-type')).toBe('text/csv; charset=utf-8')
    const [header, ...rows] = String(csv.body).split('\r\n')
    expect(header).toBe('name,digest,id,platform,created,compressedBytes,layers,problem')
    expect(rows.map((row) => row.slice(0, 3))).toEqual(['v1,', 'v2,', 'x,,', ''])
    const lines = await as({}, 'application/x-ndjson')
    expect(lines.body.map(({ name }: { name: string }) => name)).toEqual(['v1', 'v2', 'x'])
    expect((await as({ format: 'csv', limit: 2 })).body.parameter).toBe('limit')
    const text = String((await as({ format: 'text' })).body)
    expect(text).toContain('v2   ')
    expect(text).toContain('invalid_image')
    expect(String((await as({}, 'text/markdown')).body)).toContain('| `v2` |')
    const svg = await as({ format: 'svg', label: '<b>&"', color: 'ff69b4' })
    expect(svg.headers.get('content-type')).toBe('image/svg+xml; charset=utf-8')
    expect(String(svg.body)).toContain('&lt;b&gt;&amp;&quot;')
    expect(String(svg.body)).toMatch(/<circle [^>]*fill="#ff69b4"><title>v2: [\d.]+ k?B<\/title>/)
    expect((await as({ format: 'svg', color: 'x"/><script>' })).body.parameter).toBe('color')
  })

  it('a chart does not reveal whether a repository is private or missing', async () => {
    guarded.push('private/chart', 'v1', await image(day(1)))
    const chart = (repository: string) =>
      images({ repository: `${guarded.host}/${repository}`, format: 'svg' })
    const [hidden, unknown] = [await chart('private/chart'), await chart('private/nothing')]
    expect([hidden.status, unknown.status]).toEqual([200, 200])
    const notice = (body: unknown) => String(body).replaceAll(/private\/\w+/g, '')
    expect(notice(hidden.body)).toBe(notice(unknown.body))
    expect(hidden.body).toContain('private or unknown')
  })

  it('shared layers are found from the manifests', async () => {
    const [base, mine, yours] = await Promise.all(
      ['base', 'mine', 'yours'].map((name) => makeLayer([{ name, content: name.repeat(500) }])),
    )
    if (!base || !mine || !yours) throw new Error('no layers')
    const references = [
      open.push('shared', 'base', makeImage([base])),
      open.push('shared', 'mine', makeImage([base, mine])),
      open.push('shared', 'yours', makeImage([base, mine, yours])),
    ]
    open.forgetRequests()
    const { status, body } = await ask(service.url, '/v1/shared', { query: { image: references } })
    expect(status).toBe(200)
    const size = (layer: typeof base) => layer.descriptor.size
    expect(body.total).toEqual({
      compressedBytes: 3 * size(base) + 2 * size(mine) + size(yours),
      storedBytes: size(base) + size(mine) + size(yours),
    })
    expect(body.images.map(({ base }: { base?: number }) => base)).toEqual([undefined, 0, 1])
    expect(body.images[2]).toMatchObject({ uniqueBytes: size(yours), sharedBytes: size(base) + size(mine) })
    expect(body.layers.map(({ images }: { images: number[] }) => images)).toEqual([[0, 1, 2], [1, 2], [2]])
    expect(open.count({ path: new RegExp(base.descriptor.digest) })).toBe(0)
    const text = await ask(service.url, '/v1/shared', { query: { image: references, format: 'text' } })
    expect(text.body).toContain('shared:mine')
    const one = await ask(service.url, '/v1/shared', { query: { image: references[0] } })
    expect([one.status, one.body.parameter]).toEqual([400, 'image'])
  })

  it('/v1/shared counts a blob once in an image, and nothing is built on an image without layers', async () => {
    const twice = await makeLayer([{ name: 'twice', content: 'the same layer' }])
    const references = [
      open.push('sharing', 'empty', makeImage([])),
      open.push('sharing', 'double', makeImage([twice, twice])),
      open.push('sharing', 'single', makeImage([twice])),
    ]
    const { body } = await ask(service.url, '/v1/shared', { query: { image: references } })
    const bytes = twice.descriptor.size
    expect(body.images).toMatchObject([
      { sharedBytes: 0, uniqueBytes: 0 },
      { sharedBytes: bytes, uniqueBytes: 0, base: 2 },
      { sharedBytes: bytes, uniqueBytes: 0 },
    ])
    expect(body.images[2]).not.toHaveProperty('base')
  })
})
