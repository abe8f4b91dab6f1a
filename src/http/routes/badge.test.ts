import { afterAll, beforeAll, expect, test } from 'vitest'
import { FixtureRegistry } from '../../../test/registry/fixture.ts'
import { startApp } from '../../../test/support/app.ts'
import { makeChunkedLayer } from '../../../test/support/chunked.ts'
import { makeImage, makeLayer } from '../../../test/support/images.ts'

let registry: FixtureRegistry
let image: string
let byDigest: string

beforeAll(async () => {
  registry = await FixtureRegistry.start()
  const layer = await makeLayer([{ name: 'a', content: 'aaaa' }])
  const made = makeImage([layer, layer])
  image = registry.push('badges', 'v1', made)
  byDigest = registry.push('badges', undefined, made)
})

afterAll(() => registry.close())

const path = (file: string, more: Record<string, string> = {}) =>
  `/badge/${file}?${new URLSearchParams({ image, ...more })}`

test('figures from the manifest are shown at once, the rest after the analysis', async () => {
  const { ask } = startApp()
  const message = async (file: string) => (await (await ask(path(file))).json()).message
  expect(await message('layers.json')).toBe('2')
  const first = await ask(path('files.json'))
  expect(first.headers.get('cache-control')).toBe('no-cache')
  expect((await first.json()).message).toBe('analysing…')
  await ask(`/v1/report?image=${image}&wait=60`)
  expect(await message('files.json')).toBe('1')
})

test('figures from tables of contents are used if the badge asks for them', async () => {
  const { ask } = startApp()
  const layer = await makeChunkedLayer('estargz', [{ name: 'a' }, { name: 'b' }])
  const chunked = registry.push('badges', 'chunked', makeImage([layer]))
  const message = async (file: string, more: Record<string, string>) =>
    (await (await ask(path(file, { image: chunked, ...more }))).json()).message
  await ask(`/v1/report?image=${chunked}&read=toc&wait=60`)
  expect(await message('files.json', { read: 'toc' })).toBe('2')
  expect(await message('check.json', { read: 'toc', maxFiles: '2' })).toBe('passing')
  expect(await message('files.json', {})).toBe('analysing…')
  expect(await message('files.json', { read: 'tables' })).toBe('invalid')
})

test('a picture can be embedded anywhere, runs nothing, and is not sent twice', async () => {
  const { ask } = startApp()
  const first = await ask(path('layers.svg', { label: '<script>' }))
  expect(Object.fromEntries(first.headers)).toMatchObject({
    'content-type': 'image/svg+xml; charset=utf-8',
    'cache-control': 'public, max-age=60',
    'cross-origin-resource-policy': 'cross-origin',
    'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; img-src data:",
  })
  expect(await first.text()).not.toContain('<script>')
  const headers = { 'If-None-Match': first.headers.get('etag') ?? '' }
  expect((await ask(path('layers.svg', { label: '<script>' }), { headers })).status).toBe(304)
})

test('a badge for a digest is cached longer than one for a tag', async () => {
  const { ask } = startApp()
  const kept = async (more: Record<string, string>) =>
    (await ask(path('size.svg', more))).headers.get('cache-control')
  expect(await kept({})).toBe('public, max-age=60')
  expect(await kept({ image: byDigest })).toBe('public, max-age=300')
})

test.each([
  [{ image: 'UPPER' }, 'invalid'],
  [{ style: 'baroque' }, 'invalid'],
  [{ unknown: 'parameter' }, '2'],
  [{ image: '169.254.169.254/x:y' }, 'unavailable'],
])('%j is a badge that says %s', async (more, message) => {
  const { ask } = startApp()
  const response = await ask(path('layers.json', more))
  expect([response.status, (await response.json()).message]).toEqual([200, message])
})

test('a misspelt rule does not pass', async () => {
  const { ask } = startApp()
  const response = await ask(path('check.json', { maxLayers: '9', maxlayerz: '1' }))
  expect((await response.json()).message).toBe('invalid')
})

test('a registry that does not answer is not waited for', async () => {
  const { ask } = startApp()
  const { promise: until, resolve: release } = Promise.withResolvers<void>()
  registry.fault({ path: /manifests/ }, { until }, 10)
  const response = await ask(path('layers.json'))
  registry.clearFaults()
  release()
  expect((await response.json()).message).toBe('unavailable')
})

test.each(['size.png', 'size', `${'x'.repeat(65)}.svg`])('refuses the badge %s', async (file) => {
  const { ask } = startApp()
  expect((await ask(path(file))).status).toBe(404)
})

test('a badge with an invalid request or an unknown metric says why, in its title and in JSON', async () => {
  const { ask } = startApp()
  const svg = await (await ask(path('layers.svg', { warn: 'plenty<' }))).text()
  expect(svg).toMatch(/<title>invalid: warn[^<]*plenty&lt;/)
  const json = await (await ask(path('check.json', { maxLayers: '9', maxlayers: '1' }))).json()
  expect(json).toMatchObject({
    message: 'invalid',
    label: expect.stringContaining('did you mean maxLayers?'),
  })
  const unknown = await ask(path('weight.json'))
  expect([unknown.status, await unknown.json()]).toEqual([
    200,
    expect.objectContaining({ message: 'invalid', label: expect.stringContaining('unknown metric weight') }),
  ])
})

test('a logo by its name', async () => {
  const { ask } = startApp()
  expect(await (await ask(path('layers.svg', { logo: 'docker' }))).text()).toContain(
    'data:image/svg+xml;base64,',
  )
  expect(await (await ask(path('layers.json', { logo: 'docker' }))).json()).toMatchObject({
    namedLogo: 'docker',
  })
  expect((await (await ask(path('layers.json', { logo: 'no-such' }))).json()).message).toBe('invalid')
})

test('the savings that advice finds', async () => {
  const { ask } = startApp()
  const cached = await makeLayer([{ name: 'var/lib/apt/lists/x', content: 'x'.repeat(5000) }])
  const reference = registry.push('badges', 'cached', makeImage([cached]))
  await ask(`/v1/report?image=${reference}&wait=60`)
  const badge = await ask(path('advice.json', { image: reference }))
  expect(await badge.json()).toMatchObject({ label: 'image advice', message: 'saves 5.00 kB', color: 'red' })
})
