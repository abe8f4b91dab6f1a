/**
 * Names that are markup, shell code, escape sequences or not even text: every page shows them as text, with links to what
 * they name.
 */
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { FixtureRegistry } from '../registry/fixture.ts'
import { hasChromium, openPage, startBrowsing } from '../support/browser.ts'
import { makeImage, makeLayer } from '../support/images.ts'
import { HOSTS, type TestService } from '../support/service.ts'
import { MAGIC, member, records } from '../support/tar.ts'

/** The bytes as latin-1, and what a page shows for each. */
const NAMES: readonly (readonly [bytes: string, shown: string])[] = [
  ['latin1-\xe9\xe8.txt', 'latin1-\ufffd\ufffd.txt'],
  ['overlong-\xc0\xaf', 'overlong-\ufffd\ufffd'],
  ['surrogate-\xed\xa0\x80', 'surrogate-\ufffd\ufffd\ufffd'],
  ['emoji-\xf0\x9f\x90\xb3', 'emoji-\u{1f433}'],
  ['rtl-\xe2\x80\xaegpj.exe', 'rtl-\\u202egpj.exe'],
  ['new\nline', 'new\\nline'],
  ['tab\tname', 'tab\\tname'],
  ['quote"\'`$(x)', 'quote"\'`$(x)'],
  ['back\\slash', 'back\\slash'],
  ['esc-\x1b[31mred', 'esc-\\x1b[31mred'],
  [' leading', ' leading'],
  ['trailing ', 'trailing '],
  ['--help', '--help'],
  ['...', '...'],
  ['%2e%2e', '%2e%2e'],
  ['a&b=c?d#e', 'a&b=c?d#e'],
  ['a&lt;b', 'a&lt;b'],
  ['<img src=x onerror=alert(1)>', '<img src=x onerror=alert(1)>'],
  ['"><svg onload=alert(1)>', '"><svg onload=alert(1)>'],
  ['<script>alert(1)<!--', '<script>alert(1)<!--'],
  ['__proto__', '__proto__'],
  ['constructor', 'constructor'],
  ['hasOwnProperty', 'hasOwnProperty'],
  ['x'.repeat(255), 'x'.repeat(255)],
]

/** Members below a directory whose own name is not text either. */
const DIRECTORY = 'n\xff<b>'
const SHOWN_DIRECTORY = 'n\ufffd<b>'

function tarOf(content: (at: number) => string): Uint8Array {
  return Buffer.concat([
    ...NAMES.flatMap(([name], at) => [
      member({ name: 'pax', type: 'x', magic: MAGIC.ustar }, records([['path', `${DIRECTORY}/${name}`]])),
      member({ name: 'replaced' }, content(at)),
    ]),
    Buffer.alloc(1024),
  ])
}

describe.skipIf(!hasChromium).each(HOSTS)('on %s', (host) => {
  let browser: Browser
  let service: TestService
  let registry: FixtureRegistry
  let before: string
  let after: string

  beforeAll(async () => {
    ;[browser, service, registry] = await startBrowsing(host)
    const base = await makeLayer(tarOf((at) => `${at}\n`.repeat(500)))
    const top = await makeLayer(tarOf((at) => `${at}\nchanged\n`.repeat(500)))
    before = registry.push('names', 'v1', makeImage([base]))
    after = registry.push('names', 'v2', makeImage([base, top]))
    for (const image of [before, after])
      await fetch(`${service.url}/v1/report?${new URLSearchParams({ image, wait: '60' })}`)
  })

  afterAll(async () => {
    await Promise.all([browser?.close(), service?.stop(), registry?.close()])
  })

  const directory = { pathBase64: Buffer.from(DIRECTORY, 'latin1').toString('base64') }

  it('no page treats a name as markup', async () => {
    const { page, wrong } = await openPage(browser, service.url)
    const pages: readonly (readonly [path: string, query: Record<string, string>, shows: string])[] = [
      ['/', { image: after }, '#largest'],
      ['/', { from: before, to: after }, '#changes'],
      ['/files', { image: after, ...directory, sort: 'name' }, 'table'],
      ['/files', { image: after, glob: '*' }, 'table'],
      ['/map', { image: after, ...directory }, '.map'],
      ['/map', { from: before, to: after, ...directory }, '.map'],
    ]
    for (const [path, query, shows] of pages) {
      await page.goto(`${service.url}${path}?${new URLSearchParams(query)}`)
      await page.locator('h1').waitFor()
      const found = await page.locator(shows).first().textContent()
      const told = NAMES.filter(([, shown]) => found?.includes(shown)).length
      // The twenty largest in a report, and what fits in a treemap.
      expect([path, query, told]).toEqual([path, query, told >= 18 ? told : 'few names'])
      expect(
        await page.locator('main :is(script, b, img:not([data-badge]), [onerror], [onload])').count(),
      ).toBe(0)
      expect(await page.title()).toMatch(/ · Lamina$/)
    }
    expect(wrong).toEqual([])
    await page.context().close()
  })

  it('each name links to its file, and that to its diff', { timeout: 300_000 }, async () => {
    const { page, wrong } = await openPage(browser, service.url)
    const list = `${service.url}/files?${new URLSearchParams({ image: after, ...directory })}`
    await page.goto(list)
    const links = await page
      .locator('tbody th a')
      .evaluateAll((all) => all.map((link) => link.getAttribute('href') ?? ''))
    expect(links).toHaveLength(NAMES.length)
    const seen: string[] = []
    for (const link of links) {
      await page.goto(service.url + link)
      const ways = page.locator('h1.ways a')
      expect(await ways.nth(1).textContent()).toBe(SHOWN_DIRECTORY)
      seen.push((await ways.nth(2).textContent()) ?? '')
      await page.locator('#L2').getByText('changed').waitFor()
    }
    expect(seen.toSorted()).toEqual(NAMES.map(([, shown]) => shown).toSorted())
    await page.locator('h1.ways a').nth(1).click()
    await page.getByRole('heading', { level: 1, name: SHOWN_DIRECTORY }).waitFor()

    await page.goto(`${service.url}/?${new URLSearchParams({ from: before, to: after })}`)
    const diffs = page.locator('.tree details[data-load]')
    expect(await diffs.count()).toBe(NAMES.length)
    const addresses = await diffs.evaluateAll((all) => all.map((one) => one.getAttribute('data-load') ?? ''))
    for (const address of addresses) {
      await page.goto(service.url + address)
      await page.locator('.patch .added').first().getByText('+changed').waitFor()
    }
    expect(wrong).toEqual([])
    await page.context().close()
  })
})
