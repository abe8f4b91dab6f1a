/** The Worker host closes every stored object that it opens: workerd keeps a file open for each body that nobody reads. */
import { createHash } from 'node:crypto'
import { readdir, readFile, readlink, rm } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { inParallel } from '../src/concurrency.ts'
import { ask } from './ask.ts'
import { makeImage, makeLayer } from './images.ts'
import { FixtureRegistry } from './registry/fixture.ts'
import { type SpawnedService, spawnService, temporaryData } from './service.ts'

/** With their long names enough for several row groups, of which a page reads only the first. */
const FILES = 3_000
/** Requests for each list: one that leaves a file open is one too many. */
const PAGES = 60
const AT_ONCE = 8
const COLLECTED_MILLISECONDS = 5_000

let data: string
let service: SpawnedService
let registry: FixtureRegistry
let image: string

beforeAll(async () => {
  data = await temporaryData()
  ;[service, registry] = await Promise.all([spawnService('worker', data), FixtureRegistry.start()])
  const members = Array.from({ length: FILES }, (_, i) => ({
    name: `files/${createHash('sha512').update(`${i}`).digest('hex')}`,
    content: `${i % 1000}`,
  }))
  const over = members.slice(0, 2_000).map((member) => ({ ...member, content: 'other' }))
  image = registry.push('many', 'v1', makeImage([await makeLayer(members), await makeLayer(over)]))
  const { status } = await ask(service.url, '/v1/report', { query: { image, wait: 60 } })
  expect(status).toBe(200)
})

afterAll(async () => {
  await Promise.all([service?.end('SIGKILL'), registry?.close()])
  await rm(data, { recursive: true, force: true })
})

/** Files of the store that any process of the service has open. */
async function openFiles(): Promise<number> {
  const processes = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  let count = 0
  for (const process of processes) {
    const stat = await readFile(`/proc/${process}/stat`, 'utf8').catch(() => '')
    // The group's leader is the service's main process.
    if (Number(stat.split(') ')[1]?.split(' ')[2]) !== service.pid) continue
    for (const file of await readdir(`/proc/${process}/fd`).catch(() => [])) {
      const target = await readlink(`/proc/${process}/fd/${file}`).catch(() => '')
      if (target.startsWith(data) && target.includes('/blobs/')) count++
    }
  }
  return count
}

it.each([
  ['/v1/files', {}],
  ['/v1/waste', {}],
  ['/v1/duplicates', {}],
  ['/v1/tree', { path: 'files' }],
])('pages of %s leave nothing open', async (path, query) => {
  // A repeated request would be answered from memory.
  const limits = Array.from({ length: PAGES }, (_, place) => place + 1)
  await inParallel(limits, AT_ONCE, async (limit) => {
    const answer = await ask(service.url, path, { query: { image, limit, ...query } })
    expect(answer.status).toBe(200)
  })
  // In the end a body that nobody reads is collected as garbage, which is too late for a service that is asked a lot.
  await expect.poll(openFiles, { timeout: COLLECTED_MILLISECONDS }).toBe(0)
})

it.each([
  ['before the answer', 0],
  ['in the middle of a stream', 1],
])('readers that leave %s leave nothing open', async (_, chunks) => {
  const url = `${service.url}/v1/files?${new URLSearchParams({ image, format: 'ndjson' })}`
  await inParallel(
    Array.from({ length: PAGES }, (_, i) => i),
    AT_ONCE,
    async (place) => {
      const leaving = new AbortController()
      const answer = fetch(url, { signal: leaving.signal })
      // Left at a different moment each time.
      if (chunks === 0) await sleep(place % 20)
      else await (await answer).body?.getReader().read()
      leaving.abort()
      await answer.catch(() => undefined)
    },
  )
  await expect.poll(openFiles).toBe(0)
})
