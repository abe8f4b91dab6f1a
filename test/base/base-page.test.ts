/** What a report's page and the treemap say of the base image, on both hosts. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { FixtureRegistry } from '../registry/fixture.ts'
import { makeImage, makeLayer, type TestLayer } from '../support/images.ts'
import { HOSTS, startService, type TestService } from '../support/service.ts'

const named = (name: string) => ({ 'org.opencontainers.image.base.name': name })

describe.each(HOSTS)('on %s', (host) => {
  let service: TestService
  let registry: FixtureRegistry
  let layers: readonly TestLayer[]
  let base: string
  let image: string

  beforeAll(async () => {
    ;[service, registry] = await Promise.all([startService(host), FixtureRegistry.start()])
    const below = [
      await makeLayer([
        { name: 'usr/lib/libc', content: 'a'.repeat(150_000) },
        { name: 'usr/lib/old', content: 'b'.repeat(120_000) },
      ]),
      await makeLayer([{ name: 'usr/lib/.wh.old' }]),
    ]
    layers = [
      ...below,
      await makeLayer([
        { name: 'srv/app', content: 'c'.repeat(50_000) },
        { name: 'srv/tmp', content: 'd'.repeat(130_000) },
      ]),
      await makeLayer([{ name: 'srv/.wh.tmp' }]),
    ]
    base = registry.push('base', '1', makeImage(below))
    image = push('app', named(base))
    await get('/v1/report', { image, wait: '60' })
  })

  afterAll(async () => {
    await Promise.all([service?.stop(), registry?.close()])
  })

  function push(name: string, annotations: Record<string, string>): string {
    return registry.push(name, '1', makeImage(layers, { manifest: { annotations } }))
  }

  async function get(path: string, query: Record<string, string>): Promise<string> {
    return (await fetch(`${service.url}${path}?${new URLSearchParams(query)}`)).text()
  }

  /** A report's page. On a busy machine the base may not be found in the time of the first one. */
  async function pageOf(query: Record<string, string>): Promise<string> {
    let page = ''
    const asked = async () => {
      page = await get('/', query)
      return page
    }
    await expect.poll(asked, { timeout: 30_000 }).not.toContain(' in time')
    return page
  }

  const standsOn = (page: string) =>
    /<span class="stands-on">(.*?)<\/span>/s.exec(page)?.[1]?.replaceAll(/<[^>]*>/g, '')

  it('the page begins with the base and what is on it', async () => {
    const page = await pageOf({ image })
    const text = standsOn(page)
    expect(text).toMatch(
      /^On 127\.0\.0\.1:\d+\/base:1 \([\d.]+ k?B, current\); yours: [\d.]+ k?B\. Look at it$/,
    )
    expect(page).toContain(`href="/?image=${encodeURIComponent(base)}`)
    expect(page.indexOf('class="stands-on"')).toBeLessThan(page.indexOf('class="headline"'))
  })

  it('items of advice and wasted files say whose they are', async () => {
    const page = await pageOf({ image })
    const items = [...page.matchAll(/<h3>(<strong>.*?)<\/h3>/gs)].map(([, head = '']) =>
      head.replaceAll(/<[^>]*>/g, ''),
    )
    expect(items.toSorted()).toEqual([
      expect.stringMatching(/^120 kB .* base image$/),
      expect.stringMatching(/^130 kB .* yours$/),
    ])
    const [, rows = ''] = /<section id="waste"|id="waste"(.*?)id="duplicates"/s.exec(page) ?? []
    expect(rows).toMatch(
      /srv\/tmp.*?<span class="whose own">yours<.*?usr\/lib\/old.*?<span class="whose base">base image</s,
    )
  })

  it('a page says why the base is unknown, and nothing is marked', async () => {
    const lost = push('lost', named(`${registry.host}/nothing:1`))
    await get('/v1/report', { image: lost, wait: '60' })
    const page = await pageOf({ image: lost })
    expect(standsOn(page)).toMatch(
      /^Base image unknown: 127\.0\.0\.1:\d+\/nothing:1, named by the annotation, cannot be read: /,
    )
    expect(page).not.toContain('class="whose')
  })

  it('the treemap tells base and own apart by colour, in its legend and in each title', async () => {
    const picture = await get('/v1/report', { image, format: 'svg', color: 'base', wait: '60' })
    expect(picture).toMatch(/usr\/lib\/libc: 150 kB, 75\.0%, of the base image<\/title><rect class="hue-0"/)
    expect(picture).toMatch(/srv\/app: 50\.0 kB, 25\.0%, yours<\/title><rect class="hue-1"/)
    expect(picture).toMatch(/>of the base image<\/text>.*>yours<\/text>/s)
    const query = { image, color: 'base' }
    for (const page of [await pageOf(query), await get('/map', query)]) {
      expect(page).toMatch(/srv\/app: 50\.0 kB, 25\.0%, yours<\/title><rect class="hue-1"/)
      expect(page).toMatch(/aria-current="true">Base<\/a>/)
    }
  })

  it('a treemap by base fails where the base cannot be read', async () => {
    const image = push('lost', named(`${registry.host}/nothing:1`))
    const query = new URLSearchParams({ image, format: 'svg', color: 'base', wait: '60' })
    expect((await fetch(`${service.url}/v1/report?${query}`)).status).toBe(404)
  })

  it('a registry that does not answer delays the page, but not for long', async () => {
    const slow = push('slow', named(`${registry.host}/silent:1`))
    await get('/v1/report', { image: slow, wait: '60' })
    registry.fault({ path: /\/silent\// }, { until: new Promise(() => {}) }, Number.POSITIVE_INFINITY)
    expect(standsOn(await get('/', { image: slow }))).toMatch(
      /could not read .* in time|could not be found in time/,
    )
    registry.clearFaults()
  })
})
