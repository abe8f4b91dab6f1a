/** HEAD and OPTIONS on every route, described or not, on both hosts. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createApp } from '../../src/http/app.ts'
import { FixtureRegistry } from '../registry/fixture.ts'
import { startApp } from '../support/app.ts'
import { makeImage, makeLayer } from '../support/images.ts'
import { HOSTS, startService, type TestService } from '../support/service.ts'

/** More than the streams of all clients together. */
const MANY_STREAMS = 70

const routes = createApp(startApp().service).routes.filter(({ path }) => !path.includes('*'))
const paths = new Set(routes.map(({ path }) => path))
const readPaths = new Set(routes.filter(({ method }) => method === 'GET').map(({ path }) => path))

describe.concurrent.each(HOSTS)('on %s', (host) => {
  let service: TestService
  let registry: FixtureRegistry
  let image: string
  let analysis: string

  beforeAll(async () => {
    ;[service, registry] = await Promise.all([startService(host), FixtureRegistry.start()])
    image = registry.push('app', 'v1', makeImage([await makeLayer([{ name: 'a', content: 'a' }])]))
    const began = await fetch(`${service.url}/v1/analyses`, {
      method: 'POST',
      body: JSON.stringify({ image }),
      headers: { 'Content-Type': 'application/json' },
    })
    analysis = (await began.json()).id
    expect((await ask('GET', '/v1/report', { image, wait: '60' })).status).toBe(200)
  })

  afterAll(async () => {
    await Promise.all([service?.stop(), registry?.close()])
  })

  async function ask(method: string, path: string, query: Record<string, string> = queryOf(path)) {
    const filled = path.replace(':id', analysis).replace(':file', 'size.svg').replace(/:\w+/g, 'x')
    const url = `${service.url}${filled}?${new URLSearchParams(query)}`
    const answer = await fetch(url, { method, redirect: 'manual' })
    return { path, status: answer.status, body: await answer.text() }
  }

  /** What the route needs to answer with more than a refusal. */
  function queryOf(path: string): Record<string, string> {
    if (/analyses|uploads|openapi|login|logout/.test(path)) return {}
    if (/^\/(v1\/)?(diff|updates?\b)/.test(path)) return { from: image, to: image }
    if (/tags|images|storage/.test(path)) return { repository: `${registry.host}/app` }
    if (/file$|inside$/.test(path)) return { image, path: 'a' }
    if (/compression/.test(path)) return { image, wait: '60' }
    return { image }
  }

  it('HEAD has the status of GET, and no body', async () => {
    for (const path of readPaths) {
      const { status } = await ask('GET', path)
      expect(await ask('HEAD', path)).toEqual({ path, status, body: '' })
    }
  })

  it('OPTIONS is refused', async () => {
    for (const path of paths) expect(await ask('OPTIONS', path)).toMatchObject({ path, status: 405 })
  })

  it('HEAD takes no stream from those who read', async () => {
    const asked = ['/v1/files', { image, format: 'ndjson' }] as const
    const heads = await Promise.all(Array.from({ length: MANY_STREAMS }, () => ask('HEAD', ...asked)))
    expect(new Set(heads.map(({ status }) => status))).toEqual(new Set([200]))
    expect(await ask('GET', ...asked)).toMatchObject({ status: 200, body: expect.stringContaining('"a"') })
  })
})
