/** Answers a second of what is known already, against a route that returns a constant. */
import autocannon from 'autocannon'
import { HOSTS, startService } from '../service.ts'
import { line, REGISTRY } from './measure.ts'

const SECONDS = 4
const CONNECTIONS = 8

async function rate(url: string): Promise<number> {
  const { requests, non2xx, errors } = await autocannon({ url, duration: SECONDS, connections: CONNECTIONS })
  if (non2xx + errors > 0) throw new Error(`${url}: ${non2xx} answers other than 2xx, ${errors} errors`)
  return requests.average
}

export default async function warm(): Promise<void> {
  for (const host of HOSTS) {
    const service = await startService(host)
    const report = `${service.url}/v1/report?image=${REGISTRY}/app:v1`
    const badge = `${service.url}/badge/size.svg?image=${REGISTRY}/app:v1`
    await (await fetch(`${report}&wait=300`)).arrayBuffer()
    const constant = await rate(`${service.url}/healthz`)
    line(`/healthz, ${host}`, { 'requests/s': constant })
    for (const [what, url] of Object.entries({ report, badge })) {
      const answered = await rate(url)
      line(`${what} of app:v1, warm, ${host}`, { 'requests/s': answered, ratio: answered / constant })
    }
    await service.stop()
  }
}
