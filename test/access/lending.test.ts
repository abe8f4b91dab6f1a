/** A login that the service lends for public images, and mirrors that it asks before the registry. */
import { afterEach, beforeEach, expect, it } from 'vitest'
import { FixtureRegistry } from '../registry/fixture.ts'
import { startApp } from '../support/app.ts'
import { makeImage, makeLayer, type TestImage } from '../support/images.ts'

const LOGIN = { username: 'lent', password: 'login of the service' }
const BASIC = `Basic ${Buffer.from(`${LOGIN.username}:${LOGIN.password}`).toString('base64')}`

let registry: FixtureRegistry
let mirror: FixtureRegistry
let image: TestImage

const get = (app: ReturnType<typeof startApp>, path: string, reference: string) =>
  app.ask(`${path}?image=${encodeURIComponent(reference)}${path === '/v1/report' ? '&wait=60' : ''}`)

beforeEach(async () => {
  registry = await FixtureRegistry.start({ auth: { kind: 'token', ...LOGIN } })
  mirror = await FixtureRegistry.start()
  image = makeImage([await makeLayer([{ name: 'a', content: 'b' }])])
})
afterEach(async () => {
  await Promise.all([registry.close(), mirror.close()])
})

/** The different credentials of such requests that the registry answered. */
function tokensOf(method: 'GET' | 'HEAD', path = /./): readonly (string | undefined)[] {
  const answered = registry.requests.filter(
    (request) =>
      request.server === 'registry' &&
      request.method === method &&
      request.status === 200 &&
      path.test(request.path),
  )
  return [...new Set(answered.map(({ authorization }) => authorization))]
}

const lending = () =>
  startApp({ LAMINA_PUBLIC_CREDENTIALS: JSON.stringify({ auths: { [registry.host]: LOGIN } }) })

it('the login pulls images that the registry shows everybody, which count as public', async () => {
  const reference = registry.push('app', 'v1', image)
  const answer = await get(lending(), '/v1/report', reference)
  expect(answer.status).toBe(200)
  expect(answer.headers.get('cache-control')).toContain('public')
  const tokens = registry.requests.filter(({ server }) => server === 'token')
  expect(tokens.map(({ authorization }) => authorization).sort()).toEqual([BASIC, undefined])
  // Each GET carries the login's token, each HEAD an anonymous one.
  const [pulled, confirmed] = [tokensOf('GET'), tokensOf('HEAD')]
  expect([pulled.length, confirmed.length]).toEqual([1, 1])
  expect(pulled).not.toEqual(confirmed)
})

it('the login reads no blob that the registry does not show everybody', async () => {
  const reference = registry.push('app', 'v1', image)
  registry.fault({ path: /blobs/, method: 'HEAD' }, { status: 404 }, 100)
  expect((await get(lending(), '/v1/report', reference)).status).toBe(200)
  expect(tokensOf('GET', /blobs/)).toEqual(tokensOf('HEAD'))
  expect(tokensOf('GET', /manifests/)).not.toEqual(tokensOf('HEAD'))
})

it('the login reveals nothing private', async () => {
  const reference = registry.push('private/app', 'v1', image)
  for (const path of ['/v1/report', '/v1/config']) {
    expect((await get(lending(), path, reference)).status).toBe(401)
    const digest = reference.replace(':v1', `@${image.descriptor.digest}`)
    expect((await get(lending(), path, digest)).status).toBe(401)
  }
  expect(registry.requests.some(({ authorization }) => authorization === BASIC)).toBe(false)
})

it('manifests and blobs come from a mirror, anonymously; the registry says what exists', async () => {
  const reference = registry.push('app', 'v1', image)
  mirror.push('app', 'v1', image)
  const app = startApp({ LAMINA_MIRRORS: `${registry.host}=${mirror.host}` })
  const answer = await get(app, '/v1/report', reference)
  expect(answer.status).toBe(200)
  expect((await answer.json()).image.registry).toBe(registry.host)
  expect(registry.count({ server: 'registry', method: 'GET' })).toBe(0)
  expect(mirror.count({ method: 'GET', status: 200 })).toBe(3)
  expect(mirror.requests.every(({ authorization }) => authorization === undefined)).toBe(true)
})

it('the registry serves what its mirror lacks or serves wrongly', async () => {
  const reference = registry.push('app', 'v1', image)
  const app = startApp({ LAMINA_MIRRORS: `${registry.host}=${mirror.host}` })
  expect((await get(app, '/v1/config', reference)).status).toBe(200)
  mirror.push('app', 'v1', image)
  mirror.fault({ path: /manifests/ }, { body: '{}' }, 100)
  mirror.fault({ path: /blobs/ }, { status: 404 }, 100)
  const other = startApp({ LAMINA_MIRRORS: `${registry.host}=${mirror.host}` })
  expect((await get(other, '/v1/report', reference)).status).toBe(200)
})

it('a mirror shows no layer that the registry itself does not show', async () => {
  const layer = await makeLayer([{ name: 'a', content: 'of another repository' }])
  mirror.push('app', 'v1', makeImage([layer]))
  // The registry has a manifest that names the layer, and no such layer.
  const reference = registry.push('app', 'v1', makeImage([{ ...layer, bytes: undefined }]))
  const app = startApp({ LAMINA_MIRRORS: `${registry.host}=${mirror.host}` })
  expect((await get(app, '/v1/report', reference)).status).toBeGreaterThanOrEqual(400)
  expect(mirror.count({ method: 'GET', path: new RegExp(layer.descriptor.digest) })).toBe(0)
})

it('a mirror resolves a tag as long as the registry has that manifest', async () => {
  const older = makeImage([await makeLayer([{ name: 'older', content: 'b' }])])
  const elsewhere = makeImage([await makeLayer([{ name: 'elsewhere', content: 'b' }])])
  registry.push('app', 'v0', older)
  const reference = registry.push('app', 'v1', image)
  mirror.push('app', 'v1', older)
  const digestOf = async () => {
    const app = startApp({ LAMINA_MIRRORS: `${registry.host}=${mirror.host}` })
    return (await (await get(app, '/v1/report', reference)).json()).image.digest
  }
  expect(await digestOf()).toBe(older.descriptor.digest)
  mirror.push('app', 'v1', elsewhere)
  expect(await digestOf()).toBe(image.descriptor.digest)
  mirror.fault({ path: /manifests/ }, { status: 404 }, 100)
  expect(await digestOf()).toBe(image.descriptor.digest)
})

it('a mirror reveals nothing that its registry does not', async () => {
  const reference = registry.push('private/app', 'v1', image)
  mirror.push('private/app', 'v1', image)
  const app = startApp({ LAMINA_MIRRORS: `${registry.host}=${mirror.host}` })
  const digest = reference.replace(':v1', `@${image.descriptor.digest}`)
  for (const each of [reference, digest]) expect((await get(app, '/v1/config', each)).status).toBe(401)
})
