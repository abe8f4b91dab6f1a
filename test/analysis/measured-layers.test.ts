/** `/v1/compression`: what it asks of a registry, what it keeps, and who sees that. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { formatBytes } from '../../src/text/format.ts'
import { FixtureRegistry } from '../registry/fixture.ts'
import { startApp } from '../support/app.ts'
import { ociLayout, packArchive } from '../support/archives.ts'
import { ask, type Query, registryAuth } from '../support/ask.ts'
import { makeImage, makeLayer, type TestImage, type TestLayer } from '../support/images.ts'
import { startService, type TestService } from '../support/service.ts'

const USER = { username: 'mara', password: 'p4ss' }

let service: TestService
let registry: FixtureRegistry
let closed: FixtureRegistry
let layers: readonly TestLayer[]
let image: TestImage

beforeAll(async () => {
  service = await startService('node')
  registry = await FixtureRegistry.start()
  closed = await FixtureRegistry.start({ auth: { kind: 'token', ...USER } })
  layers = await Promise.all(
    (['gzip', 'none', 'zstd'] as const).map((compression) =>
      makeLayer([{ name: compression, content: `${compression} `.repeat(20_000) }], { compression }),
    ),
  )
  image = makeImage([...layers, ...layers.slice(0, 1)])
})

afterAll(() => Promise.all([service?.stop(), registry?.close(), closed?.close()]))

const compression = (reference: string, query: Query = {}, headers: Record<string, string> = {}) =>
  ask(service.url, '/v1/compression', { query: { image: reference, wait: 60, ...query }, headers })

const blobs = (of: FixtureRegistry, layer: TestLayer | undefined) =>
  of.requests.filter(({ method, path }) => method === 'GET' && path.endsWith(layer?.descriptor.digest ?? ''))
    .length

const keys = async () => Array.fromAsync((await service.store()).list('compressions/'))

it('reads each layer that is asked for once, for all settings, and not again', async () => {
  const reference = registry.push('app', 'v1', image)
  registry.forgetRequests()
  const { status, body } = await compression(reference, {
    with: ['zstd:3', 'gzip:9'],
    layer: ['3', '0', '1'],
  })
  expect(status).toBe(200)
  const row = (index: number) => {
    const { digest, size } = image.layers[index]?.descriptor ?? {}
    return expect.objectContaining({ index, digest, compressedBytes: size })
  }
  expect(body.layers).toEqual([row(0), row(1), row(3)])
  expect(body.layers.map(({ compression }: { compression: string }) => compression)).toEqual([
    'gzip',
    'none',
    'gzip',
  ])
  const [first, second, again] = body.layers
  expect(Object.keys(first.measured)).toEqual(['zstd:3', 'gzip:9'])
  expect(again.measured).toEqual(first.measured)
  const bytes = first.measured['zstd:3'].bytes + second.measured['zstd:3'].bytes
  const compressedBytes = first.compressedBytes + second.compressedBytes
  expect(body.total).toMatchObject({ layers: 2, compressedBytes })
  expect(body.total.measured['zstd:3']).toMatchObject({ bytes, saved: compressedBytes - bytes })
  expect(layers.map((layer) => blobs(registry, layer))).toEqual([1, 1, 0])
  const known = await compression(reference, { with: ['gzip:9'], layer: 1, wait: 0 })
  expect(known.body.layers).toEqual([{ ...second, measured: { 'gzip:9': second.measured['gzip:9'] } }])
  expect(layers.map((layer) => blobs(registry, layer))).toEqual([1, 1, 0])
})

it('a report advises it once all layers are measured with the usual setting, and not before', async () => {
  const plain = await makeLayer([{ name: 'text', content: 'text '.repeat(99_999) }], { compression: 'none' })
  const reference = registry.push('advised', 'v1', makeImage([plain, ...layers]))
  const item = 'Layers that zstd:3 compresses better, as measured'
  const text = async (headers: Record<string, string> = {}) =>
    ask(service.url, '/v1/report', { query: { image: reference, wait: 60, format: 'text' }, headers })
  const first = await text()
  await compression(reference, { with: ['gzip:9'] })
  await compression(reference, { layer: 0 })
  expect((await text()).body).toBe(first.body)
  expect(first.body).not.toContain(item)
  const { body } = await compression(reference)
  const tag = first.headers.get('etag') ?? ''
  const second = await text({ 'If-None-Match': tag })
  expect(second.status).toBe(200)
  expect(second.body).toContain(item)
  expect(second.body.replace(/\s+/g, ' ')).toContain('not shared with images that keep the old ones')
  const page = await (await fetch(`${service.url}/?image=${reference}`)).text()
  const saved = formatBytes(body.total.measured['zstd:3'].saved)
  expect(page.replace(/<[^>]+>/g, ' ').replace(/\s+/g, ' ')).toContain(`${saved} ${item}`)
})

it('shows what is kept of a private layer to nobody who may not read it', async () => {
  const own = await makeLayer([{ name: 'secret', content: 'x'.repeat(9_999) }])
  const reference = closed.push('private/app', 'v1', makeImage([own]))
  expect((await compression(reference, {}, registryAuth(USER))).status).toBe(200)
  expect((await compression(reference)).body.code).toBe('unauthorized')
  // A registry that names the digest must give the bytes.
  const claimed = registry.push('claims', 'v1', makeImage([{ ...own, bytes: undefined }]))
  expect((await compression(claimed)).status).toBeGreaterThanOrEqual(400)
  const given = registry.push('gives', 'v1', makeImage([own]))
  registry.forgetRequests()
  expect((await compression(given)).status).toBe(200)
  expect(blobs(registry, own)).toBe(1)
})

it('is gone with the upload that it was measured of', async () => {
  const own = await makeLayer([{ name: 'uploaded', content: 'y'.repeat(9_999) }])
  const archive = packArchive(ociLayout([{ image: makeImage([own]), name: 'v1' }]))
  const { id } = await (
    await fetch(`${service.url}/v1/uploads`, { method: 'POST', body: Buffer.from(archive) })
  ).json()
  const hex = own.descriptor.digest.slice('sha256:'.length)
  expect((await compression(`upload:${id}`)).status).toBe(200)
  expect((await keys()).filter((key) => key.includes(hex))).toHaveLength(1)
  await fetch(`${service.url}/v1/uploads/${id}`, { method: 'DELETE' })
  await expect.poll(async () => (await keys()).filter((key) => key.includes(hex))).toEqual([])
})

it.each([
  ['cut off', (bytes: Uint8Array) => bytes.subarray(0, -9), 'invalid_image'],
  ['replaced', (bytes: Uint8Array) => Uint8Array.from(bytes, (byte) => byte ^ 1), 'invalid_image'],
])('fails for a layer that is %s, and keeps nothing of it', async (name, damage, code) => {
  const own = await makeLayer([{ name, content: name.repeat(9_999) }])
  const reference = registry.push('damaged', name.replace(' ', '-'), makeImage([own]))
  registry.putBlob('damaged', damage(own.bytes ?? new Uint8Array(0)), own.descriptor.digest)
  const before = await keys()
  const { status, body } = await compression(reference, { with: ['zstd:3', 'gzip:1'] })
  expect([status, body.code]).toEqual([422, code])
  expect(await keys()).toEqual(before)
})

it('answers 202 or 503 while it works, and goes on meanwhile', async () => {
  const own = await makeLayer([{ name: 'slow', content: 'z'.repeat(99_999) }])
  const reference = registry.push('slow', 'v1', makeImage([own]))
  const stalled = { method: 'GET', path: new RegExp(own.descriptor.digest) } as const
  const left = Promise.withResolvers<void>()
  registry.fault(stalled, { until: left.promise })
  const pending = await compression(reference, { wait: 0 })
  expect([pending.status, pending.body]).toEqual([202, { status: 'running', layers: 1, layersDone: 0 }])
  expect(pending.headers.get('retry-after')).toBe('2')
  const text = await compression(reference, { wait: 0, format: 'text' })
  expect([text.status, text.body]).toEqual([503, expect.stringContaining('0 of 1 layers are measured')])
  left.resolve()
  expect((await compression(reference)).status).toBe(200)
  expect(blobs(registry, own)).toBe(1)
})

it('a host without encoders says so before it asks a registry', async () => {
  const reference = registry.push('app', 'v1', image)
  registry.forgetRequests()
  const answer = await startApp().ask(`/v1/compression?image=${reference}`)
  expect([answer.status, (await answer.json()).code]).toEqual([501, 'not_supported'])
  expect(registry.requests).toEqual([])
})
