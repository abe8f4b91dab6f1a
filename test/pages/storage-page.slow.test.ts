/** The page of what a repository stores, and the table of what tools say of a size, in Chromium. */

import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { FixtureRegistry } from '../registry/fixture.ts'
import { faultsOf, hasChromium, openPage, startBrowsing } from '../support/browser.ts'
import { makeImage, makeLayer, type TestImage, type TestLayer } from '../support/images.ts'
import type { TestService } from '../support/service.ts'

const DESKTOP = { width: 1280, height: 900 }
const PHONE = { width: 390, height: 844 }

describe.skipIf(!hasChromium)('in a browser', () => {
  let browser: Browser
  let service: TestService
  let registry: FixtureRegistry
  let own: readonly TestLayer[]
  let images: readonly TestImage[]

  beforeAll(async () => {
    ;[browser, service, registry] = await startBrowsing('node')
    const base = await makeLayer([{ name: 'base', content: 'base '.repeat(999) }])
    own = await Promise.all(
      [1, 2, 3].map((n) =>
        makeLayer([{ name: `own${n}`, content: `${n}`.repeat(n * 99_999) }], { compression: 'none' }),
      ),
    )
    images = own.map((layer) => makeImage([base, layer]))
    for (const [n, image] of images.entries()) registry.push('app', `v${n + 1}`, image)
    registry.push('app', 'latest', images[2] ?? makeImage([base]))
  })

  afterAll(() => Promise.all([browser?.close(), service?.stop(), registry?.close()]))

  const storage = () =>
    `${service.url}/storage?${new URLSearchParams({ repository: `${registry.host}/app` })}`

  it('ticking tags says what their deletion frees, with lines to copy', async () => {
    const { page, wrong } = await openPage(browser, service.url, {
      viewport: DESKTOP,
      permissions: ['clipboard-read', 'clipboard-write'],
    })
    await page.goto(storage())
    const freed = page.locator('[data-freed]')
    expect(await freed.textContent()).toBe('Tick tags to see what deleting them frees.')
    await page.getByLabel('Delete v1').check()
    expect(await freed.textContent()).toMatch(/^Deleting 1 tag frees 10\d kB /)
    await page.getByText('Lines for crane', { exact: true }).click()
    await page.getByRole('button', { name: 'the lines for crane' }).click()
    const digest = images[0]?.descriptor.digest
    const line = `crane delete ${registry.host}/app@${digest}  # v1`
    await expect.poll(() => page.evaluate('navigator.clipboard.readText()')).toBe(line)
    // Another tag is the same image: deleting this one alone would delete both.
    await page.getByLabel('Delete v3').check()
    expect(await page.locator('pre[data-tool=crane]').textContent()).toContain('# v3: not alone, latest')
    await page.getByLabel('Delete latest').check()
    expect(await freed.textContent()).toMatch(/^Deleting 3 tags frees 40\d kB /)
    await page.getByLabel('Delete v1').uncheck()
    expect(await page.locator('pre[data-tool=skopeo]').textContent()).toBe(
      `skopeo delete docker://${registry.host}/app@${images[2]?.descriptor.digest}  # latest, v3`,
    )
    expect(wrong).toEqual([])
    await page.context().close()
  })

  it.each([
    ['desktop', DESKTOP],
    ['phone', PHONE],
  ])('nothing is wide or inaccessible on a %s, light or dark', async (_, viewport) => {
    for (const colorScheme of ['light', 'dark'] as const) {
      const { page, wrong } = await openPage(browser, service.url, { viewport, colorScheme, bypassCSP: true })
      await page.goto(storage())
      await page.getByLabel('Delete v1').check()
      // Beside its name, not above it.
      const [box, name] = await Promise.all(
        [page.getByLabel('Delete v1'), page.getByRole('link', { name: 'v1' })].map((part) =>
          part.boundingBox(),
        ),
      )
      expect((box?.x ?? 0) + (box?.width ?? 0)).toBeLessThanOrEqual(name?.x ?? 0)
      expect(Math.abs((box?.y ?? 0) - (name?.y ?? 0))).toBeLessThan(12)
      expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBe(0)
      expect(await faultsOf(page)).toEqual([])
      await page.goto(`${service.url}/?${new URLSearchParams({ image: `${registry.host}/app:v1` })}`)
      await page.getByText('Why does docker say something else?').click()
      const sizes = page.getByRole('table', { name: 'Each tool counts something else' })
      await sizes.waitFor()
      const table = await sizes.boundingBox()
      expect((table?.x ?? 0) + (table?.width ?? 0)).toBeLessThanOrEqual(viewport.width)
      await page.getByText('signatures, attestations, SBOMs').click()
      await page.getByText('Nothing is attached.').waitFor()
      expect(await faultsOf(page)).toEqual([])
      expect(wrong).toEqual([])
      await page.context().close()
    }
  })
})
