/** The content of what is attached, and the bill of materials among it. */
import { randomBytes } from 'node:crypto'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { FixtureRegistry } from '../registry/fixture.ts'
import { startApp, type TestApp } from '../support/app.ts'
import {
  digestOf,
  jsonBytes,
  makeArtifact,
  makeImage,
  makeIndex,
  makeLayer,
  type TestContent,
  type TestImage,
} from '../support/images.ts'

const SPDX = { spdxVersion: 'SPDX-2.3' }
const SPDX_TYPE = 'application/spdx+json'
const SPDX_PREDICATE = 'https://spdx.dev/Document'
const DSSE = 'application/vnd.dsse.envelope.v1+json'
const LOGIN = Buffer.from(JSON.stringify({ username: 'me', password: 'secret' })).toString('base64url')
const LINUX = { platform: { os: 'linux', architecture: 'amd64' } }

let registry: FixtureRegistry
let locked: FixtureRegistry
let app: TestApp
let cuts = 0

beforeAll(async () => {
  registry = await FixtureRegistry.start({ referrers: true })
  locked = await FixtureRegistry.start({
    referrers: true,
    auth: { kind: 'basic', username: 'me', password: 'secret' },
  })
  app = startApp({}, { log: () => void cuts++ })
})
afterAll(() => Promise.all([registry.close(), locked.close()]))
afterEach(() => registry.clearFaults())

let images = 0
async function newImage(): Promise<TestImage> {
  return makeImage([await makeLayer([{ name: 'f', content: `image ${images++}` }])])
}

const signed = (statement: unknown) =>
  JSON.stringify({ payload: Buffer.from(JSON.stringify(statement)).toString('base64') })

/** An image with one item for each content. */
async function attach(
  contents: readonly TestContent[],
  to = registry,
): Promise<{ readonly image: string; readonly digests: readonly string[]; readonly repository: string }> {
  const subject = await newImage()
  const repository = `attached${images}`
  for (const content of contents)
    to.push(repository, undefined, makeArtifact([content], { subject: subject.descriptor }))
  const digests = contents.map(({ content }) => digestOf(new TextEncoder().encode(content)))
  return { image: to.push(repository, '1', subject), digests, repository }
}

const ask = (path: string, query: Record<string, string>, init?: RequestInit) =>
  app.ask(`${path}?${new URLSearchParams(query)}`, init)
const read = (query: Record<string, string>, init?: RequestInit) => ask('/v1/attached/content', query, init)

it('an item is given as an attachment that no browser runs, and its digest is the ETag', async () => {
  const page = '<script>alert(1)</script>'
  const { image, digests } = await attach([{ mediaType: 'text/html', content: page }])
  const [digest = ''] = digests
  const answer = await read({ image, digest })
  expect([answer.status, await answer.text()]).toEqual([200, page])
  expect(answer.headers.get('content-type')).toBe('text/plain; charset=utf-8')
  expect(answer.headers.get('content-disposition')).toMatch(
    /^attachment; filename="attached-[0-9a-f]{12}.txt"/,
  )
  expect(answer.headers.get('content-security-policy')).toContain('sandbox')
  const etag = `"${digest.slice(7)}"`
  expect([answer.headers.get('etag'), answer.headers.get('content-length')]).toEqual([etag, `${page.length}`])
  registry.forgetRequests()
  expect((await read({ image, digest }, { headers: { 'If-None-Match': etag } })).status).toBe(304)
  const head = await read({ image, digest }, { method: 'HEAD' })
  expect([head.status, head.headers.get('content-length')]).toEqual([200, `${page.length}`])
  expect(registry.count({ path: new RegExp(`/blobs/${digest}`) })).toBe(0)
})

it('a manifest without layers is an item itself', async () => {
  const subject = await newImage()
  const manifest = makeArtifact([], { subject: subject.descriptor, artifactType: 'application/x' })
  registry.push('itself', undefined, manifest)
  const image = registry.push('itself', '1', subject)
  const answer = await read({ image, digest: manifest.descriptor.digest })
  expect(new Uint8Array(await answer.arrayBuffer())).toEqual(manifest.bytes)
})

it('what is not attached to this image is not given, though the repository has it', async () => {
  const { image, digests, repository } = await attach([{ mediaType: SPDX_TYPE, content: '{}' }])
  const other = registry.push(repository, '2', await newImage())
  const answer = await read({ image: other, digest: digests[0] ?? '' })
  expect([answer.status, await answer.json()]).toMatchObject([404, { code: 'not_attached' }])
  registry.fault({ path: /\/referrers\// }, { status: 403 }, 100)
  const incomplete = await read({ image, digest: digestOf(new Uint8Array(3)) })
  expect([incomplete.status, await incomplete.json()]).toMatchObject([502, { code: 'registry_error' }])
})

it('without the credentials that show the image nothing is given', async () => {
  const { image, digests } = await attach([{ mediaType: SPDX_TYPE, content: '{"secret":1}' }], locked)
  const query = { image, digest: digests[0] ?? '' }
  const headers = { 'X-Registry-Auth': LOGIN }
  const shown = await read(query, { headers })
  expect([shown.status, shown.headers.get('cache-control')]).toEqual([200, 'private, no-cache'])
  const refused = await read(query)
  expect([refused.status, await refused.json()]).toMatchObject([401, { code: 'unauthorized' }])
  const sbom = { image, source: 'attached', format: 'spdx' }
  expect((await ask('/v1/sbom', sbom, { headers })).status).toBe(200)
  expect((await ask('/v1/sbom', sbom)).status).toBe(401)
})

const WRONG = {
  'other bytes': (true_: Uint8Array) => true_.map((byte) => byte ^ 1),
  'too few': (true_: Uint8Array) => true_.subarray(0, -1),
  'too many': (true_: Uint8Array) => Buffer.concat([true_, Buffer.from('more')]),
}

for (const [what, change] of Object.entries(WRONG))
  it(`a registry that sends ${what} never ends an answer`, async () => {
    for (const bytes of [100, 3_000_000]) {
      const content = randomBytes(bytes / 2).toString('hex')
      const { image, digests, repository } = await attach([{ mediaType: 'x', content }])
      const [digest = ''] = digests
      registry.putBlob(repository, change(new TextEncoder().encode(content)), digest)
      const before = cuts
      const answer = await read({ image, digest })
      if (answer.status === 200) {
        await expect(answer.arrayBuffer()).rejects.toThrow()
        expect(cuts).toBe(before + 1)
      } else expect([answer.status, await answer.json()]).toMatchObject([422, { code: 'invalid_image' }])
    }
  })

it('a large item is streamed, and what is stated as too large is not read', async () => {
  const content = 'x'.repeat(17 * 1024 * 1024)
  const { image, digests } = await attach([{ mediaType: SPDX_TYPE, content }])
  const [digest = ''] = digests
  const answer = await read({ image, digest })
  expect((await answer.arrayBuffer()).byteLength).toBe(content.length)
  registry.forgetRequests()
  for (const refused of [
    await read({ image, digest, as: 'statement' }),
    await ask('/v1/sbom', { image, source: 'attached', format: 'spdx' }),
  ])
    expect([refused.status, await refused.json()]).toMatchObject([413, { code: 'too_large' }])
  const subject = await newImage()
  const size = 65 * 1024 * 1024
  const layers = [{ mediaType: SPDX_TYPE, digest: digestOf(jsonBytes('stated')), size }]
  registry.push('stated', undefined, makeArtifact([], { subject: subject.descriptor, layers }))
  const stated = { image: registry.push('stated', '1', subject), digest: layers[0]?.digest ?? '' }
  for (const method of ['GET', 'HEAD']) expect((await read(stated, { method })).status).toBe(413)
  expect(registry.count({ path: new RegExp(`/blobs/(${digest}|${stated.digest})`) })).toBe(0)
})

it('a statement is taken out of its envelope as it was signed, and the predicate out of it', async () => {
  const statement = { predicateType: SPDX_PREDICATE, predicate: SPDX }
  const { image, digests } = await attach([
    { mediaType: DSSE, content: signed(statement) },
    { mediaType: 'text/plain', content: 'no statement' },
  ])
  const [digest = '', other = ''] = digests
  const whole = await read({ image, digest, as: 'statement' })
  expect([whole.headers.get('content-type'), await whole.text()]).toEqual([
    'application/json',
    JSON.stringify(statement),
  ])
  const predicate = await read({ image, digest, as: 'predicate' })
  expect(await predicate.json()).toEqual(SPDX)
  expect(predicate.headers.get('etag')).not.toBe(whole.headers.get('etag'))
  const none = await read({ image, digest: other, as: 'statement' })
  expect([none.status, await none.json()]).toMatchObject([422, { code: 'unknown_format' }])
})

it('no more documents are held than memory allows', async () => {
  const content = signed({ predicateType: 'x', predicate: { of: 'x'.repeat(9 * 1024 * 1024) } })
  const { image, digests } = await attach([{ mediaType: DSSE, content }])
  const [digest = ''] = digests
  const held = Promise.withResolvers<void>()
  const path = new RegExp(`/blobs/${digest}`)
  registry.fault({ path }, { until: held.promise })
  const query = { image, digest, as: 'statement' }
  const first = read(query)
  await expect.poll(() => registry.count({ path }), { timeout: 30_000 }).toBe(1)
  const second = await read(query)
  expect([second.status, second.headers.get('retry-after')]).toEqual([429, '2'])
  held.resolve()
  expect((await first).status).toBe(200)
  expect((await read(query)).status).toBe(200)
})

it('the attached bill of materials is that of the platform before that of the index', async () => {
  const image = await newImage()
  const index = makeIndex([[image, LINUX]])
  const created = { 'org.opencontainers.image.created': '2026-01-01T00:00:00Z' }
  const of = (name: string) => JSON.stringify({ ...SPDX, name })
  const sbom = { mediaType: SPDX_TYPE, content: of('of the index'), annotations: created }
  registry.push('sbom', undefined, makeArtifact([sbom], { subject: index.descriptor }))
  const reference = registry.push('sbom', '1', index)
  const query = { image: reference, source: 'attached', format: 'spdx' }
  expect((await (await ask('/v1/sbom', query)).json()).name).toBe('of the index')
  const own = {
    mediaType: DSSE,
    content: signed({ predicateType: SPDX_PREDICATE, predicate: { ...SPDX, name: 'own' } }),
  }
  registry.push('sbom', undefined, makeArtifact([own], { subject: image.descriptor }))
  const answer = await ask('/v1/sbom', query)
  expect([answer.headers.get('content-type'), await answer.json()]).toEqual([
    'application/spdx+json',
    { ...SPDX, name: 'own' },
  ])
  const headers = { 'If-None-Match': answer.headers.get('etag') ?? '' }
  expect((await ask('/v1/sbom', query, { headers })).status).toBe(304)
  const none = await ask('/v1/sbom', { ...query, format: 'cyclonedx' })
  expect([none.status, await none.json()]).toMatchObject([404, { code: 'not_attached' }])
})

it('a bill of materials has no characters that change a terminal', async () => {
  const name = 'a\u009b31mb\u202ec'
  const { image } = await attach([{ mediaType: SPDX_TYPE, content: JSON.stringify({ name }) }])
  const text = await (await ask('/v1/sbom', { image, source: 'attached', format: 'spdx' })).text()
  expect([text, JSON.parse(text)]).toEqual(['{"name":"a\\u009b31mb\\u202ec"}', { name }])
})

it('a bill of materials that is not JSON is a problem', async () => {
  const { image } = await attach([{ mediaType: SPDX_TYPE, content: '<html>' }])
  const answer = await ask('/v1/sbom', { image, source: 'attached', format: 'spdx' })
  expect([answer.status, await answer.json()]).toMatchObject([422, { code: 'unknown_format' }])
})
