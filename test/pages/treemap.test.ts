/** The treemap of an image, and of what changed between two, as a picture, on both hosts. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { FixtureRegistry } from '../registry/fixture.ts'
import { makeImage, makeLayer } from '../support/images.ts'
import { HOSTS, startService, type TestService } from '../support/service.ts'

const HOSTILE = '<img src=x onerror=alert(1)>'

describe.each(HOSTS)('on %s', (host) => {
  let service: TestService
  let registry: FixtureRegistry
  let image: string
  let digest: string

  beforeAll(async () => {
    ;[service, registry] = await Promise.all([startService(host), FixtureRegistry.start()])
    const base = await makeLayer([
      { name: 'srv/data.json', content: 'x'.repeat(9_000) },
      { name: `srv/${HOSTILE}`, content: 'y'.repeat(6_000) },
      { name: 'srv/old', content: 'z'.repeat(5_000) },
      {
        name: 'var/lib/dpkg/status',
        content: 'Package: tool\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\n',
      },
      { name: 'var/lib/dpkg/info/tool.list', content: '/usr\n/usr/bin\n/usr/bin/tool\n' },
    ])
    const top = await makeLayer([
      { name: 'usr/bin/tool', content: 'w'.repeat(7_000) },
      { name: 'srv/.wh.old' },
    ])
    const made = makeImage([base, top])
    image = registry.push('app', 'v1', made)
    digest = `${registry.host}/app@${made.descriptor.digest}`
  })

  afterAll(async () => {
    await Promise.all([service?.stop(), registry?.close()])
  })

  const get = (query: Record<string, string>, init: RequestInit = {}) =>
    fetch(
      `${service.url}/v1/report?${new URLSearchParams({ image, format: 'svg', wait: '60', ...query })}`,
      init,
    )

  it('is a picture with names as text, cached as badges are', async () => {
    const answer = await get({})
    expect(answer.status).toBe(200)
    expect(answer.headers.get('Content-Type')).toBe('image/svg+xml; charset=utf-8')
    expect(answer.headers.get('Cache-Control')).toBe('public, max-age=60')
    expect(answer.headers.get('Cross-Origin-Resource-Policy')).toBe('cross-origin')
    expect(answer.headers.get('Content-Security-Policy')).toBe(
      "default-src 'none'; style-src 'unsafe-inline'",
    )
    const text = await answer.text()
    expect(text).toContain('srv/data.json: 9.00 kB, 40.7%, layer 0')
    expect(text).toContain('usr/bin/tool: 7.00 kB')
    expect(text).not.toContain('<img')
    const tag = answer.headers.get('ETag') ?? ''
    expect((await get({}, { headers: { 'If-None-Match': tag } })).status).toBe(304)
    expect((await get({ image: digest })).headers.get('Cache-Control')).toBe('public, max-age=300')
  })

  it('shows which packages files belong to', async () => {
    const text = await (await get({ color: 'package' })).text()
    expect(text).toContain('usr/bin/tool: 7.00 kB, 31.7%, deb')
    expect(text).toContain('srv/data.json: 9.00 kB, 40.7%, no package')
    expect(text).not.toContain('>npm<')
  })

  it('shows waste, types, a directory, and another width and depth', async () => {
    const waste = await (await get({ color: 'waste' })).text()
    expect(waste).toContain('srv: 20.0 kB, 73.8%, up to half wasted')
    expect(waste).toContain('srv/old: 5.00 kB, 18.4%, in layer 0, hidden by a later layer')
    expect(await (await get({ color: 'type' })).text()).toContain('srv/data.json: 9.00 kB, 40.7%, data')
    const part = await (await get({ path: 'usr', width: '300' })).text()
    expect(part).toContain('usr/bin/tool: 7.00 kB, 100%')
    expect(part).not.toContain('data.json')
    expect(part).toMatch(/^<svg [^>]*width="300"/)
    expect(await (await get({ depth: '1' })).text()).not.toContain('data.json')
  })

  it('a wrong parameter is reported', async () => {
    expect((await get({ path: 'nowhere' })).status).toBe(404)
    expect((await get({ color: 'pink' })).status).toBe(400)
    expect((await get({ width: '99999' })).status).toBe(400)
  })

  it('what changed is a picture, too: added, removed and changed', async () => {
    const kept = await makeLayer([{ name: 'srv/same', content: 'same' }])
    const before = await makeLayer([
      { name: 'srv/grown', content: 'a'.repeat(3_000) },
      { name: `old/${HOSTILE}`, content: 'b'.repeat(2_000) },
    ])
    const after = await makeLayer([
      { name: 'srv/grown', content: 'c'.repeat(4_000) },
      { name: 'new/tool', content: 'd'.repeat(1_000) },
    ])
    const from = registry.push('app', 'before', makeImage([kept, before]))
    const to = registry.push('app', 'after', makeImage([kept, after]))
    const ask = (query: Record<string, string>) =>
      fetch(
        `${service.url}/v1/diff?${new URLSearchParams({ from, to, format: 'svg', wait: '60', ...query })}`,
      )
    const answer = await ask({ width: '400' })
    expect(answer.status).toBe(200)
    expect(answer.headers.get('Content-Type')).toBe('image/svg+xml; charset=utf-8')
    expect(answer.headers.get('Cross-Origin-Resource-Policy')).toBe('cross-origin')
    expect(answer.headers.get('Content-Security-Policy')).toBe(
      "default-src 'none'; style-src 'unsafe-inline'",
    )
    const text = await answer.text()
    expect(text).toMatch(/^<svg [^>]*width="400"/)
    expect(text).toContain(
      '<title>1.00 kB added, 2.00 kB removed, 4.00 kB changed: app:before → app:after</title>',
    )
    expect(text).toContain('srv/grown: 4.00 kB, 57.1%, changed')
    expect(text).toContain('new/tool: 1.00 kB, 14.3%, added')
    for (const change of [0, 1, 2]) {
      expect(text).toContain(`class="change-${change}"`)
      // In a light and in a dark page.
      expect(text.split(`.change-${change}{fill:`)).toHaveLength(3)
    }
    expect(text).not.toContain('<img')
    expect(text).not.toContain('srv/same')
    expect(await (await ask({ to: from })).text()).toContain('The same files: app:before → app:before')
    expect((await ask({ width: '99999' })).status).toBe(400)
  })
})
