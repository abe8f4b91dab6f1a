/**
 * The thread that answers HTTP does no work whose size depends on an image: on Node other threads do it, and can be
 * terminated.
 */
import { rm } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RunningNode, startNode } from '../../workers/node/service.ts'
import { FixtureRegistry } from '../registry/fixture.ts'
import { makeImage, makeLayer } from '../support/images.ts'
import { endlessRpmDatabase } from '../support/rpm.ts'
import { SETTINGS, temporaryData } from '../support/service.ts'

let service: RunningNode
let data: string
let registry: FixtureRegistry
let image: string

const FILES = 5_000
/** How many compute at the same time. */
const THREADS = 2

beforeAll(async () => {
  data = await temporaryData()
  ;[service, registry] = await Promise.all([
    startNode({ ...SETTINGS, LAMINA_DATA: data }, { threads: THREADS }),
    FixtureRegistry.start(),
  ])
  const files = Array.from({ length: FILES }, (_, i) => ({ name: `dir/file-${i}`, content: `${i}` }))
  image = registry.push('many', 'v1', makeImage([await makeLayer(files)]))
  const other = makeImage([await makeLayer([{ name: 'dir/text', content: 'one\n' }])])
  registry.push('many', 'v2', other)
  for (const tag of ['v1', 'v2']) {
    const report = await read('/v1/report', { image: image.replace(/v1$/, tag), wait: '60' })
    expect(report.status).toBe(200)
  }
})

afterAll(async () => {
  // Work that takes for ever is not awaited.
  await Promise.all([service?.stop(500), registry?.close()])
  await rm(data, { recursive: true, force: true })
})

function read(path: string, query: Record<string, string>, init: RequestInit = {}): Promise<Response> {
  return fetch(`${service.url}${path}?${new URLSearchParams({ image, ...query })}`, init)
}

describe('an answer that another thread makes', () => {
  it('asks the registry nothing that the answering thread already knows', async () => {
    await read('/v1/files', {})
    const before = registry.count({})
    for (let i = 0; i < 3; i++) expect((await read('/v1/files', { limit: '5' })).status).toBe(200)
    expect(registry.count({})).toBe(before)
  })

  it('is streamed completely, with its status, headers and ETag', async () => {
    const answer = await read('/v1/files', {}, { headers: { accept: 'application/x-ndjson' } })
    expect(answer.status).toBe(200)
    expect(answer.headers.get('content-type')).toBe('application/x-ndjson')
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff')
    expect(answer.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/)
    const lines = (await answer.text()).trimEnd().split('\n')
    expect(lines.length).toBe(FILES + 1)
    const etag = answer.headers.get('etag') ?? ''
    const again = await read(
      '/v1/files',
      {},
      { headers: { accept: 'application/x-ndjson', 'if-none-match': etag } },
    )
    expect(again.status).toBe(304)
  })

  it('can be a problem, a page, a badge, or the answer to a body', async () => {
    const missing = await read('/v1/file', { path: 'not/there' })
    expect([missing.status, (await missing.json()).code]).toEqual([404, 'path_not_found'])
    const page = await read('/', {})
    expect(await page.text()).toContain('<html')
    const badge = await read('/badge/check.svg', { deny: 'etc/**' })
    expect(await badge.text()).toContain('passing')
    const check = await fetch(`${service.url}/v1/check`, {
      method: 'POST',
      headers: { 'content-type': 'application/yaml' },
      body: `image: ${image}\npolicy: { deny: ['**/file-7'] }\n`,
    })
    expect(check.status).toBe(412)
    const file = await read('/v1/file', { path: 'dir/file-7' })
    expect([file.headers.get('content-type'), await file.text()]).toEqual(['text/plain; charset=utf-8', '7'])
  })

  it('ends when its reader leaves, and others are answered', async () => {
    for (let i = 0; i < 20; i++) {
      const left = new AbortController()
      const answer = await read(
        '/v1/files',
        {},
        { headers: { accept: 'application/x-ndjson' }, signal: left.signal },
      )
      expect(answer.status).toBe(200)
      left.abort()
    }
    expect((await read('/v1/files', { limit: '1' })).status).toBe(200)
  })
})

/** The longest that `/healthz` takes while the work goes on, as a part of what the work takes. */
async function longestPart(work: Promise<unknown>): Promise<number> {
  const began = performance.now()
  let isDone = false
  let longest = 0
  const done = work.finally(() => {
    isDone = true
  })
  while (!isDone) {
    const asked = performance.now()
    expect((await fetch(`${service.url}/healthz`)).status).toBe(200)
    longest = Math.max(longest, performance.now() - asked)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  await done
  return longest / (performance.now() - began)
}

describe('the answering thread goes on', () => {
  it('while an image has more rows in a package database than anybody can read', async () => {
    const layer = await makeLayer([{ name: 'var/lib/rpm/rpmdb.sqlite', content: await endlessRpmDatabase() }])
    const endless = registry.push('endless', 'v1', makeImage([layer]))
    const report = fetch(`${service.url}/v1/report?image=${endless}&wait=5`)
    expect(await longestPart(report)).toBeLessThan(0.5)
    expect([200, 202, 413]).toContain((await report).status)
    expect((await read('/v1/files', { limit: '1' })).status).toBe(200)
  })

  it('while two texts are compared that differ in each second line', async () => {
    const text = (word: string) =>
      Array.from({ length: 45_000 }, (_, i) => (i % 25 === 0 ? `${word} ${i}` : `${i % 7}`)).join('\n')
    const [from, to] = await Promise.all(
      ['a', 'b'].map(async (word) =>
        registry.push('texts', word, makeImage([await makeLayer([{ name: 'text', content: text(word) }])])),
      ),
    )
    const query = new URLSearchParams({ from: `${from}`, to: `${to}`, wait: '60' })
    expect((await fetch(`${service.url}/v1/diff?${query}`)).status).toBe(200)
    const compared = fetch(`${service.url}/v1/diff/file?${query}&path=text`)
    expect(await longestPart(compared)).toBeLessThan(0.5)
    expect((await compared).status).toBe(200)
  })
})

describe.concurrent('an image whose registry is slow', () => {
  it('gives its slots up to other images', async ({ expect }) => {
    const { url } = service
    const slow = await FixtureRegistry.start()
    const layers = await Promise.all(
      Array.from({ length: THREADS + 1 }, (_, i) =>
        makeLayer([{ name: `slow-${i}`, content: 'x'.repeat(600_000) }], { compression: 'none' }),
      ),
    )
    const dripping = slow.push('slow', 'v1', makeImage(layers))
    slow.fault({ path: /blobs/, method: 'GET' }, { drip: { bytes: 2_000, milliseconds: 100 } }, 10)
    const pending = await fetch(`${url}/v1/report?image=${dripping}`)
    expect(pending.status).toBe(202)
    const blobs = { path: /blobs/, method: 'GET' }
    // All layers and the config: the last layer has the slot of another.
    await expect.poll(() => slow.count(blobs)).toBe(THREADS + 2)
    const quick = registry.push(
      'quick',
      'v1',
      makeImage([await makeLayer([{ name: 'quick', content: 'x' }])]),
    )
    expect((await fetch(`${url}/v1/report?image=${quick}&wait=30`)).status).toBe(200)
    const still = await fetch(`${url}${pending.headers.get('location')}`)
    expect(['running', 'queued']).toContain((await still.json()).status)
    await slow.close()
  })

  it('is refused as soon as its layers show that it is over the limit', async () => {
    const settings = { ...SETTINGS, LAMINA_DATA: data, LAMINA_MAX_IMAGE_BYTES: '500000' }
    const limited = await startNode(settings)
    const large = await makeLayer([{ name: 'a', content: 'x'.repeat(300_000) }], { compression: 'none' })
    const larger = await makeLayer([{ name: 'b', content: 'y'.repeat(290_000) }], { compression: 'none' })
    const stalled = await makeLayer([{ name: 'c', content: 'z' }])
    const image = registry.push('limited', 'v1', makeImage([large, larger, stalled]))
    const never = new Promise<void>(() => {})
    registry.fault({ path: new RegExp(stalled.descriptor.digest) }, { until: never }, 10)
    const report = await fetch(`${limited.url}/v1/report?image=${image}&wait=60`)
    expect([report.status, (await report.json()).code]).toEqual([413, 'too_large'])
    await limited.stop(0)
  })
})
