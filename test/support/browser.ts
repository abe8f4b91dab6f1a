/** Chromium for tests of the pages: started so that it contacts no host by itself, and records errors in a page. */
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { FixtureRegistry } from '../registry/fixture.ts'
import { type HostName, startService, type TestService } from './service.ts'

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium'
/** Without these flags it contacts its vendor for updates and more. */
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** Whether Chromium is installed. */
export const hasChromium = existsSync(CHROMIUM)
if (!hasChromium) console.warn(`no browser at ${CHROMIUM}: the pages are not tried (CHROMIUM names another)`)

export function launchChromium(): Promise<Browser> {
  return chromium.launch({ executablePath: CHROMIUM, args: FLAGS })
}

/** A browser, a service on this host, and a registry that the service may read. */
export function startBrowsing(host: HostName): Promise<[Browser, TestService, FixtureRegistry]> {
  return Promise.all([launchChromium(), startService(host), FixtureRegistry.start()])
}

/**
 * A page in a new context, and the errors in it: console messages, and requests to hosts other than the service.
 *
 * @param service `scheme://host:port`
 */
export async function openPage(
  browser: Browser,
  service: string,
  options: BrowserContextOptions = {},
): Promise<{ readonly page: Page; readonly wrong: string[] }> {
  const context = await browser.newContext(options)
  const page = await context.newPage()
  const wrong: string[] = []
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') wrong.push(message.text())
  })
  page.on('pageerror', (error) => wrong.push(String(error)))
  page.on('request', (request) => {
    const url = request.url()
    if (!url.startsWith(`${service}/`) && !url.startsWith('data:')) wrong.push(url)
  })
  return { page, wrong }
}

/** Sums up in `window.shifts` how far content moves by itself in each page that is opened from now on. */
export async function noteShifts(page: Page): Promise<void> {
  await page.addInitScript(`
    window.shifts = 0
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifts += entry.value
    }).observe({ type: 'layout-shift', buffered: true })
  `)
}

const axe = await readFile(fileURLToPath(import.meta.resolve('axe-core/axe.min.js')), 'utf8')

/** The violations that axe finds. The page needs `bypassCSP`: axe is an external script. */
export async function faultsOf(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe)
  return page.evaluate('axe.run().then(({ violations }) => violations.map(({ id }) => id))')
}
