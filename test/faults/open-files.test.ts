/**
 * The Worker host leaves no file of its store open: workerd keeps one open for each large body that nobody reads, until the
 * request ends. That it ends, and that workerd then closes them, is tested here; that bodies are cancelled before, beside the
 * table.
 */
import { createHash } from 'node:crypto'
import { readdir, readlink } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { inParallel } from '../../src/concurrency.ts'
import { FixtureRegistry } from '../registry/fixture.ts'
import { ask } from '../support/ask.ts'
import { makeImage, makeLayer } from '../support/images.ts'
import { startService, type TestService } from '../support/service.ts'

/** With their long names enough for several row groups, of which a page reads only the first. */
const FILES = 3_000
/** Requests for each list: one that leaves a file open is one too many. */
const PAGES = 60
const AT_ONCE = 8
const COLLECTED_MILLISECONDS = 5_000

let service: TestService
let registry: FixtureRegistry
let image: string

beforeAll(async () => {
  ;[service, registry] = await Promise.all([startService('worker'), FixtureRegistry.start()])
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
  await Promise.all([service?.stop(), registry?.close()])
})

/** Files of the store that any process has open. */
async function openFiles(): Promise<number> {
  const processes = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  let count = 0
  for (const process of processes) {
    for (const file of await readdir(`/proc/${process}/fd`).catch(() => [])) {
      const target = await readlink(`/proc/${process}/fd/${file}`).catch(() => '')
      if (target.startsWith(service.data) && target.includes('/blobs/')) count++
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
