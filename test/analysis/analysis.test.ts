/** Analyses: each layer is read once, whatever is requested concurrently or later. */
import { rm } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { FixtureRegistry } from '../registry/fixture.ts'
import { ask } from '../support/ask.ts'
import { makeImage, makeLayer, type TestLayer } from '../support/images.ts'
import { HOSTS, spawnService, startService, type TestService, temporaryData } from '../support/service.ts'

/** Incompressible bytes, so that reading them takes a while. */
function noise(seed: number, bytes: number): Uint8Array {
  const out = new Uint32Array(bytes / 4)
  let state = seed
  for (let i = 0; i < out.length; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    out[i] = state
  }
  return new Uint8Array(out.buffer)
}

describe.each(HOSTS)('on %s', (host) => {
  let service: TestService
  let registry: FixtureRegistry
  let seed = 1

  const layer = (name: string, bytes = 40_000): Promise<TestLayer> =>
    makeLayer([{ name, content: noise(seed++, bytes) }])
  const report = (image: string, wait = 60) => ask(service.url, '/v1/report', { query: { image, wait } })
  const readBytes = (of: TestLayer) =>
    registry.bytesSent({ path: new RegExp(`blobs/${of.descriptor.digest}`) })

  beforeAll(async () => {
    service = await startService(host)
    registry = await FixtureRegistry.start()
  })

  afterAll(async () => {
    await Promise.all([service?.stop(), registry?.close()])
  })

  it('reads only new layers of a second image, and nothing when the same image is requested again', async () => {
    const shared = await layer('shared')
    const [first, second] = [await layer('first'), await layer('second')]
    await report(registry.push('app', 'v1', makeImage([shared, first])))
    registry.forgetRequests()
    const reference = registry.push('app', 'v2', makeImage([shared, second]))
    const { body: analysis } = await ask(service.url, '/v1/analyses', {
      method: 'POST',
      json: { image: reference },
    })
    expect((await report(reference)).status).toBe(200)
    expect(readBytes(shared)).toBe(0)
    expect(readBytes(second)).toBe(second.descriptor.size)
    const { body } = await ask(service.url, `/v1/analyses/${analysis.id}`)
    expect(body.status).toBe('succeeded')
    expect(body.progress).toMatchObject({ layers: 2, layersReused: 1, bytes: second.descriptor.size })
    registry.forgetRequests()
    expect((await report(reference)).status).toBe(200)
    expect(registry.count({ path: /blobs/ })).toBe(0)
  })

  it('reads each layer once for twenty requests at once', async () => {
    const layers = [await layer('one', 400_000), await layer('two', 400_000)]
    const reference = registry.push('burst', 'v1', makeImage(layers))
    const answers = await Promise.all(Array.from({ length: 20 }, () => report(reference)))
    expect(new Set(answers.map((answer) => answer.status))).toEqual(new Set([200]))
    expect(new Set(answers.map((answer) => JSON.stringify(answer.body))).size).toBe(1)
    for (const one of layers) expect(readBytes(one)).toBe(one.descriptor.size)
  })

  it('reads a layer once if images in two repositories need it at the same time', async () => {
    const shared = await layer('base', 400_000)
    const images = await Promise.all(
      ['left', 'right'].map(async (name) =>
        registry.push(name, 'v1', makeImage([shared, await layer(name)])),
      ),
    )
    const answers = await Promise.all(images.map((image) => report(image)))
    expect(answers.map((answer) => answer.status)).toEqual([200, 200])
    expect(readBytes(shared)).toBe(shared.descriptor.size)
  })

  it('answers 202 with the analysis at once, and reports its progress until it succeeds', async () => {
    const slow = await layer('slow', 400_000)
    const reference = registry.push('slow', 'v1', makeImage([slow]))
    registry.fault({ path: /blobs/, method: 'GET' }, { drip: { bytes: 50_000, milliseconds: 60 } }, 10)
    const pending = await report(reference, 0)
    expect(pending.status).toBe(202)
    expect(Number(pending.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(pending.headers.get('location')).toBe(`/v1/analyses/${pending.body.id}`)
    expect(pending.headers.get('cache-control')).toContain('no-store')
    const events = await (await fetch(`${service.url}/v1/analyses/${pending.body.id}/events`)).text()
    registry.clearFaults()
    expect(events).toContain('event: progress')
    expect(events.trimEnd().split('\n\n').at(-1)).toContain('event: succeeded')
    const late = await (await fetch(`${service.url}/v1/analyses/${pending.body.id}/events`)).text()
    expect(late).toContain('event: succeeded')
    expect((await report(reference, 0)).status).toBe(200)
  })

  it('keeps the good layers of an image with a bad one, and repeats the failure without reading again', async () => {
    const good = await layer('good')
    const bytes = (await layer('bad')).bytes?.slice(0, 20_000) ?? new Uint8Array()
    const bad = await makeLayer([{ name: 'bad', content: 'x' }], { bytes })
    const reference = registry.push('bad', 'v1', makeImage([good, bad]))
    const answer = await report(reference)
    expect(answer.status).toBe(422)
    expect(answer.body).toMatchObject({ code: 'invalid_image', layer: 1 })
    registry.forgetRequests()
    expect((await report(reference)).status).toBe(422)
    expect(registry.count({ path: /blobs/ })).toBe(0)
    expect((await report(registry.push('bad', 'v2', makeImage([good])))).status).toBe(200)
    expect(readBytes(good)).toBeLessThanOrEqual(good.descriptor.size)
  })

  it('does not know an analysis that never existed', async () => {
    const answer = await ask(service.url, `/v1/analyses/${crypto.randomUUID()}`)
    expect(answer.status).toBe(404)
    expect(answer.body.code).toBe('analysis_not_found')
  })
})

describe.each(HOSTS)('a kill of %s', (host) => {
  it('loses no finished work: the next request completes the analysis and reuses its layers', async () => {
    const registry = await FixtureRegistry.start()
    const [done, lost] = [
      await makeLayer([{ name: 'done', content: noise(7, 40_000) }]),
      await makeLayer([{ name: 'lost', content: noise(8, 800_000) }]),
    ]
    const reference = registry.push('cut', 'v1', makeImage([done, lost]))
    const blob = (of: TestLayer) => new RegExp(`blobs/${of.descriptor.digest}`)
    registry.fault({ path: blob(lost), method: 'GET' }, { stallAfter: 100_000 }, 10)
    const data = await temporaryData()
    const first = await spawnService(host, data)
    const asked = await ask(first.url, '/v1/report', { query: { image: reference } })
    const progress = async () =>
      (await ask(first.url, '/v1/report', { query: { image: reference } })).body.progress
    await expect.poll(progress).toMatchObject({ layersDone: 1 })
    await first.end('SIGKILL')
    registry.clearFaults()
    registry.forgetRequests()
    const second = await spawnService(host, data)
    // A poll only reads: a lost analysis has failed, and nothing is started.
    const polled = await ask(second.url, asked.headers.get('location') ?? '')
    expect(polled.body).toMatchObject({ status: 'failed', error: { code: 'analysis_pending' } })
    expect(registry.count({ path: blob(lost) })).toBe(0)
    const answer = await ask(second.url, '/v1/report', { query: { image: reference, wait: 60 } })
    expect(answer.status).toBe(200)
    expect(registry.bytesSent({ path: blob(done) })).toBe(0)
    expect(registry.bytesSent({ path: blob(lost) })).toBe(lost.descriptor.size)
    expect(await second.end('SIGTERM')).toBe(0)
    await registry.close()
    await rm(data, { recursive: true })
  })
})
