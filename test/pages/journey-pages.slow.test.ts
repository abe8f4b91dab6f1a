/**
 * A user's complete journey through the pages in Chromium: by mouse and by keyboard alone, on phones, tablets and desktops.
 */
import type { Browser, Locator, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { FixtureRegistry } from '../registry/fixture.ts'
import { faultsOf, hasChromium, noteShifts, openPage, startBrowsing } from '../support/browser.ts'
import { makeImage, makeLayer } from '../support/images.ts'
import { HOSTS, type TestService } from '../support/service.ts'

const HOSTILE = '<img src=x onerror=alert(1)>'
/** More than the tab stops of the longest page. */
const MAX_STOPS = 400

/** How a user operates the page. */
type Hands = {
  readonly press: (target: Locator) => Promise<void>
  readonly type: (field: Locator, text: string) => Promise<void>
  /** Presses the rectangle of a path in the treemap; for a directory its heading, since others cover the rest. */
  readonly pressArea: (page: Page, path: string) => Promise<void>
}

const MOUSE: Hands = {
  press: (target) => target.click(),
  type: (field, text) => field.fill(text),
  pressArea: async (page, path) => {
    const area = mapOf(page)
      .locator('a', { hasText: `${path}:` })
      .first()
    await area.click({ position: { x: 20, y: 8 } })
  },
}

const KEYBOARD: Hands = {
  press: async (target) => {
    await reach(target)
    await target.page().keyboard.press('Enter')
  },
  type: async (field, text) => {
    await reach(field)
    await field.page().keyboard.type(text)
  },
  pressArea: async (page, path) => {
    await reach(mapOf(page).locator('a[tabindex="0"]'))
    const told = () => page.evaluate(() => document.activeElement?.querySelector('title')?.textContent ?? '')
    for (const key of ARROWS) {
      for (let i = 0; i < 3 && !(await told()).startsWith(`${path}:`); i++) await page.keyboard.press(key)
    }
    expect(await told()).toMatch(new RegExp(`^${path}:`))
    await page.keyboard.press('Enter')
  },
}

/** In an order that reaches every area of a small treemap. */
const ARROWS = [
  'ArrowUp',
  'ArrowLeft',
  'ArrowRight',
  'ArrowDown',
  'ArrowLeft',
  'ArrowUp',
  'ArrowRight',
  'ArrowUp',
]

/** Presses Tab until it gets there. */
async function reach(target: Locator): Promise<void> {
  await target.waitFor()
  const page = target.page()
  for (let stop = 0; stop < MAX_STOPS; stop++) {
    if (await target.evaluate((element) => element === document.activeElement)) return
    await page.keyboard.press('Tab')
  }
  throw new Error(`the tab key does not reach ${target}`)
}

/** The one of the two pictures that is visible at this width. */
function mapOf(page: Page): Locator {
  return page.locator('svg.treemap').filter({ visible: true })
}

describe.skipIf(!hasChromium).each(HOSTS)('on %s', (host) => {
  let browser: Browser
  let service: TestService
  let registry: FixtureRegistry

  beforeAll(async () => {
    ;[browser, service, registry] = await startBrowsing(host)
  })

  afterAll(async () => {
    await Promise.all([browser?.close(), service?.stop(), registry?.close()])
  })

  // What keys do in a page does not depend on the host.
  const devices = host === 'worker' ? { mouse: MOUSE } : { mouse: MOUSE, keyboard: KEYBOARD }
  describe.each(Object.entries(devices))('by %s', (device, hands) => {
    it.each([360, 768, 1440])('at %i px', { timeout: 300_000 }, async (width) => {
      const repository = `app-${device}-${width}`
      const base = await makeLayer([
        { name: 'srv/large', content: `${repository} ${'x'.repeat(20_000)}` },
        { name: 'srv/notes.txt', content: `first\n${HOSTILE}\n`.repeat(300) },
        { name: 'usr/other', content: 'y'.repeat(3_000) },
      ])
      const top = await makeLayer([
        { name: 'srv/notes.txt', content: `${`first\n${HOSTILE}\n`.repeat(299)}last\n` },
      ])
      registry.push(repository, 'v1', makeImage([base]))
      const image = registry.push(repository, 'v2', makeImage([base, top]))
      // The layer ends only when its progress was seen.
      const { promise: seen, resolve: end } = Promise.withResolvers<void>()
      registry.fault(
        { path: new RegExp(base.descriptor.digest) },
        { drip: { bytes: 100, milliseconds: 1 }, holdAfter: { bytes: 100, until: seen } },
        1,
      )

      const { page, wrong } = await openPage(browser, service.url, {
        viewport: { width, height: 900 },
        permissions: ['clipboard-read', 'clipboard-write'],
        bypassCSP: true,
      })
      await noteShifts(page)
      /** What must be true of every page on the way. */
      const looksRight = async () => {
        expect(
          await page.evaluate(() => document.documentElement.scrollWidth - innerWidth),
        ).toBeLessThanOrEqual(0)
        expect(await page.evaluate('window.shifts')).toBe(0)
        expect(await faultsOf(page)).toEqual([])
      }

      await page.goto(`${service.url}/`)
      await looksRight()
      await hands.type(page.getByLabel('Image', { exact: true }), `docker pull ${image}`)
      await hands.press(page.getByRole('button', { name: 'Look inside' }))
      await page.getByRole('progressbar').first().waitFor()
      end()
      await page.getByRole('heading', { level: 1, name: `${repository}:v2` }).waitFor()
      await looksRight()
      await hands.pressArea(page, 'srv')
      const ways = page.getByRole('navigation', { name: 'Directory of the treemap' })
      await ways.getByText('srv', { exact: true }).waitFor()
      await hands.pressArea(page, 'srv/notes.txt')
      await page.getByRole('heading', { level: 1, name: /notes\.txt/ }).waitFor()
      expect(await page.locator('#L2').textContent()).toBe(HOSTILE)
      await looksRight()

      await hands.press(page.getByRole('link', { name: 'Report', exact: true }))
      await page.getByRole('heading', { level: 1, name: `${repository}:v2` }).waitFor()
      await hands.press(page.locator('summary', { hasText: 'Other tags' }))
      await hands.press(page.getByRole('link', { name: 'Compare v2 with v1' }))
      await page.getByRole('heading', { level: 1, name: `${repository}:v1 → ${repository}:v2` }).waitFor()
      await looksRight()
      await hands.press(page.locator('.tree summary', { hasText: 'notes.txt' }))
      await page.locator('.tree .patch .added').getByText('+last').waitFor()

      await hands.press(page.getByRole('link', { name: `Report of ${repository}:v2` }))
      await hands.press(page.locator('summary', { hasText: 'Badge and gate' }))
      await hands.press(page.getByRole('button', { name: 'Copy the badge' }))
      await page.getByRole('button', { name: 'Copied the badge' }).waitFor()
      const copied = await page.evaluate(() => navigator.clipboard.readText())
      expect(copied).toContain(`/badge/size.svg?image=${encodeURIComponent(image)}`)
      expect(wrong).toEqual([])
      await page.context().close()
    })
  })
})
