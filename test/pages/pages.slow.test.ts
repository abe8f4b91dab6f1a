/** The pages in a real browser: Chromium, if it is installed. */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { FixtureRegistry } from '../registry/fixture.ts'
import { dockerSave, packArchive } from '../support/archives.ts'
import { faultsOf, hasChromium, noteShifts, openPage, startBrowsing } from '../support/browser.ts'
import { makeImage, makeIndex, makeLayer } from '../support/images.ts'
import { HOSTS, startService, type TestService } from '../support/service.ts'

const HOSTILE = '<img src=x onerror=alert(1)>'

describe.skipIf(!hasChromium).each(HOSTS)('on %s', (host) => {
  let browser: Browser
  let service: TestService
  let registry: FixtureRegistry
  let before: string
  let after: string
  let onBase: string
  /** The digests of all layers as regular-expression alternatives. */
  let layers: string

  beforeAll(async () => {
    ;[browser, service, registry] = await startBrowsing(host)
    const base = await makeLayer([
      { name: 'etc/os-release', content: 'ID=debian\n' },
      {
        name: 'var/lib/dpkg/status',
        content: 'Package: libc++6\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\n',
      },
      { name: `srv/${HOSTILE}`, content: 'x'.repeat(5_000) },
      { name: 'srv/twice', content: 'x'.repeat(5_000) },
      { name: 'usr/lib/libc++6.so', content: 'so' },
    ])
    const first = await makeLayer([{ name: 'srv/old', content: 'x'.repeat(100) }])
    const second = await makeLayer([
      { name: 'etc/os-release', content: `ID=debian\nNAME=${HOSTILE}\n` },
      { name: 'srv/new', content: 'y'.repeat(9_000) },
      { name: 'srv/.wh.twice' },
    ])
    layers = [base, first, second].map(({ descriptor }) => descriptor.digest).join('|')
    before = registry.push('app', 'v1', makeImage([base, first]))
    after = registry.push('app', 'v2', makeImage([base, second], { config: { config: { User: 'app' } } }))
    const below = [
      await makeLayer([
        { name: 'usr/lib/libc', content: 'l'.repeat(150_000) },
        { name: 'usr/lib/old', content: 'o'.repeat(120_000) },
      ]),
      await makeLayer([{ name: 'usr/lib/.wh.old' }]),
    ]
    const annotations = {
      'org.opencontainers.image.base.name': registry.push('base', 'v1', makeImage(below)),
    }
    onBase = registry.push('based', 'v1', makeImage([...below, second], { manifest: { annotations } }))
  })

  afterAll(async () => {
    await Promise.all([browser?.close(), service?.stop(), registry?.close()])
  })

  const open = (options: BrowserContextOptions = {}) => openPage(browser, service.url, options)

  /** Follows the link to a section, which opens it. */
  const unfold = (page: Page, section: string) =>
    page.getByRole('navigation', { name: 'On this page' }).getByText(section, { exact: true }).click()

  const address = (query: Record<string, string>) => `${service.url}/?${new URLSearchParams(query)}`

  it('typing two tags leads to their diff, with progress on the way', async () => {
    // Layers arrive slowly, so that progress is visible.
    registry.fault({ path: new RegExp(layers) }, { drip: { bytes: 50, milliseconds: 200 } }, 3)
    const { page, wrong } = await open()
    await page.goto(`${service.url}/`)
    await page.getByLabel('Image', { exact: true }).fill(after)
    await page.getByLabel(/^Compare with/).fill(before)
    await page.keyboard.press('Enter')
    await page.getByRole('progressbar').first().waitFor()
    expect(await page.getByRole('status').first().textContent()).toMatch(
      /Waiting in the queue|of 2 layers done/,
    )
    await page.getByRole('heading', { level: 1, name: 'app:v1 → app:v2' }).waitFor()
    expect(await page.locator('#config').textContent()).toContain('user')
    // One legend: what was added has one colour, in the configuration as in the changes.
    const groundOf = (selector: string) =>
      page
        .locator(selector)
        .first()
        .evaluate((element) => getComputedStyle(element).backgroundColor)
    expect(await groundOf('#changes .pill.added')).toBe(await groundOf('#config td .added'))
    expect(await groundOf('#changes .pill.added')).not.toBe(await groundOf('#changes .pill.removed'))
    expect(await page.locator('#changes').textContent()).toContain('srv')
    expect(wrong).toEqual([])
    await page.context().close()
  })

  it.each([360, 1440])('a page that arrives in pieces does not move at %i px', async (width) => {
    await fetch(`${service.url}/v1/report?image=${after}&wait=30`)
    const slow = createServer(async ({ url }, response) => {
      const answer = await fetch(`${service.url}${url}`)
      const body = new Uint8Array(await answer.arrayBuffer())
      const type = answer.headers.get('content-type') ?? ''
      response.writeHead(answer.status, { 'content-type': type })
      const step = type.startsWith('text/html') ? 500 : body.length
      for (let at = 0; at < body.length; at += step) {
        response.write(body.subarray(at, at + step))
        await setTimeout(10)
      }
      response.end()
    }).listen(0, '127.0.0.1')
    await once(slow, 'listening')
    const { port } = slow.address() as AddressInfo
    const { page } = await open({ viewport: { width, height: 900 } })
    await noteShifts(page)
    for (const path of [`/?image=${after}`, `/files?image=${after}`, `/map?image=${after}`]) {
      await page.goto(`http://127.0.0.1:${port}${path}`)
      expect(await page.evaluate('window.shifts'), path).toBe(0)
    }
    await page.context().close()
    slow.close()
  })

  it('the badge form updates the picture and the line to copy', async () => {
    const { page, wrong } = await open()
    await page.goto(address({ image: after }))
    await unfold(page, 'Badge and gate')
    await page.getByLabel('Shows').selectOption('layers')
    await page.getByLabel('Label').fill('my layers')
    await page.getByLabel('Style').selectOption('flat-square')
    const line = page.locator('#badge-markdown')
    await line.getByText('/badge/layers.svg').waitFor()
    await line.getByText('label=my+layers').waitFor()
    const picture = page.getByRole('img', { name: 'Layers', exact: true })
    await picture.evaluate((image: HTMLImageElement) => image.decode())
    expect(await picture.getAttribute('src')).toContain('style=flat-square')
    expect(await page.getByLabel('Compared with').isVisible()).toBe(false)

    await page.getByLabel('Shows').selectOption('delta')
    await page.getByLabel('Compared with').fill(before)
    await line.getByText(`/badge/delta.svg`).waitFor()
    await line.getByText(`baseline=${encodeURIComponent(before)}`).waitFor()
    const said = async () =>
      (await (await fetch(`${service.url}${await badge.getAttribute('src')}`)).text()).match(
        /<title>(.*?)<\/title>/,
      )?.[1]
    const badge = page.locator('[data-badge]')
    expect(await said()).toMatch(/^my layers: [+-]\d+ B/)

    await page.getByLabel('Label').fill('')
    await page.getByLabel('Shows').selectOption('check')
    await page.getByLabel('Wasted percent, at most').fill('90')
    await line.getByText('/badge/check.svg').waitFor()
    await line.getByText('maxCompressed=1MB&maxWastedPercent=90').waitFor()
    expect(await line.textContent()).not.toContain('baseline')
    expect(await said()).toBe('image check: passing')
    expect(wrong).toEqual([])
    await page.context().close()
  })

  it('an archive of docker save can be uploaded, and its report is shown', async () => {
    const layer = await makeLayer([{ name: 'opt/saved', content: 'saved' }], { compression: 'none' })
    const buffer = Buffer.from(packArchive(dockerSave(makeImage([layer]), ['saved:1'])))
    const { page, wrong } = await open()
    await page.goto(`${service.url}/`)
    await page
      .getByLabel(/Or drop the file/)
      .setInputFiles({ name: 'saved.tar', mimeType: 'application/x-tar', buffer })
    await page.getByRole('heading', { level: 1, name: /upload:/ }).waitFor()
    await page.getByRole('heading', { name: 'Where the bytes are' }).waitFor()
    expect(await page.locator('#largest').textContent()).toContain('opt/saved')
    await page.goto(`${service.url}/`)
    const nothing = { name: 'none.tar', mimeType: 'application/x-tar', buffer: Buffer.from('no archive') }
    await page.getByLabel(/Or drop the file/).setInputFiles(nothing)
    await page
      .getByRole('status')
      .getByText(/archive/)
      .waitFor()
    expect(wrong.filter((text) => !text.includes('422'))).toEqual([])
    await page.context().close()
  })

  it('a service with tokens says why its page cannot upload an archive', async () => {
    const closed = await startService(host, { LAMINA_TOKENS: 'open-sesame' })
    try {
      const { page } = await openPage(browser, closed.url)
      await page.goto(`${closed.url}/`)
      const file = { name: 'any.tar', mimeType: 'application/x-tar', buffer: Buffer.alloc(1024) }
      await page.getByLabel(/Or drop the file/).setInputFiles(file)
      await page.getByRole('status').getByText('this service needs a token').waitFor()
      await page.goto(`${closed.url}/?image=app`)
      await page.getByRole('heading', { level: 1, name: 'Sign in' }).waitFor()
      await page.context().close()
    } finally {
      await closed.stop()
    }
  })

  it('a dropped archive is uploaded with a progress display', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'lamina-drop-'))
    try {
      const layer = await makeLayer([{ name: 'opt/dropped', content: randomBytes(3_000_000) }])
      const file = join(folder, 'dropped.tar')
      await writeFile(file, packArchive(dockerSave(makeImage([layer]), ['dropped:1'])))
      const { page, wrong } = await open()
      await page.goto(`${service.url}/`)
      await page.locator('.drop').waitFor()
      const devtools = await page.context().newCDPSession(page)
      const slow = { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: 1_000_000 }
      await devtools.send('Network.emulateNetworkConditions', slow)
      const data = { items: [], files: [file], dragOperationsMask: 1 }
      for (const type of ['dragEnter', 'dragOver', 'drop'] as const) {
        await devtools.send('Input.dispatchDragEvent', { type, x: 300, y: 300, data })
        if (type === 'dragOver') await page.locator('.drop.over').waitFor()
      }
      await page
        .getByRole('status')
        .getByText(/^\d+(\.\d+)? [kM]?B of 3\.0\d MB sent$/)
        .waitFor()
      const bar = page.getByRole('progressbar', { name: 'Upload' })
      expect(await bar.getAttribute('max')).toMatch(/^30\d{5}$/)
      await page.getByRole('heading', { level: 1, name: /upload:/ }).waitFor()
      await page.locator('#largest').getByText('opt/dropped').waitFor({ state: 'attached' })
      expect(wrong).toEqual([])
      await page.context().close()
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })

  it('the documentation can run a diff', async () => {
    const { page, wrong } = await open()
    await page.goto(`${service.url}/docs`)
    const call = page.locator('#operations-Diffs-getDiff')
    await call.locator('.opblock-summary-control').click()
    await call.getByPlaceholder('from', { exact: true }).fill(before)
    await call.getByPlaceholder('to', { exact: true }).fill(after)
    await call.getByRole('button', { name: 'Execute' }).click()
    const body = call.locator('.live-responses-table .highlight-code').first()
    await body.waitFor()
    expect(await body.textContent()).toContain('"identical": false')
    expect(wrong).toEqual([])
    await page.context().close()
  })

  // What a page does in the browser is the same: its HTML and its scripts do not depend on the host.
  if (host === 'worker') return

  it('the diff of a text file opens in place, or as a page without scripts', async () => {
    const { page, wrong } = await open()
    await page.goto(address({ from: before, to: after }))
    const tree = page.locator('.tree')
    await tree.getByText('etc/', { exact: true }).click()
    await tree.getByText('os-release').click()
    await tree.locator('.patch .added').getByText(`+NAME=${HOSTILE}`).waitFor()
    expect(wrong).toEqual([])
    await page.context().close()
    const plain = await open({ javaScriptEnabled: false })
    await plain.page.goto(address({ from: before, to: after }))
    await plain.page.locator('.tree').getByText('etc/', { exact: true }).click()
    await plain.page.locator('.tree').getByText('os-release').click()
    await plain.page.getByRole('link', { name: 'Show what changed in it' }).click()
    await plain.page.getByText(`+NAME=${HOSTILE}`).waitFor()
    await plain.page.context().close()
  })

  it('the treemap of a diff zooms in place', async () => {
    const { page, wrong } = await open()
    await page.goto(address({ from: before, to: after }))
    const map = page.locator('.wide svg.treemap')
    await map
      .locator('a', { hasText: 'srv/' })
      .first()
      .click({ position: { x: 20, y: 9 } })
    const ways = page.getByRole('navigation', { name: 'Directory of the treemap' })
    await ways.getByText('srv').waitFor()
    expect(await map.textContent()).not.toContain('etc/')
    expect(await page.getByRole('list', { name: 'Colours' }).textContent()).toBe('addedremoved')
    expect(wrong).toEqual([])
    await page.context().close()
  })

  it('a report says what it stands on, and colours the treemap by it in place', async () => {
    const { page, wrong } = await open()
    await page.goto(address({ image: onBase }))
    await page.locator('.stands-on').waitFor()
    // On a busy machine the base may not be found in the time of the first page.
    const text = async () => {
      await page.reload()
      return page.locator('.stands-on').textContent()
    }
    await expect.poll(text, { timeout: 60_000 }).toMatch(/^On .*\(\d.*current\); yours: /)
    await page.locator('#savings').getByText('base image', { exact: true }).first().waitFor()
    await page.locator('.switch').getByText('Base').click()
    await page.locator('.switch [aria-current]').getByText('Base').waitFor()
    const legend = page.getByRole('list', { name: 'Colours' })
    expect(await legend.textContent()).toBe('of the base imageyours')
    expect(wrong).toEqual([])
    await page.context().close()
  })

  it('a report shows names as text, and its lines can be copied', async () => {
    const { page, wrong } = await open({ permissions: ['clipboard-read', 'clipboard-write'] })
    await page.goto(address({ image: after }))
    await page.getByRole('heading', { name: 'Size by layer' }).waitFor()
    expect(await page.locator('#largest').textContent()).toContain(HOSTILE)
    expect(await page.locator('#waste').textContent()).toContain('srv/twice')
    await unfold(page, 'Badge and gate')
    await page.getByRole('button', { name: 'Copy the gate' }).click()
    await page.getByRole('button', { name: 'Copied the gate' }).waitFor()
    const line = await page.evaluate(() => navigator.clipboard.readText())
    expect(line).toBe(await page.locator('#gate-line').textContent())
    expect(wrong).toEqual([])
    await page.context().close()
  })

  it('the first screen of a report has the verdict, the largest savings, and the treemap', async () => {
    const base = await makeLayer([
      { name: 'srv/.env', content: 'PASSWORD=x' },
      { name: 'srv/gone', content: 'g'.repeat(9_000) },
      { name: 'srv/kept', content: 'k'.repeat(8_000), mode: 0o644 },
      { name: 'var/lib/apt/lists/all', content: 'a'.repeat(7_000) },
      { name: 'tmp/left', content: 't'.repeat(6_000) },
    ])
    const top = await makeLayer([
      { name: 'srv/.wh.gone' },
      { name: 'srv/kept', content: 'k'.repeat(8_000), mode: 0o755 },
    ])
    const image = registry.push('wasteful', 'v1', makeImage([base, top]))
    const { page, wrong } = await open({ viewport: { width: 1440, height: 900 } })
    await page.goto(address({ image }))
    await page.getByRole('heading', { level: 1, name: 'wasteful:v1' }).waitFor()
    const bottomOf = (selector: string) =>
      page
        .locator(selector)
        .first()
        .evaluate((element) => element.getBoundingClientRect().bottom)
    expect(await page.locator('#savings > .savings > li').count()).toBe(4)
    expect(await bottomOf('.headline')).toBeLessThan(400)
    expect(await bottomOf('#savings > .savings')).toBeLessThan(600)
    const map = await page.locator('.wide svg.treemap').boundingBox()
    expect(map?.y).toBeLessThan(700)
    const card = page.locator('.savings > .error')
    expect((await card.boundingBox())?.width).toBeLessThan(400)
    await card.locator('summary').click()
    // The whole width, once it is open.
    expect((await card.boundingBox())?.width).toBeGreaterThan(1_000)
    await page.getByText('whoever pulls the image can read them').waitFor()
    expect(wrong).toEqual([])
    await page.context().close()
  })

  it("the treemap zooms with the mouse, and the browser's back button works", async () => {
    const { page, wrong } = await open()
    await page.goto(address({ image: after }))
    const ways = page.getByRole('navigation', { name: 'Directory of the treemap' })
    const map = page.locator('.wide svg.treemap')
    await map
      .locator('a', { hasText: 'srv/' })
      .first()
      .click({ position: { x: 20, y: 9 } })
    await ways.getByText('srv').waitFor()
    expect(await map.textContent()).toContain(HOSTILE.slice(0, 4))
    expect(await map.textContent()).not.toContain('etc/')
    await page.goBack()
    await ways.getByText('srv').waitFor({ state: 'detached' })
    await page.getByRole('link', { name: 'Type', exact: true }).click()
    await page.getByRole('list', { name: 'Colours' }).getByText('other').waitFor()
    expect(new URL(page.url()).pathname).toBe('/')
    expect(wrong).toEqual([])
    await page.context().close()
  })

  it('zoom and colour are in the address: a link and a reload show the same, and Back returns', async () => {
    const { page, wrong } = await open()
    await page.goto(address({ image: after }))
    const ways = page.getByRole('navigation', { name: 'Directory of the treemap' })
    const map = page.locator('.wide svg.treemap')
    await map.locator('a', { hasText: /^srv:/ }).click({ position: { x: 20, y: 9 } })
    await ways.getByText('srv').waitFor()
    await page.locator('.switch').getByText('Waste').click()
    await page.locator('.switch [aria-current]').getByText('Waste').waitFor()
    const { searchParams } = new URL(page.url())
    expect(Object.fromEntries(searchParams)).toEqual({ image: after, path: 'srv', color: 'waste' })
    await page.reload()
    await ways.getByText('srv').waitFor()
    expect(await page.locator('.switch [aria-current]').textContent()).toBe('Waste')
    await page.goBack()
    await page.locator('.switch [aria-current]').getByText('Layer').waitFor()
    await page.goBack()
    await ways.getByText('srv').waitFor({ state: 'detached' })
    expect(page.url()).toBe(address({ image: after }))
    expect(wrong).toEqual([])
    await page.context().close()
  })

  it('what is hidden is its own hatched area at its path, in the legend, and leads to its layer', async () => {
    const { page, wrong } = await open()
    await page.goto(address({ image: after, color: 'waste' }))
    const hidden = page.locator('.wide svg.treemap a', { hasText: /^srv\/twice:/ })
    expect(await hidden.locator('title').first().textContent()).toContain(
      'in layer 0, hidden by a later layer',
    )
    expect(await hidden.locator('rect').getAttribute('fill')).toMatch(/^url\(#hatch-/)
    await page.getByRole('list', { name: 'Colours' }).getByText('hidden by a later layer').waitFor()
    expect(await hidden.getAttribute('href')).toContain('layer=0')
    await hidden.click()
    await page.getByRole('heading', { level: 1, name: /twice/ }).waitFor()
    await page.goto(address({ image: after }))
    expect(await page.getByRole('list', { name: 'Colours' }).getByText('hidden').count()).toBe(0)
    expect(wrong).toEqual([])
    await page.context().close()
  })

  it('the name of an area is at the pointer, and a search lights up what has a name', async () => {
    const { page, wrong } = await open({ viewport: { width: 1280, height: 900 } })
    await page.goto(address({ image: after }))
    const fresh = page.locator('.wide svg.treemap a', { hasText: /^srv\/new:/ })
    await fresh.scrollIntoViewIfNeeded()
    const box = await fresh.boundingBox()
    if (box === null) throw new Error('the area is not drawn')
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2]
    await page.mouse.move(x, y)
    const tip = page.locator('[data-tip]')
    await tip.getByText('srv/new: 9.00 kB').waitFor()
    const near = await tip.boundingBox()
    expect(Math.abs((near?.x ?? 0) - x)).toBeLessThan(60)
    expect(Math.abs((near?.y ?? 0) - y)).toBeLessThan(60)
    await page.mouse.move(5, 5)
    await tip.waitFor({ state: 'hidden' })
    const search = page.getByRole('searchbox', { name: 'Light up what has this in its name' })
    await search.fill('NEW')
    await page.getByRole('status').getByText('1 lit').waitFor()
    expect(await page.locator('.wide .lit').count()).toBe(1)
    expect(await fresh.getAttribute('class')).toBe('lit')
    await search.fill('srv/n')
    await page.getByRole('status').getByText('1 lit').waitFor()
    await search.fill('')
    expect(await page.locator('.lit').count()).toBe(0)
    expect(wrong).toEqual([])
    await page.context().close()
  })

  it('the treemap zooms with the keyboard alone', async () => {
    const { page, wrong } = await open()
    await page.goto(address({ image: after }))
    const map = page.locator('.wide svg.treemap')
    await page.getByRole('searchbox', { name: 'Light up what has this in its name' }).focus()
    await page.keyboard.press('Tab')
    const focused = () =>
      page.evaluate(() => document.activeElement?.querySelector('title')?.textContent ?? '')
    for (let i = 0; i < 20 && !(await focused()).startsWith('srv:'); i++)
      await page.keyboard.press('ArrowRight')
    expect(await focused()).toContain('srv: 14.0 kB')
    await page.keyboard.press('Enter')
    await page.getByRole('navigation', { name: 'Directory of the treemap' }).getByText('srv').waitFor()
    expect(await map.locator('a').count()).toBe(2)
    expect(await focused()).toMatch(/^srv\//)
    await page.keyboard.press('Escape')
    await map.getByText('/ 14.1 kB', { exact: true }).waitFor()
    expect(wrong).toEqual([])
    await page.context().close()
  })

  it('sections fold, and the links above the treemap open them, without scripts', async () => {
    const { page, wrong } = await open({ viewport: { width: 1280, height: 900 }, javaScriptEnabled: false })
    await page.goto(address({ image: after }))
    const heightOf = () => page.evaluate(() => document.documentElement.scrollHeight)
    expect(await heightOf()).toBeLessThan(3_000)
    const [contents, map] = [
      await page.locator('nav.contents').boundingBox(),
      await page.locator('#map').boundingBox(),
    ]
    expect(contents?.y).toBeLessThan(map?.y ?? 0)
    await page.locator('#waste').waitFor({ state: 'hidden' })
    await unfold(page, 'Waste')
    await page.locator('#waste').getByText('srv/twice').waitFor()
    await unfold(page, 'How it runs')
    expect(await page.locator('#runs dd').nth(2).textContent()).toBe('app')
    await unfold(page, 'Raw data')
    for (const name of ['SBOM', 'Advice', 'File system as a tar'])
      await page.locator('#raw').getByRole('link', { name, exact: true }).waitFor()
    expect(wrong).toEqual([])
    await page.context().close()
  })

  it('the page of a tag that does not exist leads to the tags of the repository', async () => {
    const { page } = await open()
    await page.goto(address({ image: after.replace(/:v2$/, ':v22') }))
    await page.getByText('No tag v22 in').waitFor()
    await page.getByRole('link', { name: 'Tags of app' }).click()
    await page.getByRole('link', { name: 'v2', exact: true }).waitFor()
    await page.context().close()
  })

  it('a system package links to the files that have its name', async () => {
    const { page, wrong } = await open()
    await page.goto(address({ image: after }))
    await unfold(page, 'Packages')
    await page.locator('#packages').getByRole('link', { name: 'libc++6' }).click()
    await page.getByRole('link', { name: 'usr/lib/libc++6.so' }).click()
    await page.getByRole('heading', { level: 1, name: /libc\+\+6\.so/ }).waitFor()
    expect(wrong).toEqual([])
    await page.context().close()
  })

  it('without scripts the treemap links to pages of directories', async () => {
    const { page } = await open({ javaScriptEnabled: false })
    await page.goto(address({ image: after }))
    await page
      .locator('.wide svg.treemap a', { hasText: 'srv/' })
      .first()
      .click({ position: { x: 20, y: 9 } })
    await page.getByRole('heading', { level: 1, name: 'Where the bytes of app:v2 are' }).waitFor()
    expect(new URL(page.url()).searchParams.get('path')).toBe('srv')
    await page.context().close()
  })

  it('recently viewed images are listed in this browser, and can be forgotten', async () => {
    const { page, wrong } = await open()
    await page.goto(address({ image: after }))
    await page.goto(address({ from: before, to: after }))
    await page.goto(`${service.url}/`)
    const list = page.locator('#looked')
    await list.getByRole('link', { name: 'app:v1 → app:v2' }).waitFor()
    await list.getByRole('link', { name: 'app:v2', exact: true }).click()
    await page.getByRole('heading', { level: 1, name: 'app:v2' }).waitFor()
    await page.goBack()
    await list.getByRole('button', { name: 'Clear the list' }).click()
    await page.reload()
    expect(await list.isVisible()).toBe(false)
    expect(wrong).toEqual([])
    await page.context().close()
  })

  it('a reference with several platforms links from one to the other', async () => {
    const layer = await makeLayer([{ name: 'bin/tool', content: 'tool' }])
    const platform = { os: 'linux', architecture: 'arm64' }
    const arm = makeImage([layer, await makeLayer([{ name: 'arm', content: 'arm' }])], {
      platform,
    })
    const image = registry.push(
      'many-platforms',
      'v1',
      makeIndex([
        [makeImage([layer]), { platform: { os: 'linux', architecture: 'amd64' } }],
        [arm, { platform }],
      ]),
    )
    const { page, wrong } = await open()
    await page.goto(address({ image }))
    await page.locator('summary', { hasText: 'Other platforms' }).click()
    const platforms = page.locator('.platforms')
    await platforms.locator('[aria-current="page"]', { hasText: 'linux/amd64' }).waitFor()
    await platforms.getByRole('link', { name: 'linux/arm64' }).click()
    await page.locator('.facts', { hasText: 'linux/arm64' }).waitFor()
    await page.locator('#largest').getByText('arm', { exact: true }).waitFor({ state: 'attached' })
    expect(new URL(page.url()).searchParams.get('platform')).toBe('linux/arm64')
    expect(wrong).toEqual([])
    await page.context().close()
  })

  it('a printed report has its content without controls that can only be clicked', async () => {
    const { page } = await open()
    await page.goto(address({ image: after }))
    await page.locator('.savings p').first().waitFor({ state: 'attached' })
    expect(await page.locator('.savings p').first().isVisible()).toBe(false)
    await page.emulateMedia({ media: 'print' })
    await page.setViewportSize({ width: 718, height: 1000 })
    for (const shown of ['.headline', '.savings p', '.wide svg.treemap', '#largest table'])
      expect([shown, await page.locator(shown).first().isVisible()]).toEqual([shown, true])
    for (const hidden of ['nav.contents', '.top nav', 'form.ask', '.copy', '.switch', '.narrow', '#raw'])
      expect([hidden, await page.locator(hidden).first().isVisible()]).toEqual([hidden, false])
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(
      0,
    )
    expect((await page.pdf({ format: 'A4' })).subarray(0, 5).toString()).toBe('%PDF-')
    await page.context().close()
  })

  it('zooming and browsing leak nothing in the browser', async () => {
    const { page, wrong } = await open()
    const devtools = await page.context().newCDPSession(page)
    await devtools.send('Performance.enable')
    const held = async () => {
      await devtools.send('HeapProfiler.collectGarbage')
      const { metrics } = await devtools.send('Performance.getMetrics')
      const of = (wanted: string) => metrics.find(({ name }) => name === wanted)?.value ?? Number.NaN
      return { nodes: of('Nodes'), listeners: of('JSEventListeners'), heap: of('JSHeapUsedSize') }
    }
    await page.goto(address({ image: after }))
    const map = page.locator('.wide svg.treemap')
    const zoom = async () => {
      await map
        .locator('a', { hasText: 'srv/' })
        .first()
        .click({ position: { x: 20, y: 9 } })
      await map.getByText('/ 14.1 kB', { exact: true }).waitFor({ state: 'detached' })
      // Once more if the key came too early on a slow machine: at the top it does nothing.
      const isUp = async () => {
        await page.keyboard.press('Escape')
        return map.getByText('/ 14.1 kB', { exact: true }).isVisible()
      }
      await expect.poll(isUp, { interval: 250, timeout: 20_000 }).toBe(true)
    }
    const zooms = async (times: number) => {
      for (let i = 0; i < times; i++) await zoom()
    }
    await zooms(5)
    const early = await held()
    await zooms(25)
    // A collection may come before the browser has let go of the last few maps.
    const growth = async () => {
      const late = await held()
      return {
        nodes: late.nodes / early.nodes < 1.1 || late.nodes,
        listeners: late.listeners <= early.listeners + 5 || late.listeners,
        heap: late.heap / early.heap < 1.2 || late.heap,
      }
    }
    await expect
      .poll(growth, { message: JSON.stringify(early), timeout: 20_000 })
      .toEqual({ nodes: true, listeners: true, heap: true })
    expect(wrong).toEqual([])
    await page.context().close()
  })

  it('a page that cannot be shown says why, and what to do', async () => {
    const { page } = await open()
    const answer = await page.goto(address({ image: `${registry.host}/nothing:here` }))
    expect(answer?.status()).toBe(404)
    expect(await page.getByRole('alert').textContent()).toContain('image_not_found')
    expect(await page.getByLabel('Image', { exact: true }).inputValue()).toBe(`${registry.host}/nothing:here`)
    await page.context().close()
  })

  it('the largest files that no package owns open in place, or as a page without scripts', async () => {
    const { page, wrong } = await open()
    await page.goto(address({ image: before }))
    await page.getByText('The largest of these files').click()
    await page.locator('#map table').getByText(`srv/${HOSTILE}`).waitFor()
    expect(wrong).toEqual([])
    await page.context().close()
    const plain = await open({ javaScriptEnabled: false })
    await plain.page.goto(address({ image: before }))
    await plain.page.getByText('The largest of these files').click()
    await plain.page.getByRole('link', { name: 'The largest files that no package owns' }).click()
    await plain.page.getByText(`srv/${HOSTILE}`).waitFor()
    await plain.page.context().close()
  })

  describe.each([
    ['dark', 1200],
    ['light', 1200],
    ['light', 360],
  ] as const)('in %s, %i wide', (colorScheme, width) => {
    it.each([
      ['the start page', () => `${service.url}/`],
      ['a report', () => address({ image: after })],
      ['a report on its base', () => address({ image: onBase, color: 'base' })],
      ['a diff', () => address({ from: before, to: after })],
      ['a directory', () => `${service.url}/files?${new URLSearchParams({ image: after, path: 'srv' })}`],
      [
        'a file',
        () => `${service.url}/files?${new URLSearchParams({ image: after, path: 'etc/os-release' })}`,
      ],
      ['a search', () => `${service.url}/files?${new URLSearchParams({ image: after, glob: '*' })}`],
      ['tags', () => `${service.url}/tags?${new URLSearchParams({ repository: `${registry.host}/app` })}`],
      [
        'a text diff',
        () =>
          `${service.url}/diff?${new URLSearchParams({ from: before, to: after, path: 'etc/os-release' })}`,
      ],
      ['platforms', () => `${service.url}/platforms?${new URLSearchParams({ image: after })}`],
      ['the documentation', () => `${service.url}/docs#/Diffs/getDiff`],
      ['files without a package', () => `${service.url}/unowned?${new URLSearchParams({ image: after })}`],
      ['a treemap', () => `${service.url}/map?${new URLSearchParams({ image: after, color: 'waste' })}`],
    ])('%s passes axe, and fits', async (_, url) => {
      // axe is an external script, which the pages' policy would block.
      const { page } = await open({ colorScheme, viewport: { width, height: 900 }, bypassCSP: true })
      await page.goto(url())
      await page
        .locator(url().includes('/docs#') ? '.opblock.is-open .parameters' : 'h1')
        .first()
        .waitFor()
      expect(
        await page.evaluate(() => document.documentElement.scrollWidth - innerWidth),
      ).toBeLessThanOrEqual(0)
      expect(await faultsOf(page)).toEqual([])
      await page.context().close()
    })
  })
})
