/**
 * Both hosts, while hostile clients, uploads and registries do their worst at the same time: every request is answered, the images
 * of a quick registry before those of slow ones, `/healthz` all along, and in bounded memory. `npm run bench crowd` has larger
 * numbers and strict bounds.
 */
import { expect, it, onTestFinished } from 'vitest'
import { peakMegabytesOfAll } from '../bench/measure.ts'
import { watchHealth } from '../support/health.ts'
import { HOSTS, NODE_FLAGS } from '../support/service.ts'
import { newStage } from '../support/stage.ts'
import { hostileCrowd } from './hostile-crowd.ts'

/** Most of the places for uploads stall, so that the archives share the others. */
const SIZE = { bodies: 300, uploads: 12, archives: 1, windows: 3, slow: 12, quick: 12, names: 4_000 }
/** Twice what is measured, since a busy machine collects late: without its bounds each of some forms alone took more. */
const MEGABYTES = { node: 1_500, worker: 1_700 }
const LEAST_ANSWERS = 10

it.each(HOSTS)('on %s all are answered', { timeout: 600_000 }, async (host) => {
  const crowd = await hostileCrowd(SIZE)
  onTestFinished(() => crowd.close())
  const { spawn } = await newStage()
  const service = await spawn(host, { ...crowd.settings }, host === 'node' ? NODE_FLAGS : [])
  const health = watchHealth(service.url)
  const told = Object.fromEntries(await crowd.run(service.url))
  const { answers } = await health.stop()
  expect(told).toMatchObject({
    'slow: 202': SIZE.slow,
    'quick: 200': SIZE.quick,
    'slow, at the end: 202': SIZE.slow,
    'window: 200': SIZE.windows,
    '100 images with the same 100 names: 413': 1,
    '100 images with the same 10 names, described: 200': 3,
    '100 images with the same 10 names, report: 200': 1,
    '300 images of 1,024 layers: 413': 1,
    '19 images of 1,024 layers, described: 200': 3,
    '19 images of 1,024 layers, report: 200': 1,
    'a bomb: 413': 1,
    'names, report: 200': 1,
    'names: 200': 3,
    'names, gate: 200': 1,
  })
  expect(answers).toBeGreaterThanOrEqual(LEAST_ANSWERS)
  expect(service.output()).not.toContain('crashed')
  expect(await peakMegabytesOfAll(service.pid)).toBeLessThan(MEGABYTES[host])
})
