/**
 * Both hosts, started as users start them, while hostile clients, uploads and registries do their worst at the same time: how long
 * `/healthz` took at most, and the memory of all processes of the service.
 */
import { rm } from 'node:fs/promises'
import { pathToFileURL } from 'node:url'
import { bundleNode } from '../../workers/node/bundle.ts'
import { type CrowdSize, hostileCrowd } from '../faults/hostile-crowd.ts'
import { watchHealth } from '../support/health.ts'
import { HOSTS, NODE_FLAGS, spawnService, temporaryData } from '../support/service.ts'
import { line, peakMegabytesOfAll, residentMegabytesOfAll, seconds } from './measure.ts'

const SIZE: CrowdSize = {
  bodies: 400,
  uploads: 200,
  archives: 4,
  windows: 8,
  slow: 40,
  quick: 40,
  names: 200_000,
}
const HEALTH_MILLISECONDS = 1_000
const MEGABYTES = { node: 600, worker: 800 }

export default async function crowd(): Promise<void> {
  const bundle = await temporaryData()
  await bundleNode(bundle)
  const starts = { node: new URL('start.js', pathToFileURL(`${bundle}/`)), worker: 'worker' } as const
  for (const host of HOSTS) {
    const data = await temporaryData()
    const crowd = await hostileCrowd(SIZE)
    const service = await spawnService(starts[host], data, crowd.settings, host === 'node' ? NODE_FLAGS : [])
    const idle = await residentMegabytesOfAll(service.pid)
    const health = watchHealth(service.url)
    let told: ReadonlyMap<string, number> = new Map()
    const took = await seconds(async () => {
      told = await crowd.run(service.url)
    })
    const { longestMilliseconds, answers } = await health.stop()
    const peak = await peakMegabytesOfAll(service.pid)
    console.log(Object.fromEntries(told))
    line(`${host}`, {
      seconds: took,
      'healthz answers': answers,
      'longest ms': longestMilliseconds,
      'idle MB': idle,
      'peak MB': peak,
      'after MB': await residentMegabytesOfAll(service.pid),
      bounds: longestMilliseconds < HEALTH_MILLISECONDS && peak < MEGABYTES[host] ? 'kept' : 'EXCEEDED',
    })
    await service.end('SIGKILL')
    await crowd.close()
    await rm(data, { recursive: true, force: true })
  }
  await rm(bundle, { recursive: true, force: true })
}
