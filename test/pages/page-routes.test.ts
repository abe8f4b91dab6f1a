/** The responses of the pages, without a browser: statuses, policies, the form's way to a diff, access. */
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { FixtureRegistry } from '../registry/fixture.ts'
import { makeImage, makeLayer } from '../support/images.ts'
import { HOSTS, startService, type TestService } from '../support/service.ts'

describe.each(HOSTS)('on %s', (host) => {
  let service: TestService
  let closed: TestService
  let registry: FixtureRegistry
  let image: string

  beforeAll(async () => {
    ;[service, closed, registry] = await Promise.all([
      startService(host),
      startService(host, { LAMINA_TOKENS: 'open-sesame' }),
      FixtureRegistry.start(),
    ])
    image = registry.push('app', 'v1', makeImage([await makeLayer([{ name: 'a', content: 'a' }])]))
    registry.push('app', 'v2', makeImage([await makeLayer([{ name: 'a', content: 'a'.repeat(5_000) }])]))
  })

  afterAll(async () => {
    await Promise.all([service?.stop(), closed?.stop(), registry?.close()])
  })

  const get = (path: string, query: Record<string, string> = {}, init: RequestInit = {}, of = service) =>
    fetch(`${of.url}${path}?${new URLSearchParams(query)}`, { redirect: 'manual', ...init })

  it('a page may load only from this service, and cannot be framed', async () => {
    for (const path of ['/', '/docs']) {
      const answer = await get(path, { unknown: 'ignored' })
      expect(answer.status).toBe(200)
      expect(answer.headers.get('Content-Type')).toBe('text/html; charset=utf-8')
      const policy = answer.headers.get('Content-Security-Policy')
      expect(policy).toMatch(/^default-src 'none'; script-src 'self'; style-src 'self';/)
      expect(policy).toContain("frame-ancestors 'none'")
    }
  })

  it('every file that a page names exists, has its media type, and is not sent twice', async () => {
    const pages = await Promise.all(['/', '/docs'].map(async (path) => (await get(path)).text()))
    const names = new Set(pages.join('').match(/\/assets\/[\w./-]+/g))
    expect(names.size).toBe(9)
    for (const name of names) {
      const answer = await get(name)
      expect([name, answer.status]).toEqual([name, 200])
      expect(answer.headers.get('Content-Type')).toMatch(/^(?:text\/(?:css|javascript)|image\/svg)/)
      expect(answer.headers.get('X-Content-Type-Options')).toBe('nosniff')
      const tag = answer.headers.get('ETag') ?? ''
      expect((await get(name, {}, { headers: { 'If-None-Match': tag } })).status).toBe(304)
    }
    expect((await get('/assets/nothing.css')).status).toBe(404)
    expect((await get('/assets/0123456789abcdef/nothing.css')).status).toBe(404)
    expect((await get('/assets/..%2Fworker.js')).status).toBe(404)
  })

  it('a file is cached permanently only under the URL that a page has for it', async () => {
    const home = await (await get('/')).text()
    const kept = async (name: string) => (await get(name)).headers.get('Cache-Control')
    const [address = ''] = home.match(/\/assets\/[0-9a-f]{16}\/lamina\.css/) ?? []
    expect(await kept(address)).toBe('public, max-age=31536000, immutable')
    expect(await kept('/assets/0123456789abcdef/lamina.css')).toBe('public, max-age=300')
    expect(await kept('/assets/lamina.css')).toBe('public, max-age=300')
    // A page made by a worker thread uses the same URL.
    const report = await get('/', { image })
    if (report.status === 200) expect(await report.text()).toContain(address)
  })

  it('the form leads to a report, or to a diff if there is a baseline', async () => {
    const answer = await get('/', { image: 'app:v2', baseline: 'app:v1', platform: 'linux/arm64' })
    expect(answer.status).toBe(303)
    const { pathname, searchParams } = new URL(answer.headers.get('Location') ?? '', service.url)
    expect([pathname, Object.fromEntries(searchParams)]).toEqual([
      '/',
      { from: 'app:v1', to: 'app:v2', fromPlatform: 'linux/arm64', toPlatform: 'linux/arm64' },
    ])
    const report = await get('/', { image, baseline: '', platform: ' ' })
    expect([200, 202]).toContain(report.status)
  })

  it('what is pasted into the form is understood', async () => {
    const answer = await get('/', {
      image: `docker pull ${image}`,
      baseline: 'https://hub.docker.com/_/nginx',
    })
    const { searchParams } = new URL(answer.headers.get('Location') ?? '', service.url)
    expect(Object.fromEntries(searchParams)).toEqual({ from: 'nginx', to: image })
  })

  it('each tag of a repository links to a diff with the previous one, each platform to its report', async () => {
    const repository = `${registry.host}/app`
    const tags = await (await get('/tags', { repository, tag: 'v2' })).text()
    expect(tags).toMatch(
      /from=[^"]*app%3Av1&amp;to=[^"]*app%3Av2">Compare <span class="hidden-text">v2 <\/span>with v1</,
    )
    expect(tags).toContain('aria-label="Compressed size: 2 images')
    expect(tags).toContain('aria-current="page"')
    const offered = await (await get('/platforms', { image, platform: 'linux/amd64' })).text()
    expect(offered).toMatch(/platform=linux%2Famd64" aria-current="page">linux\/amd64</)
    expect((await get('/tags', { repository: `${repository}:v1` })).status).toBe(400)
    expect((await get('/tags', { repository: `${registry.host}/nothing` })).status).toBe(404)
  })

  it('a page has at most 60 KB of script and 30 KB of style, compressed', async () => {
    await get('/v1/report', { image, wait: '60' })
    const pages: readonly (readonly [string, Record<string, string>])[] = [
      ['/', {}],
      ['/', { image }],
      ['/', { from: image, to: image }],
      ['/files', { image }],
      ['/files', { image, path: 'a' }],
      ['/files', { image, glob: '*' }],
      ['/tags', { repository: `${registry.host}/app` }],
      ['/platforms', { image }],
      ['/attached', { image }],
      ['/diff', { from: image, to: image, path: 'a' }],
      ['/map', { image }],
    ]
    for (const [path, query] of pages) {
      const answer = await get(path, query)
      expect([path, query, answer.status]).toEqual([path, query, 200])
      const sums = { js: 0, css: 0 }
      for (const name of new Set((await answer.text()).match(/\/assets\/[\w./-]+/g))) {
        const kind = name.split('.').at(-1)
        if (kind !== 'js' && kind !== 'css') continue
        sums[kind] += gzipSync(await (await get(name)).arrayBuffer()).byteLength
      }
      expect(sums.js).toBeGreaterThan(500)
      expect(sums.js).toBeLessThan(60_000)
      expect(sums.css).toBeGreaterThan(2_000)
      expect(sums.css).toBeLessThan(30_000)
    }
  })

  it('a browser gets a page for what does not exist or fails, a program gets JSON', async () => {
    const headers = { Accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8' }
    const from = `${registry.host}/nothing:here`
    for (const [path, query, status] of [
      ['/nothing', {}, 404],
      ['/v1/diff', { from, to: image, format: 'html' }, 404],
      ['/v1/diff', { from: 'UPPER CASE', to: image, format: 'html' }, 400],
    ] as const) {
      const page = await get(path, query, { headers })
      expect([page.status, page.headers.get('Content-Type')]).toEqual([status, 'text/html; charset=utf-8'])
      expect(await page.text()).toContain('role="alert"')
      const data = await get(path, query)
      expect([data.status, data.headers.get('Content-Type')]).toEqual([status, 'application/problem+json'])
    }
  })

  it('an error is a page with the problem’s HTTP status', async () => {
    for (const [query, status, code] of [
      [{ image: 'UPPER CASE' }, 400, 'invalid_reference'],
      [{ from: image }, 400, 'invalid_parameter'],
      [{ image: `${registry.host}/nothing:here` }, 404, 'image_not_found'],
    ] as const) {
      const answer = await get('/', query)
      expect(answer.status).toBe(status)
      expect(answer.headers.get('Content-Type')).toBe('text/html; charset=utf-8')
      expect(await answer.text()).toContain(`<code>${code}</code>`)
    }
  })

  it('a service with tokens shows everybody the start page and the documentation, images only with a token', async () => {
    expect((await get('/', {}, {}, closed)).status).toBe(200)
    expect((await get('/docs', {}, {}, closed)).status).toBe(200)
    expect((await get('/', { image }, {}, closed)).status).toBe(401)
    const headers = { Authorization: 'Bearer open-sesame' }
    expect([200, 202]).toContain((await get('/', { image }, { headers }, closed)).status)
  })
})
