/**
 * All Durable Objects of an isolate share its memory, so only as much work as fits runs at once. V8 can only limit the heap;
 * buffers, long strings and WebAssembly are outside it, so the tests also count concurrent jobs.
 */
import { hash, randomBytes } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { expect, it } from 'vitest'
import type { FixtureRegistry } from '../registry/fixture.ts'
import { ask } from '../support/ask.ts'
import { makeImage, makeLayer, type TestLayer } from '../support/images.ts'
import { newStage } from '../support/stage.ts'
import { member, tar } from '../support/tar.ts'

const IMAGES = 3
/** The number of layers that one image reads at once. */
const LAYERS = 4

async function push(registry: FixtureRegistry, layerOf: (name: string) => Promise<TestLayer>) {
  const blobs: string[] = []
  const images: string[] = []
  for (let image = 0; image < IMAGES; image++) {
    const layers: TestLayer[] = []
    for (let layer = 0; layer < LAYERS; layer++) layers.push(await layerOf(`${image}.${layer}`))
    blobs.push(...layers.map(({ descriptor }) => descriptor.digest))
    images.push(registry.push(`image${image}`, 'v1', makeImage(layers)))
  }
  return { images, blobs: { path: new RegExp(blobs.join('|')), method: 'GET' } }
}

/** Asks until the analysis is done: on a busy machine it may take long, or wait for a held blob until that counts as silent. */
async function report(url: string, image: string): ReturnType<typeof ask> {
  for (;;) {
    const answer = await ask(url, '/v1/report', { query: { image, wait: 60 } })
    if (answer.status !== 202 && answer.status !== 504) return answer
  }
}

/** Waits until the registry has received no new request and sent nothing for a while. */
async function quiet(registry: FixtureRegistry, milliseconds: number): Promise<void> {
  const state = () => `${registry.requests.length} ${registry.bytesSent({})}`
  let before = ''
  for (let since = Date.now(); Date.now() - since < milliseconds; ) {
    const now = state()
    if (now !== before) {
      before = now
      since = Date.now()
    }
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

it.each([
  ['gzip', 3],
  ['zstd', 1],
] as const)('of many %s layers only %i are read at once', async (compression, atOnce) => {
  const { registry, spawn } = await newStage()
  const { images, blobs } = await push(registry, (name) =>
    makeLayer([{ name, content: 'x' }], { compression }),
  )
  const { promise: until, resolve: release } = Promise.withResolvers<void>()
  registry.fault(blobs, { until }, IMAGES * LAYERS)
  const service = await spawn('worker')
  const answers = images.map((image) => report(service.url, image))
  await expect.poll(() => registry.count(blobs)).toBeGreaterThanOrEqual(atOnce)
  await quiet(registry, 3_000)
  expect(registry.count(blobs)).toBe(atOnce)
  release()
  for (const { status } of await Promise.all(answers)) expect(status).toBe(200)
})

/** Files in each layer; their entries take about 6 MB of heap, and 11 MB of buffers, until they are sorted. */
const FILES = 90_000
/** Enough for the Worker and the admitted layers (38 MB), but not for the entries of all layers (79 MB). */
const HEAP_MEGABYTES = 64
/** Bytes sent of each blob: when the rest is held back, nearly all entries are in memory. */
const HELD_AFTER = 4_000_000

if (process.env.LAMINA_LONG)
  it('many concurrent layers of small files stay within the heap limit', {
    timeout: 900_000,
  }, async () => {
    const files = Buffer.concat(
      Array.from({ length: FILES }, (_, i) => member({ name: hash('sha256', `${i}`) }, 'small')),
    )
    const { registry, spawn } = await newStage()
    const { images, blobs } = await push(registry, async (name) => {
      const content = tar(member({ name }), files)
      return makeLayer(content, { bytes: gzipSync(content, { level: 1 }) })
    })
    const { promise: until, resolve: release } = Promise.withResolvers<void>()
    registry.fault(blobs, { holdAfter: { bytes: HELD_AFTER, until } }, IMAGES * LAYERS)
    const flags = { MINIFLARE_WORKERD_V8_FLAGS: `--max-old-space-size=${HEAP_MEGABYTES}` }
    const service = await spawn('worker', flags)
    const answers = images.map((image) => report(service.url, image))
    await expect.poll(() => registry.count(blobs)).toBeGreaterThan(0)
    await quiet(registry, 3_000)
    release()
    const statuses = (await Promise.all(answers)).map(({ status }) => status)
    expect({ statuses, output: service.output() }).toEqual({
      statuses: images.map(() => 200),
      output: expect.not.stringContaining('crashed'),
    })
  })

if (process.env.LAMINA_LONG)
  it('layers of a registry that sends slowly leave the memory to other images', {
    timeout: 900_000,
  }, async () => {
    const { registry, spawn } = await newStage()
    const content = randomBytes(1_000_000)
    const { images, blobs } = await push(registry, (name) => makeLayer([{ name, content }]))
    registry.fault(blobs, { drip: { bytes: 2_000, milliseconds: 1_000 } }, Infinity)
    const service = await spawn('worker')
    for (const image of images)
      expect((await ask(service.url, '/v1/report', { query: { image } })).status).toBe(202)
    await expect.poll(() => registry.count(blobs)).toBeGreaterThanOrEqual(2)
    const quick = registry.push(
      'quick',
      'v1',
      makeImage([await makeLayer([{ name: 'quick', content: 'x' }])]),
    )
    expect((await report(service.url, quick)).status).toBe(200)
    const slow = await ask(service.url, '/v1/report', { query: { image: images[0] ?? '' } })
    expect(slow.status).toBe(202)
  })
