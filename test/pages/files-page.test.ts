/** The file browser's pages, on both hosts. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { FixtureRegistry } from '../registry/fixture.ts'
import { makeImage, makeLayer } from '../support/images.ts'
import { HOSTS, startService, type TestService } from '../support/service.ts'

const HOSTILE = '<img src=x onerror=alert(1)>'

describe.each(HOSTS)('on %s', (host) => {
  let service: TestService
  let registry: FixtureRegistry
  let image: string

  beforeAll(async () => {
    ;[service, registry] = await Promise.all([startService(host), FixtureRegistry.start()])
    const base = await makeLayer([
      { name: 'etc/motd', content: `one\n\t${HOSTILE}\n` },
      { name: 'etc/old', content: 'gone' },
      { name: 'bin/tool', content: new Uint8Array([0x7f, 0x45, 0, 0xff]) },
      { name: `srv/${HOSTILE}`, content: 'y' },
    ])
    const top = await makeLayer([{ name: 'etc/motd', content: 'two\n' }, { name: 'etc/.wh.old' }])
    image = registry.push('app', 'v1', makeImage([base, top]))
    await fetch(`${service.url}/v1/report?${new URLSearchParams({ image, wait: '60' })}`)
  })

  afterAll(async () => {
    await Promise.all([service?.stop(), registry?.close()])
  })

  const get = async (query: Record<string, string>) => {
    const answer = await fetch(`${service.url}/files?${new URLSearchParams({ image, ...query })}`)
    return { status: answer.status, text: await answer.text() }
  }

  it('a directory links to its entries, and names stay text', async () => {
    const { status, text } = await get({ path: 'srv' })
    expect(status).toBe(200)
    expect(text).toContain('&lt;img src=x onerror=alert(1)&gt;')
    expect(text).not.toContain('<img')
    expect((await get({})).text).toContain('path=etc')
  })

  it('a directory of many entries is shown page by page, by size and by name', async () => {
    const names = Array.from({ length: 1_100 }, (_, at) => `f${String(at).padStart(4, '0')}`)
    const members = names.map((name, at) => ({ name: `many/${name}`, content: 'x'.repeat((7 * at) % 50) }))
    const many = registry.push('many', 'v1', makeImage([await makeLayer(members)]))
    await fetch(`${service.url}/v1/report?${new URLSearchParams({ image: many, wait: '60' })}`)
    const bySize = members.toSorted((a, b) => b.content.length - a.content.length).map(({ name }) => name)
    for (const [sort, expected] of [
      ['bytes', bySize],
      ['name', members.map(({ name }) => name)],
    ] as const) {
      const found: string[] = []
      let address = `/files?${new URLSearchParams({ image: many, path: 'many', sort })}`
      const pages: number[] = []
      while (address !== '') {
        const text = await (await fetch(service.url + address)).text()
        const shown = [...text.matchAll(/<th scope="row"[^>]*>.*?<bdi>([^<]+)</g)].map(
          ([, name]) => `many/${name}`,
        )
        pages.push(shown.length)
        found.push(...shown)
        expect(text.includes('>First page</a>')).toBe(pages.length > 1)
        address = /href="([^"]+)" rel="next"/.exec(text)?.[1]?.replaceAll('&amp;', '&') ?? ''
      }
      expect(pages).toEqual([500, 500, 100])
      expect(found).toEqual(expected)
    }
    const { status } = await get({ path: 'srv', at: '12' })
    expect(status).toBe(400)
  })

  it('a file shows its lines, its layers, and what was there before', async () => {
    const shown = await get({ path: 'etc/motd' })
    expect(shown.text).toContain('<li id="L1"><code>two</code></li>')
    expect(shown.text).not.toContain('id="L2"')
    expect(shown.text).toMatch(/layer=0[^>]*>0<\/a>/)
    const before = await get({ path: 'etc/motd', layer: '0' })
    expect(before.text).toContain('<li id="L2"><code>\t&lt;img src=x onerror=alert(1)&gt;</code></li>')
  })

  it('the page of a removed file says so, and a binary file is shown as hex', async () => {
    const removed = await get({ path: 'etc/old' })
    expect(removed.status).toBe(200)
    expect(removed.text).toContain('a layer removed it')
    expect(removed.text).toContain('removes it')
    expect((await get({ path: 'bin/tool' })).text).toContain('00000000  7f 45 00 ff')
  })

  it('a name is searched everywhere, or in one layer', async () => {
    // A part of the name, in any case.
    expect((await get({ glob: 'OT' })).text).toContain('>etc/motd<')
    expect((await get({ glob: 'C/MO' })).text).toContain('>etc/motd<')
    expect((await get({ glob: 'etc' })).text).not.toContain('>etc/motd<')
    const found = await get({ glob: 'mot?' })
    expect(found.text).toContain('>etc/motd<')
    expect(found.text).not.toContain('>etc/old<')
    expect((await get({ glob: 'old', layer: '0' })).text).toContain('>etc/old<')
    expect((await get({ glob: '[' })).status).toBe(400)
  })

  it('a path that no layer has is not found', async () => {
    expect((await get({ path: 'nowhere' })).status).toBe(404)
    expect((await get({ layer: '9' })).status).toBe(400)
  })
})
