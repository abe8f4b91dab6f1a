/**
 * What a reader waits for: the first paint of a known report and of the file browser for an image of a million files, and
 * zooming in a treemap; compared with the first paint of the start page, which reads nothing.
 */
import type { Browser } from 'playwright-core'
import { manyFiles } from '../layers/many-files.ts'
import { FixtureRegistry } from '../registry/fixture.ts'
import { launchChromium, openPage } from '../support/browser.ts'
import { makeImage, makeLayer } from '../support/images.ts'
import { startService } from '../support/service.ts'
import { best, line, REGISTRY } from './measure.ts'

const FILES = 1_000_000
const RUNS = 5

/** Milliseconds until the first paint, the best of several runs in new contexts, which share no caches. */
async function firstPaint(browser: Browser, service: string, path: string): Promise<number> {
  const times: number[] = []
  for (let run = 0; run < RUNS; run++) {
    const { page } = await openPage(browser, service)
    await page.goto(service + path)
    times.push(
      Number(
        await page.evaluate(`new Promise((resolve) => new PerformanceObserver((list) => {
        const painted = list.getEntries().find(({ name }) => name === 'first-contentful-paint')
        if (painted) resolve(painted.startTime)
      }).observe({ type: 'paint', buffered: true }))`),
      ),
    )
    await page.context().close()
  }
  return best(times)
}

/** Milliseconds from the click on a directory until its treemap appears. */
async function zoom(browser: Browser, service: string, path: string): Promise<number> {
  const times: number[] = []
  for (let run = 0; run < RUNS; run++) {
    const { page } = await openPage(browser, service)
    await page.goto(service + path)
    times.push(
      Number(
        await page.evaluate(`new Promise((resolve) => {
        const figure = document.querySelector('[data-map]')
        const began = performance.now()
        new MutationObserver(() => {
          if (document.querySelector('[data-map]') !== figure) resolve(performance.now() - began)
        }).observe(figure.parentElement, { childList: true })
        figure.querySelector('a[data-zoom]').dispatchEvent(new MouseEvent('click', { bubbles: true, cancelable: true }))
      })`),
      ),
    )
    await page.context().close()
  }
  return best(times)
}

export default async function pages(): Promise<void> {
  const [browser, service, registry] = await Promise.all([
    launchChromium(),
    startService('node'),
    FixtureRegistry.start(),
  ])
  try {
    const known = `/?${new URLSearchParams({ image: `${REGISTRY}/app:v1` })}`
    await analysed(service.url, `${REGISTRY}/app:v1`)
    const nothing = await firstPaint(browser, service.url, '/')
    line('first page', { 'first paint, ms': nothing })
    const report = await firstPaint(browser, service.url, known)
    line('report of app:v1, warm', { 'first paint, ms': report, ratio: report / nothing })
    line('zoom in the treemap of app:v1', { ms: await zoom(browser, service.url, known) })
    const large = registry.push('many', 'v1', makeImage([await makeLayer(manyFiles(FILES))]))
    await analysed(service.url, large)
    for (const path of ['', 'data', 'data/500']) {
      const address = `/files?${new URLSearchParams({ image: large, path })}`
      const painted = await firstPaint(browser, service.url, address)
      line(`/${path} of ${FILES} files`, { 'first paint, ms': painted, ratio: painted / nothing })
    }
    const map = `/map?${new URLSearchParams({ image: large })}`
    line(`zoom in the treemap of ${FILES} files`, { ms: await zoom(browser, service.url, map) })
  } finally {
    await Promise.all([browser.close(), service.stop(), registry.close()])
  }
}

async function analysed(service: string, image: string): Promise<void> {
  for (;;) {
    const answer = await fetch(`${service}/v1/report?${new URLSearchParams({ image, wait: '300' })}`)
    await answer.arrayBuffer()
    if (answer.status === 200) return
    if (answer.status !== 202) throw new Error(`${image}: ${answer.status}`)
  }
}
