/**
 * Known images: answers per second and latencies with one reader and with fifty at once, on both hosts, against a route that
 * returns a constant. The readers share the machine with the service. Fifty readers who send the next request at once keep
 * one thread busy, so each waits for the other 49 answers: the ratio of p99 to the latency of one reader shows only whether
 * some wait longer than that.
 */
import { rm } from 'node:fs/promises'
import autocannon from 'autocannon'
import { spawnCommand, temporaryData } from '../support/service.ts'
import { line, REGISTRY } from './measure.ts'

const COMMANDS = [
  ['npm', 'start'],
  ['npm', 'run', 'start:node'],
]
const SECONDS = 4
const AT_ONCE = 50

const FROM = `${REGISTRY}/app:v1`
const TO = `${REGISTRY}/app:v2`
const CONSTANT = '/healthz'
const PATHS = [
  CONSTANT,
  `/v1/report?image=${FROM}`,
  `/?image=${FROM}`,
  `/v1/files?image=${FROM}&limit=100`,
  `/v1/tree?image=${FROM}`,
  `/v1/diff?from=${FROM}&to=${TO}`,
  `/v1/check?image=${FROM}&maxCompressed=200MB`,
  `/badge/size.svg?image=${FROM}`,
]

async function load(url: string, connections: number) {
  const { requests, latency, non2xx, errors } = await autocannon({ url, duration: SECONDS, connections })
  if (non2xx + errors > 0) throw new Error(`${url}: ${non2xx} answers other than 2xx, ${errors} errors`)
  return { perSecond: requests.average, ...latency }
}

export default async function serve(): Promise<void> {
  for (const command of COMMANDS) {
    const data = await temporaryData()
    const service = await spawnCommand(command, data)
    try {
      for (const image of [FROM, TO])
        await (await fetch(`${service.url}/v1/report?wait=300&image=${image}`)).arrayBuffer()
      let constant = 0
      for (const path of PATHS) {
        const alone = await load(`${service.url}${path}`, 1)
        const { perSecond, p50, p99 } = await load(`${service.url}${path}`, AT_ONCE)
        if (path === CONSTANT) constant = perSecond
        line(`${command.join(' ')}: ${path.replaceAll(`${REGISTRY}/`, '')}`, {
          'a second': perSecond,
          'of the constant': perSecond / constant,
          'ms alone': alone.average,
          p50,
          p99,
          'p99, times alone': p99 / alone.average,
          'p99, times p50': p99 / p50,
        })
      }
    } finally {
      await service.end('SIGKILL')
      await rm(data, { recursive: true, force: true })
    }
  }
}
