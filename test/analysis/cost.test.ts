/** What a request costs the registry: requests that Docker Hub counts, and bytes. */
import { rm } from 'node:fs/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { FixtureRegistry } from '../registry/fixture.ts'
import { ask, registryAuth } from '../support/ask.ts'
import { makeImage, makeIndex, makeLayer } from '../support/images.ts'
import { HOSTS, startService, type TestService, temporaryData } from '../support/service.ts'

const USER = { username: 'mara', password: 'p4ss' }
const AMD64 = { os: 'linux', architecture: 'amd64' }

describe.each(HOSTS)('on %s', (host) => {
  let data: string
  let service: TestService
  let registry: FixtureRegistry

  /** Requests to the registry and its token server in their order, as `HEAD manifests`. */
  const asked = () =>
    registry.requests
      .filter(({ path }) => path !== '/v2/')
      .map(({ server, method, path, status }) => {
        const what = server === 'token' ? 'token' : (/manifests|blobs|tags/.exec(path)?.[0] ?? path)
        return `${method} ${what}${status === 401 ? ' refused' : ''}`
      })
  const report = (image: string, headers: Record<string, string> = {}) =>
    ask(service.url, '/v1/report', { query: { image, wait: 60 }, headers })
  const make = async (name: string) => makeImage([await makeLayer([{ name, content: `${host} ${name}` }])])
  /** The same data behind a service that remembers nothing. */
  const restart = async () => {
    await service.stop()
    service = await startService(host, { LAMINA_DATA: data })
  }

  beforeAll(async () => {
    data = await temporaryData()
    registry = await FixtureRegistry.start({ auth: { kind: 'token', ...USER } })
  })
  beforeEach(async () => {
    await service?.stop()
    service = await startService(host, { LAMINA_DATA: data })
  })
  afterAll(async () => {
    await Promise.all([service?.stop(), registry?.close()])
    await rm(data, { recursive: true, force: true })
  })

  it('a new image: one HEAD, one GET and a token before its first blob', async () => {
    const image = registry.push('public/new', 'v1', await make('new'))
    registry.forgetRequests()
    expect((await report(image)).status).toBe(200)
    const before = asked().slice(
      0,
      asked().findIndex((request) => request.includes('blobs')),
    )
    expect(before).toEqual(['HEAD manifests refused', 'GET token', 'HEAD manifests', 'GET manifests'])
  })

  it('one behind an index: a second GET', async () => {
    const index = makeIndex([[await make('indexed'), { platform: AMD64 }]])
    const image = registry.push('public/index', 'v1', index)
    registry.forgetRequests()
    expect((await report(image)).status).toBe(200)
    const before = asked().slice(
      0,
      asked().findIndex((request) => request.includes('blobs')),
    )
    expect(before).toEqual([
      'HEAD manifests refused',
      'GET token',
      'HEAD manifests',
      'GET manifests',
      'GET manifests',
    ])
  })

  it('its badge: no blob', async () => {
    const image = registry.push('public/badge', 'v1', await make('badge'))
    registry.forgetRequests()
    const badge = await fetch(`${service.url}/badge/size.svg?image=${image}`)
    expect(await badge.text()).toContain(' B')
    expect(asked()).toEqual(['HEAD manifests refused', 'GET token', 'HEAD manifests', 'GET manifests'])
  })

  it('an analysed public image: one HEAD, and none within a minute', async () => {
    const image = registry.push('public/known', 'v1', await make('known'))
    await report(image)
    await restart()
    registry.forgetRequests()
    expect((await report(image)).status).toBe(200)
    expect(asked()).toEqual(['HEAD manifests refused', 'GET token', 'HEAD manifests'])
    registry.forgetRequests()
    await Promise.all(Array.from({ length: 10 }, () => report(image)))
    expect(asked()).toEqual([])
  })

  it('an analysed private image: only HEADs, which confirm each blob, and none within a minute', async () => {
    const image = registry.push('private/known', 'v1', await make('private'))
    await report(image, registryAuth(USER))
    await restart()
    registry.forgetRequests()
    expect((await report(image, registryAuth(USER))).status).toBe(200)
    expect(asked().slice(0, 3)).toEqual(['HEAD manifests refused', 'GET token', 'HEAD manifests'])
    expect(new Set(asked().slice(3))).toEqual(new Set(['HEAD blobs']))
    registry.forgetRequests()
    await report(image, registryAuth(USER))
    expect(asked()).toEqual([])
  })

  it('a burst for one image: one token, and everything fetched once', async () => {
    const image = registry.push('public/burst', 'v1', await make('burst'))
    registry.forgetRequests()
    const answers = await Promise.all(Array.from({ length: 50 }, () => report(image)))
    expect(answers.every(({ status }) => status === 200)).toBe(true)
    expect(asked()).toEqual([
      'HEAD manifests refused',
      'GET token',
      'HEAD manifests',
      'GET manifests',
      'GET blobs',
      'GET blobs',
    ])
  })
})
