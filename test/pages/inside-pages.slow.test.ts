/** Looking into files in a browser: from the treemap into an archive, to an entry of it, and what changed inside a file. */
import { readFile } from 'node:fs/promises'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { FixtureRegistry } from '../registry/fixture.ts'
import { faultsOf, hasChromium, openPage, startBrowsing } from '../support/browser.ts'
import { buildElf } from '../support/elf.ts'
import { makeImage, makeLayer } from '../support/images.ts'
import { HOSTS, type TestService } from '../support/service.ts'
import { zipOf } from '../support/zip.ts'

const HOSTILE = '<img src=x onerror=alert(1)>'

function jar(size: number): Uint8Array {
  const inner = zipOf({ 'com/x/Inner.class': 'i'.repeat(3_000), 'META-INF/MANIFEST.MF': 'Version: 1\n' })
  return zipOf(
    {
      'com/example/Main.class': 'm'.repeat(size),
      [`com/${HOSTILE}.class`]: 'h'.repeat(900),
      'note.txt': 'a note',
    },
    { stored: { 'lib/inner.jar': inner } },
  )
}

function program(code: number): Uint8Array {
  return buildElf({
    sections: [
      { name: '.text', type: 1, flags: 6, data: new Uint8Array(code) },
      { name: '.rodata', type: 1, flags: 2, data: new Uint8Array(4_000) },
    ],
  })
}

describe.skipIf(!hasChromium).each(HOSTS)('on %s', (host) => {
  let browser: Browser
  let service: TestService
  let registry: FixtureRegistry
  let image: string
  let next: string

  beforeAll(async () => {
    ;[browser, service, registry] = await startBrowsing(host)
    const version = async (size: number) =>
      makeImage([
        await makeLayer([
          { name: 'opt/app.jar', content: jar(size) },
          { name: 'usr/bin/server', content: program(size * 4), mode: 0o755 },
          { name: 'usr/bin/script', content: `#!/bin/sh\n${'# more\n'.repeat(3_000)}`, mode: 0o755 },
          { name: 'opt/broken.jar', content: 'PK\x03\x04 and no end'.padEnd(2_000) },
        ]),
      ])
    image = registry.push('app', 'v1', await version(9_000))
    next = registry.push('app', 'v2', await version(9_500))
    for (const one of [image, next])
      await fetch(`${service.url}/v1/report?${new URLSearchParams({ image: one, wait: '60' })}`)
  })

  afterAll(() => Promise.all([browser?.close(), service?.stop(), registry?.close()]))

  const open = (options: BrowserContextOptions = {}) => openPage(browser, service.url, options)
  const address = (path: string, query: Record<string, string>) =>
    `${service.url}${path}?${new URLSearchParams(query)}`
  const here = (page: Page) => new URL(page.url()).searchParams.get('path')
  const ways = (page: Page) =>
    page.getByRole('navigation', { name: 'Directory of the treemap' }).locator('li')

  it('the treemap of an image goes on into an archive, and one inside it, and back', async () => {
    const { page, wrong } = await open()
    await page.goto(address('/', { image }))
    const map = page.locator('.wide svg.treemap')
    expect(
      await map.locator('a', { hasText: 'opt/app.jar: ' }).locator('title').first().textContent(),
    ).toMatch(/opens$/)
    await map.locator('a', { hasText: 'opt/app.jar: ' }).last().click()
    await ways(page).getByText('app.jar').waitFor()
    expect(here(page)).toBe('opt/app.jar')
    await map.locator('a', { hasText: 'opt/app.jar!/lib/inner.jar: ' }).click()
    await ways(page).getByText('inner.jar').waitFor()
    expect(await map.textContent()).toContain('com/x/Inner.class: 3.00 kB')
    // The report is still there around it.
    await page.getByRole('heading', { name: 'Size by layer' }).waitFor()
    // And the address leads here.
    await page.reload()
    await expect.poll(() => map.textContent()).toContain('com/x/Inner.class: 3.00 kB')
    await page.goBack()
    await expect.poll(() => map.textContent()).toContain('Main.class')
    await ways(page).getByText('opt', { exact: true }).click()
    await expect.poll(() => here(page)).toBe('opt')
    expect(wrong).toEqual([])
    await page.context().close()
  })

  // What a page does in the browser is the same: its HTML and its scripts do not depend on the host.
  if (host === 'worker') return

  it('keys lead into a program and back', async () => {
    const { page, wrong } = await open()
    await page.goto(address('/map', { image, path: 'usr/bin' }))
    const map = page.locator('.wide svg.treemap')
    await map.locator('a', { hasText: 'usr/bin/server: ' }).focus()
    await page.keyboard.press('Enter')
    await expect.poll(() => here(page)).toBe('usr/bin/server')
    // The focus is on the largest area.
    await page.keyboard.press('Enter')
    await expect.poll(() => here(page)).toBe('usr/bin/server!/code')
    // Nothing here is a link, so the focus is on the way.
    await page.keyboard.press('Escape')
    await expect.poll(() => here(page)).toBe('usr/bin/server!')
    await map.locator('a', { hasText: 'code: ' }).waitFor()
    expect(wrong).toEqual([])
    await page.context().close()
  })

  it('a file that only looks like a program shows its page', async () => {
    const { page } = await open()
    await page.goto(address('/map', { image, path: 'usr/bin' }))
    await page.locator('.wide svg.treemap a', { hasText: 'usr/bin/script: ' }).click()
    await page.getByRole('heading', { name: 'Content' }).waitFor()
    expect(await page.locator('#content').textContent()).toContain('#!/bin/sh')
    expect(await page.locator('#inside').count()).toBe(0)
    await page.context().close()
  })

  it.each([
    ['with scripts', true],
    ['without scripts', false],
  ])('a file’s page leads into it, down to an entry to download, %s', async (_, javaScriptEnabled) => {
    const { page, wrong } = await open({ javaScriptEnabled })
    await page.goto(address('/files', { image, path: 'opt/app.jar' }))
    const table = page.locator('#inside table')
    expect(await table.textContent()).toContain('note.txt')
    await table.getByRole('link', { name: 'com/' }).click()
    await page.waitForURL(/app.jar%21%2Fcom$/)
    expect(await table.textContent()).toContain(HOSTILE)
    await page.goBack()
    await page.locator('#inside .wide svg.treemap a', { hasText: 'lib/inner.jar: ' }).click()
    await page.waitForURL(/app.jar%21%2Flib%2Finner.jar$/)
    await table.getByRole('link', { name: 'META-INF/' }).click()
    await table.getByRole('link', { name: 'MANIFEST.MF' }).click()
    expect(await page.locator('#content').textContent()).toContain('Version: 1')
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: 'Download the file' }).click(),
    ])
    expect(await readFile(await download.path(), 'utf8')).toBe('Version: 1\n')
    expect(wrong).toEqual([])
    await page.context().close()
  })

  it('a program’s page has its sections; a damaged archive’s says what is wrong', async () => {
    const { page } = await open()
    await page.goto(address('/files', { image, path: 'usr/bin/server' }))
    expect(await page.locator('#inside table').textContent()).toContain('.rodata')
    expect(await page.locator('#inside .about').textContent()).toContain('ELF program, amd64, 64 bits')
    await page.goto(address('/files', { image, path: 'opt/broken.jar' }))
    expect(await page.locator('#inside').textContent()).toContain('has no end record')
    await page.getByRole('link', { name: 'Download the file' }).waitFor()
    await page.context().close()
  })

  it('the diff opens a changed file into what changed inside, in place or as a page', async () => {
    const { page, wrong } = await open()
    await page.goto(address('/', { from: image, to: next }))
    const tree = page.locator('.tree')
    await tree.getByText('opt/', { exact: true }).click()
    await tree.getByText('app.jar').click()
    const rows = tree.locator('table', { hasText: 'com/example/Main.class' })
    await rows.waitFor()
    expect(await rows.textContent()).toContain('+500 B')
    expect(wrong).toEqual([])
    await page.context().close()
    const plain = await open({ javaScriptEnabled: false })
    await plain.page.goto(address('/diff', { from: image, to: next, path: 'usr/bin/server' }))
    expect(await plain.page.locator('table').textContent()).toContain('.text')
    await plain.page.goto(address('/diff', { from: image, to: next, path: 'opt/app.jar' }))
    await plain.page.getByRole('link', { name: 'com/example/Main.class' }).click()
    await plain.page.waitForURL(/app.jar%21%2Fcom%2Fexample%2FMain.class$/)
    await plain.page.context().close()
  })

  it.each([
    ['desktop', { width: 1280, height: 900 }],
    ['phone', { width: 390, height: 844 }],
  ])('nothing is wide or inaccessible on a %s, light or dark', async (_, viewport) => {
    for (const colorScheme of ['light', 'dark'] as const) {
      const { page, wrong } = await open({ viewport, colorScheme, bypassCSP: true })
      for (const url of [
        address('/files', { image, path: 'opt/app.jar' }),
        address('/files', { image, path: 'usr/bin/server' }),
        address('/files', { image, path: 'opt/app.jar!/note.txt' }),
        address('/map', { image, path: 'opt/app.jar' }),
        address('/diff', { from: image, to: next, path: 'opt/app.jar' }),
      ]) {
        await page.goto(url)
        const width = await page.evaluate('document.documentElement.scrollWidth')
        expect([url, width]).toEqual([url, viewport.width])
        expect([url, await faultsOf(page)]).toEqual([url, []])
      }
      expect(wrong).toEqual([])
      await page.context().close()
    }
  })
})
