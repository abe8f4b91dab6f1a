/**
 * `npm run screenshots`: pictures of each page for the README and for reviewers, in `docs/pages/`. Images come from the
 * registry at `CORPUS_REGISTRY`; needs Chromium (`CHROMIUM` if it is not /usr/bin/chromium).
 */
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { chromium, type Page } from 'playwright-core'
import { REGISTRY } from '../bench/measure.ts'
import { startService } from './service.ts'

const OUT = fileURLToPath(new URL('../../docs/pages/', import.meta.url))
/** What the pictures show in place of the registry on this machine. */
const SHOWN_REGISTRY = 'registry.example'
const DESKTOP = { width: 1280, height: 900 }
const README = { width: 1280, height: 1600 }
const PHONE = { width: 390, height: 844 }
/** The quality of a WebP. */
const QUALITY = 0.5
const MAX_BYTES = 2_000_000

const image = `${REGISTRY}/app:v2`
const before = `${REGISTRY}/app:v1`
/** Real programs and archives, in two versions. */
const real = `${REGISTRY}/views/real:v1`
const realNext = `${REGISTRY}/views/real:v2`
const report = `/?${new URLSearchParams({ image: before })}`
const diff = `/?${new URLSearchParams({ from: before, to: image })}`

/** Each page: where it is, and what is done and scrolled to before the picture. */
const PAGES: readonly {
  readonly name: string
  readonly path: string
  readonly at?: string
  readonly prepare?: (page: Page) => Promise<void>
}[] = [
  { name: 'first', path: '/' },
  { name: 'report', path: report },
  { name: 'treemap', path: report, at: '#map' },
  {
    name: 'badge',
    path: report,
    at: '#adopt',
    prepare: async (page) => {
      const contents = page.getByRole('navigation', { name: 'On this page' })
      await contents.getByText('Badge and gate', { exact: true }).click()
    },
  },
  { name: 'diff', path: diff },
  {
    name: 'changes',
    path: diff,
    at: '#changes',
    prepare: async (page) => {
      await page.locator('.tree').getByText('etc/', { exact: true }).click()
      await page.locator('.tree').getByText('passwd', { exact: true }).click()
      await page.locator('.tree .patch').waitFor()
    },
  },
  { name: 'tags', path: `/tags?${new URLSearchParams({ repository: `${REGISTRY}/app`, tag: 'v1' })}` },
  { name: 'files', path: `/files?${new URLSearchParams({ image: before, path: 'usr' })}` },
  { name: 'file', path: `/files?${new URLSearchParams({ image: before, path: 'etc/passwd' })}` },
  {
    name: 'inside',
    path: `/files?${new URLSearchParams({ image: real, path: 'usr/bin/lefthook' })}`,
    at: '#inside',
  },
  {
    name: 'inside-map',
    path: `/map?${new URLSearchParams({ image: real, color: 'type' })}`,
    prepare: async (page) => {
      await page.locator('svg.treemap:visible a', { hasText: 'pip.whl: ' }).click()
      await page.locator('.ways', { hasText: 'pip.whl' }).waitFor()
      // What has the focus shows what it is, over the picture.
      await page.evaluate('document.activeElement.blur()')
    },
  },
  {
    name: 'inside-diff',
    path: `/diff?${new URLSearchParams({ from: real, to: realNext, path: 'usr/bin/lefthook' })}`,
  },
  { name: 'docs', path: '/docs' },
]

const service = await startService('node')
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
})
let total = 0
try {
  for (const one of [before, image, real, realNext]) {
    const answer = await fetch(`${service.url}/v1/report?${new URLSearchParams({ image: one, wait: '300' })}`)
    if (!answer.ok) throw new Error(`${one}: ${answer.status} ${await answer.text()}`)
  }
  await rm(OUT, { recursive: true, force: true })
  await mkdir(OUT, { recursive: true })
  for (const [size, viewport] of Object.entries({ desktop: DESKTOP, phone: PHONE })) {
    for (const colorScheme of ['light', 'dark'] as const) {
      const context = await browser.newContext({ viewport, colorScheme, reducedMotion: 'reduce' })
      const page = await context.newPage()
      for (const { name, path, at, prepare } of PAGES) {
        await page.goto(service.url + path, { waitUntil: 'networkidle' })
        await prepare?.(page)
        await page.evaluate(`(${nameRegistry})(${JSON.stringify([REGISTRY, SHOWN_REGISTRY])})`)
        if (at !== undefined) await page.locator(at).evaluate((element) => element.scrollIntoView())
        await keep(`${name}-${size}-${colorScheme}.webp`, await webpOf(page, await page.screenshot()))
        if (name !== 'report' || size !== 'desktop' || colorScheme !== 'light') continue
        // For the README: with the treemap, and as PNG, since not every repository host shows WebP.
        await page.setViewportSize(README)
        await keep('report.png', await page.screenshot())
        await page.setViewportSize(viewport)
      }
      await context.close()
    }
  }
} finally {
  await browser.close()
  await service.stop()
}
console.log(`${total} bytes in all, at most ${MAX_BYTES}`)
if (total > MAX_BYTES) process.exitCode = 1

async function keep(name: string, bytes: Uint8Array): Promise<void> {
  await writeFile(OUT + name, bytes)
  total += bytes.byteLength
  console.log(`${name}: ${bytes.byteLength} bytes`)
}

/** Uses the browser's encoder, in an empty page, since the service's pages block `data:` pictures. */
async function webpOf(page: Page, png: Buffer): Promise<Buffer> {
  const blank = await page.context().newPage()
  const url = await blank.evaluate(
    `(async () => {
      const picture = new Image()
      picture.src = 'data:image/png;base64,${png.toString('base64')}'
      await picture.decode()
      const canvas = Object.assign(document.createElement('canvas'), { width: picture.width, height: picture.height })
      canvas.getContext('2d').drawImage(picture, 0, 0)
      return canvas.toDataURL('image/webp', ${QUALITY})
    })()`,
  )
  await blank.close()
  return Buffer.from(String(url).split(',')[1] ?? '', 'base64')
}

/** Runs in the page. */
function nameRegistry([here, shown]: [string, string]): void {
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  for (let text = texts.nextNode(); text !== null; text = texts.nextNode()) {
    const value = text.nodeValue ?? ''
    if (value.includes(here)) text.nodeValue = value.replaceAll(here, shown)
  }
  for (const input of document.querySelectorAll('input')) input.value = input.value.replaceAll(here, shown)
}
