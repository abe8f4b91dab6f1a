import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { FixtureRegistry } from '../../test/registry/fixture.ts'
import { startApp, type TestApp } from '../../test/support/app.ts'
import { registryAuth } from '../../test/support/ask.ts'
import { makeImage, makeLayer, type TestMember } from '../../test/support/images.ts'

let registry: FixtureRegistry
let guarded: FixtureRegistry

const ANNA = { username: 'anna', password: 'a' }

beforeAll(async () => {
  registry = await FixtureRegistry.start({ pageSize: 5 })
  guarded = await FixtureRegistry.start({ auth: { kind: 'basic', ...ANNA } })
})

afterAll(() => Promise.all([registry.close(), guarded.close()]))

async function push(
  where: FixtureRegistry,
  reference: string,
  ...layers: readonly (readonly TestMember[])[]
): Promise<string> {
  const [repository = '', tag] = reference.split(':')
  return where.push(repository, tag, makeImage(await Promise.all(layers.map((layer) => makeLayer(layer)))))
}

const query = (values: Record<string, string>) => new URLSearchParams(values).toString()

/** Waits for the analysis. */
async function analyse({ ask }: TestApp, image: string, headers: Record<string, string> = {}) {
  const response = await ask(`/v1/report?${query({ image, wait: '60' })}`, { headers })
  expect(response.status).toBe(200)
  return response
}

const files = (count: number, prefix: string): TestMember[] =>
  Array.from({ length: count }, (_, i) => ({ name: `${prefix}${i}`, content: 'x'.repeat(i % 7) }))

test('API clients get the running analysis, everybody else a 503', async () => {
  const app = startApp()
  const image = await push(registry, 'pending:v1', [{ name: 'a', content: 'a' }])
  const accepted = await app.ask(`/v1/report?${query({ image })}`)
  expect(accepted.status).toBe(202)
  const analysis = await accepted.json()
  expect(Object.fromEntries(accepted.headers)).toMatchObject({
    location: `/v1/analyses/${analysis.id}`,
    'retry-after': '2',
    'cache-control': 'no-store',
  })
  expect(analysis).toMatchObject({
    image,
    platform: 'linux/amd64',
    status: expect.stringMatching(/queued|running/),
  })
  const other = await push(registry, 'pending:v2', [{ name: 'b', content: 'b' }])
  for (const [path, accept] of [
    ['/v1/files', 'application/x-ndjson'],
    ['/v1/file', 'application/json'],
    ['/v1/check', 'application/json'],
  ] as const) {
    const more =
      path === '/v1/file' ? { path: 'b' } : path === '/v1/check' ? { maxFiles: '1', wait: '0' } : {}
    const answer = await app.ask(`${path}?${query({ image: other, ...more })}`, {
      headers: { Accept: accept },
    })
    expect([path, answer.status]).toEqual([path, 503])
    expect(answer.headers.get('retry-after')).toBe('2')
    expect(await answer.json()).toMatchObject({ code: 'analysis_pending', image: other })
  }
})

test('whether an image is known is looked up once before its analysis starts', async () => {
  const app = startApp()
  const image = await push(registry, 'cold:v1', [{ name: 'a', content: 'a' }])
  const has = vi.spyOn(app.store, 'has')
  expect((await app.ask(`/v1/report?${query({ image })}`)).status).toBe(202)
  const markers = has.mock.calls.filter(([key]) => /^images\/.*\/public$/.test(key))
  expect(markers).toHaveLength(1)
})

test('an analysis reports its steps, and late listeners still get its end', async () => {
  const app = startApp()
  const image = await push(registry, 'events:v1', [{ name: 'a', content: 'a' }])
  const post = {
    method: 'POST',
    body: JSON.stringify({ image }),
    headers: { 'Content-Type': 'application/json' },
  }
  const started = await app.ask('/v1/analyses', post)
  expect(started.status).toBe(202)
  const { id } = await started.json()
  for (const _listener of ['first', 'late']) {
    const events = await app.ask(`/v1/analyses/${id}/events`)
    expect(events.headers.get('content-type')).toBe('text/event-stream')
    const text = await events.text()
    expect(text).toMatch(/event: succeeded\ndata: \{[^\n]*"status":"succeeded"[^\n]*\}\n\n$/)
  }
  const done = await app.ask('/v1/analyses', post)
  expect(done.status).toBe(200)
  expect(await done.json()).toMatchObject({
    id,
    status: 'succeeded',
    progress: { layersReused: 1, bytes: 0 },
  })
})

test('an answer that the caller already has is not sent again, but the registry is asked first', async () => {
  const app = startApp()
  const image = await push(registry, 'cached:v1', [{ name: 'a', content: 'a' }])
  const first = await analyse(app, image)
  expect(Object.fromEntries(first.headers)).toMatchObject({
    'cache-control': 'public, max-age=60',
    vary: 'Accept, Authorization, X-Registry-Auth, X-Registry-Config',
  })
  const etag = first.headers.get('etag') ?? ''
  const again = await app.ask(`/v1/report?${query({ image })}`, { headers: { 'If-None-Match': etag } })
  expect([again.status, again.headers.get('etag'), await again.text()]).toEqual([304, etag, ''])
  const { digest } = (await first.json()).image
  const fixed = `${image.replace(/:v1$/, '')}@${digest}`
  const byDigest = await app.ask(`/v1/report?${query({ image: fixed })}`)
  expect(byDigest.headers.get('cache-control')).toBe('public, max-age=300')
  const listing = await app.ask(`/v1/files?${query({ image })}`, { headers: { 'If-None-Match': etag } })
  expect(listing.status).toBe(200)
})

test('data that a registry gave for credentials is not stored in shared caches or shown without credentials', async () => {
  const app = startApp()
  const image = await push(guarded, 'private:v1', [{ name: 'a', content: 'a' }])
  const path = `/v1/report?${query({ image, wait: '60' })}`
  const shown = await analyse(app, image, registryAuth(ANNA))
  expect(shown.headers.get('cache-control')).toBe('private, no-cache')
  const etag = shown.headers.get('etag') ?? ''
  const refused = await app.ask(path, { headers: { 'If-None-Match': etag } })
  expect(refused.status).toBe(401)
  expect(refused.headers.get('cache-control')).toBe('no-store')
  expect(refused.headers.get('www-authenticate')).toMatch(/^Registry realm=/)
})

test('a service with tokens lets shared caches store nothing', async () => {
  const app = startApp({ LAMINA_TOKENS: 'abc' })
  const image = await push(registry, 'tokens:v1', [{ name: 'a', content: 'a' }])
  const response = await analyse(app, image, { Authorization: 'Bearer abc' })
  expect(response.headers.get('cache-control')).toBe('private, no-cache')
})

test('the service’s credentials serve its callers, but badges only for listed repositories', async () => {
  const auths = { [guarded.host]: { auth: Buffer.from('anna:a').toString('base64') } }
  const app = startApp({
    LAMINA_CREDENTIALS: JSON.stringify({ auths }),
    LAMINA_PUBLIC_BADGES: `${guarded.host}/shown`,
  })
  const shown = await push(guarded, 'shown:v1', [{ name: 'a', content: 'a' }])
  const hidden = await push(guarded, 'hidden:v1', [{ name: 'a', content: 'a' }])
  await analyse(app, shown)
  await analyse(app, hidden)
  const message = async (image: string) =>
    (await (await app.ask(`/badge/layers.json?${query({ image })}`)).json()).message
  expect([await message(shown), await message(hidden)]).toEqual(['1', 'private or unknown'])
})

test('later pages continue with the same image, even if the tag has moved', async () => {
  const app = startApp()
  const image = await push(registry, 'moving:v1', files(25, 'old-'))
  await analyse(app, image)
  const first = await (await app.ask(`/v1/files?${query({ image, limit: '10' })}`)).json()
  expect(first.items).toHaveLength(10)
  await push(registry, 'moving:v1', files(3, 'new-'))
  const seen = [...first.items]
  for (let cursor = first.nextCursor; cursor !== undefined; ) {
    const response = await app.ask(`/v1/files?${query({ image, limit: '10', cursor })}`)
    expect(response.status).toBe(200)
    const page = await response.json()
    seen.push(...page.items)
    cursor = page.nextCursor
  }
  expect(seen.map(({ path }) => path)).toEqual(
    files(25, 'old-')
      .map(({ name }) => name)
      .sort(),
  )
  const other = await app.ask(`/v1/files?${query({ image, glob: '*', cursor: first.nextCursor })}`)
  expect([other.status, (await other.json()).parameter]).toEqual([400, 'cursor'])
})

test('a list is filtered, sorted and streamed completely', async () => {
  const app = startApp()
  const image = await push(
    registry,
    'listed:v1',
    [
      { name: 'lib/a.so', content: 'aaaa' },
      { name: 'lib/b.so', content: 'bb' },
      { name: 'lib/c.txt', content: 'aaaa' },
    ],
    [{ name: 'lib/.wh.b.so' }, { name: 'bin', type: 'symlink', linkname: 'lib' }],
  )
  const report = await (await analyse(app, image)).json()
  expect(report.counts).toMatchObject({ files: 2, symlinks: 1, directories: 1 })
  const paths = async (more: Record<string, string>) => {
    const response = await app.ask(`/v1/files?${query({ image, ...more })}`, {
      headers: { Accept: 'application/x-ndjson' },
    })
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toBe('application/x-ndjson')
    const text = await response.text()
    return text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line).path]))
  }
  expect(await paths({})).toEqual(['bin', 'lib', 'lib/a.so', 'lib/c.txt'])
  expect(await paths({ glob: '**/*.so' })).toEqual(['lib/a.so'])
  expect(await paths({ type: 'symlink' })).toEqual(['bin'])
  expect(await paths({ minBytes: '1', sort: '-bytes' })).toEqual(['lib/a.so', 'lib/c.txt'])
  const { sha256 } = (await (await app.ask(`/v1/files?${query({ image, glob: 'lib/a.so' })}`)).json())
    .items[0]
  expect(await paths({ sha256 })).toEqual(['lib/a.so', 'lib/c.txt'])
  expect(await paths({ layer: '1' })).toEqual(['bin', 'lib/.wh.b.so'])
  const beyond = await app.ask(`/v1/files?${query({ image, layer: '2' })}`)
  expect([beyond.status, (await beyond.json()).detail]).toEqual([
    400,
    'layer 2 does not exist; the image has 2 layers (0 to 1)',
  ])
  const both = await app.ask(`/v1/files?${query({ image, limit: '1' })}`, {
    headers: { Accept: 'application/x-ndjson' },
  })
  expect([both.status, (await both.json()).parameter]).toEqual([400, 'limit'])
})

test("a repository's tags come page by page or all at once", async () => {
  const app = startApp()
  const names = Array.from({ length: 12 }, (_, i) => `v${String(i).padStart(2, '0')}`)
  for (const name of names) await push(registry, `tagged:${name}`, [{ name: 'a', content: 'a' }])
  const repository = `${registry.host}/tagged`
  const seen: string[] = []
  let cursor: string | undefined
  do {
    const more = cursor === undefined ? {} : { cursor }
    const page = await (await app.ask(`/v1/tags?${query({ repository, limit: '5', ...more })}`)).json()
    seen.push(...page.items.map(({ name }: { name: string }) => name))
    cursor = page.nextCursor
  } while (cursor !== undefined)
  expect(seen).toEqual(names)
  const lines = await app.ask(`/v1/tags?${query({ repository })}`, {
    headers: { Accept: 'application/x-ndjson' },
  })
  expect(await lines.text()).toBe(names.map((name) => `{"name":"${name}"}\n`).join(''))
})

test('behind a trusted proxy each of its clients counts for itself, and nobody else can say who they are', async () => {
  const settings = { LAMINA_RATE: '1', LAMINA_TRUSTED_PROXIES: '10.0.0.0/8' }
  const app = startApp(settings, { clientOf: (c) => c.req.header('X-Peer') ?? '' })
  const images = [1, 2, 3, 4].map((n) => push(registry, `proxied:${n}`, [{ name: 'a', content: `${n}` }]))
  const [first = '', second = '', third = '', fourth = ''] = await Promise.all(images)
  const ask = async (image: string, peer: string, client: string) =>
    (
      await app.ask(`/v1/report?${query({ image })}`, {
        headers: { 'X-Peer': peer, 'X-Forwarded-For': client },
      })
    ).status
  expect(await ask(first, '10.0.0.1', '192.0.2.1')).toBe(202)
  expect(await ask(second, '10.0.0.1', '192.0.2.2')).toBe(202)
  expect(await ask(third, '10.0.0.1', '192.0.2.3, 192.0.2.1')).toBe(429)
  expect(await ask(third, '198.51.100.1', '192.0.2.3')).toBe(202)
  expect(await ask(fourth, '198.51.100.1', '192.0.2.4')).toBe(429)
})

test('new analyses per client and minute are limited; known images and running analyses are not', async () => {
  const app = startApp({ LAMINA_RATE: '1' }, { clientOf: (c) => c.req.header('X-Client') ?? '' })
  const [first, second] = [
    await push(registry, 'rate:1', [{ name: 'a', content: '1' }]),
    await push(registry, 'rate:2', [{ name: 'a', content: '2' }]),
  ]
  const ask = (image: string, client: string) =>
    app.ask(`/v1/report?${query({ image })}`, { headers: { 'X-Client': client } })
  expect((await ask(first, 'a')).status).toBe(202)
  expect((await ask(first, 'a')).status).toBeLessThan(300)
  const refused = await ask(second, 'a')
  expect([refused.status, Number(refused.headers.get('retry-after'))]).toEqual([429, expect.any(Number)])
  expect((await ask(second, 'b')).status).toBe(202)
})
