/** Signing in to a service with tokens, in Chromium: to a private image's page, to another, and out again. */
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { FixtureRegistry } from '../registry/fixture.ts'
import { faultsOf, hasChromium, launchChromium, openPage } from '../support/browser.ts'
import { makeImage, makeLayer } from '../support/images.ts'
import { HOSTS, startService, type TestService } from '../support/service.ts'

const TOKEN = 'open-sesame-0123456789'
const OWNER = { username: 'owner', password: 'Pass-word-0f-the-owner' }

describe.skipIf(!hasChromium).each(HOSTS)('on %s', (host) => {
  let browser: Browser
  let service: TestService
  let registry: FixtureRegistry
  let images: readonly string[]

  beforeAll(async () => {
    ;[browser, service, registry] = await Promise.all([
      launchChromium(),
      startService(host, { LAMINA_TOKENS: TOKEN }),
      FixtureRegistry.start({ auth: { kind: 'basic', ...OWNER } }),
    ])
    const layers = await Promise.all(
      ['old', 'new'].map((content) => makeLayer([{ name: 'srv/app', content }])),
    )
    images = layers.map((layer, at) => registry.push('private/app', `v${at + 1}`, makeImage([layer])))
  })

  afterAll(() => Promise.all([browser?.close(), service?.stop(), registry?.close()]))

  it('a link to a diff leads through the form and back, and signing out closes it', async () => {
    const { page, wrong } = await openPage(browser, service.url)
    const [from = '', to = ''] = images
    const diff = `${service.url}/?${new URLSearchParams({ from, to })}`
    await page.goto(diff)
    expect(new URL(page.url()).pathname).toBe('/login')
    await page.getByLabel('Token of this service').fill(TOKEN)
    await page.getByLabel('Registry').fill(registry.host)
    await page.getByLabel('User name').fill(OWNER.username)
    await page.getByLabel('Password or access token').fill(OWNER.password)
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('link', { name: 'srv/app' }).first().waitFor()
    expect(page.url()).toBe(diff)
    await page.goto(`${service.url}/?${new URLSearchParams({ image: to })}`)
    await page.getByRole('heading', { name: 'private/app' }).waitFor()
    await page.goto(`${service.url}/login`)
    expect(await page.getByRole('main').textContent()).toContain(
      `This browser has credentials for ${registry.host}`,
    )
    await page.getByRole('button', { name: 'Sign out' }).click()
    // What was viewed is not named to who comes after.
    await page.getByText('Sign in with a token').waitFor()
    expect(await page.evaluate(() => localStorage.getItem('lamina.looked'))).toBeNull()
    await page.goto(diff)
    expect(new URL(page.url()).pathname).toBe('/login')
    expect(wrong).toEqual([])
    await page.context().close()
  })

  it.each([
    ['dark', 1280],
    ['light', 1280],
    ['light', 390],
  ] as const)('the forms pass axe, and fit, in %s, %i wide', async (colorScheme, width) => {
    const { page } = await openPage(browser, service.url, {
      colorScheme,
      viewport: { width, height: 844 },
      bypassCSP: true,
    })
    const isFine = async () => {
      expect(
        await page.evaluate(() => document.documentElement.scrollWidth - innerWidth),
      ).toBeLessThanOrEqual(0)
      expect(await faultsOf(page)).toEqual([])
    }
    await page.goto(`${service.url}/login`)
    await isFine()
    await page.getByLabel('Token of this service').fill('wrong')
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('alert').waitFor()
    await isFine()
    await page.getByLabel('Token of this service').fill(TOKEN)
    await page.getByLabel('Registry').fill(registry.host)
    await page.getByLabel('User name').fill(OWNER.username)
    await page.getByLabel('Password or access token').fill(OWNER.password)
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.waitForURL(`${service.url}/`)
    for (const path of ['/login', '/logout']) {
      await page.goto(service.url + path)
      await page.getByRole('button', { name: 'Sign out' }).waitFor()
      await isFine()
    }
    await page.context().close()
  })
})
