import { afterAll, beforeAll, expect, test } from 'vitest'
import { startApp } from '../../../test/app.ts'
import { makeImage, makeLayer } from '../../../test/images.ts'
import { FixtureRegistry } from '../../../test/registry/fixture.ts'

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

test('what the manifest tells is shown at once, the rest when the analysis is there', async () => {
  const { ask } = startApp()
  const message = async (file: string) => (await (await ask(path(file))).json()).message
  expect(await message('layers.json')).toBe('2')
  const first = await ask(path('files.json'))
  expect(first.headers.get('cache-control')).toBe('no-cache')
  expect((await first.json()).message).toBe('analysing…')
  await ask(`/v1/report?image=${image}&wait=60`)
  expect(await message('files.json')).toBe('1')
})

test('a picture is for everybody to show, runs nothing, and is not sent twice', async () => {
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

test('what a digest names is kept longer than what a tag does', async () => {
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

test('a misspelt rule is no pass', async () => {
  const { ask } = startApp()
  const response = await ask(path('check.json', { maxLayers: '9', maxlayerz: '1' }))
  expect((await response.json()).message).toBe('invalid')
})

test('a registry that does not answer is not waited for', async () => {
  const { ask } = startApp()
  registry.fault({ path: /manifests/ }, { delayMilliseconds: 5000 }, 10)
  const began = performance.now()
  const response = await ask(path('layers.json'))
  registry.clearFaults()
  expect((await response.json()).message).toBe('unavailable')
  expect(performance.now() - began).toBeLessThan(2000)
})

test.each(['nothing.svg', 'size.png', 'size'])('there is no badge %s', async (file) => {
  const { ask } = startApp()
  expect((await ask(path(file))).status).toBe(404)
})
