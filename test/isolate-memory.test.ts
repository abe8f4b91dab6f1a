/**
 * All Durable Objects of an isolate share its memory, so that only as much is done at once as fits. V8 can only be told how
 * much heap there is; buffers, long strings and WebAssembly lie outside, so what is done at once is counted, too.
 */
import { hash } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { ask } from './ask.ts'
import { makeImage, makeLayer, type TestLayer } from './images.ts'
import { FixtureRegistry } from './registry/fixture.ts'
import { type SpawnedService, spawnService, temporaryData } from './service.ts'
import { member, tar } from './tar.ts'

const IMAGES = 3
/** As many as one image reads at once. */
const LAYERS = 4

let data: string
let service: SpawnedService
let registry: FixtureRegistry

beforeEach(async () => {
  registry = await FixtureRegistry.start()
  data = await temporaryData()
})

afterEach(async () => {
  await Promise.all([service?.end('SIGKILL'), registry?.close()])
  await rm(data, { recursive: true, force: true })
})

async function push(layerOf: (name: string) => Promise<TestLayer>) {
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

const report = (image: string) => ask(service.url, '/v1/report', { query: { image, wait: 300 } })

/** When the registry has not been asked for anything new, and has sent nothing, for a while. */
async function quiet(milliseconds: number): Promise<void> {
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
  ['gzip', 2],
  ['zstd', 1],
] as const)('of many %s layers %i are read at once', async (compression, atOnce) => {
  const { images, blobs } = await push((name) => makeLayer([{ name, content: 'x' }], { compression }))
  const { promise: until, resolve: release } = Promise.withResolvers<void>()
  registry.fault(blobs, { until }, IMAGES * LAYERS)
  service = await spawnService('worker', data)
  const answers = images.map(report)
  await expect.poll(() => registry.count(blobs)).toBeGreaterThanOrEqual(atOnce)
  await quiet(3_000)
  expect(registry.count(blobs)).toBe(atOnce)
  release()
  for (const { status } of await Promise.all(answers)) expect(status).toBe(200)
})

/** Of each layer; their entries take some 13 MB of heap until they are sorted. */
const FILES = 90_000
/** Holds the Worker and what is admitted, and not the entries of all layers. */
const HEAP_MEGABYTES = 96
/** Of each blob: when the rest is held back, nearly all entries are in memory. */
const HELD_AFTER = 4_000_000

it.runIf(process.env.LAMINA_LONG)(
  'many layers of small files at once need no more heap than there is',
  {
    timeout: 900_000,
  },
  async () => {
    const files = Buffer.concat(
      Array.from({ length: FILES }, (_, i) => member({ name: hash('sha256', `${i}`) }, 'small')),
    )
    const { images, blobs } = await push(async (name) => {
      const content = tar(member({ name }), files)
      return makeLayer(content, { bytes: gzipSync(content, { level: 1 }) })
    })
    const { promise: until, resolve: release } = Promise.withResolvers<void>()
    registry.fault(blobs, { holdAfter: { bytes: HELD_AFTER, until } }, IMAGES * LAYERS)
    const flags = { MINIFLARE_WORKERD_V8_FLAGS: `--max-old-space-size=${HEAP_MEGABYTES}` }
    service = await spawnService('worker', data, flags)
    const answers = images.map(report)
    await expect.poll(() => registry.count(blobs)).toBeGreaterThan(0)
    await quiet(10_000)
    release()
    const statuses = (await Promise.all(answers)).map(({ status }) => status)
    expect({ statuses, output: service.output() }).toEqual({
      statuses: images.map(() => 200),
      output: expect.not.stringContaining('crashed'),
    })
  },
)
