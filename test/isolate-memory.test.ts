/**
 * All Durable Objects of an isolate share its memory. workerd runs here with a heap that holds what is admitted at once, but not
 * all that is asked for at once.
 */
import { rm } from 'node:fs/promises'
import { gzipSync } from 'node:zlib'
import { afterEach, expect, it } from 'vitest'
import { ask } from './ask.ts'
import { makeImage, makeLayer } from './images.ts'
import { FixtureRegistry } from './registry/fixture.ts'
import { type SpawnedService, spawnService, temporaryData } from './service.ts'
import { longName, member, tar } from './tar.ts'

const IMAGES = 4
/** As many as one image reads at once. */
const LAYERS = 4
/** Names that fill the window in which entries are sorted: 20 MB of heap a layer. */
const MEMBERS = 4_900
const NAME_BYTES = 3_900

const MEBIBYTES = Number(process.env.OLD ?? 128)

let data: string
let service: SpawnedService
let registry: FixtureRegistry

afterEach(async () => {
  await Promise.all([service?.end('SIGKILL'), registry?.close()])
  await rm(data, { recursive: true, force: true })
})

const members = Array.from({ length: MEMBERS }, (_, i) => {
  const name = `${i}`.padEnd(NAME_BYTES / 2, '-')
  return Buffer.concat([longName(`${name}/`.padEnd(NAME_BYTES, '=')), member({ name: 'long' })])
})

async function layerOf(name: string, compression: 'gzip' | 'zstd') {
  const content = tar(member({ name }), ...members)
  if (compression === 'zstd') return makeLayer(content, { compression })
  return makeLayer(content, { bytes: gzipSync(content, { level: 1 }) })
}

it.each(['gzip', 'zstd'] as const)('several large %s layers at once fit into an isolate', async (compression) => {
  registry = await FixtureRegistry.start()
  const images: string[] = []
  for (let image = 0; image < IMAGES; image++) {
    const layers = []
    for (let layer = 0; layer < LAYERS; layer++) layers.push(await layerOf(`${image} ${layer}`, compression))
    images.push(registry.push(`image${image}`, 'v1', makeImage(layers)))
  }
  data = await temporaryData()
  service = await spawnService('worker', data, { MINIFLARE_WORKERD_V8_FLAGS: `--max-old-space-size=${MEBIBYTES}` })
  const answers = await Promise.all(
    images.map((image) => ask(service.url, '/v1/report', { query: { image, wait: 300 } })),
  )
  console.log(service.output())
  expect(answers.map(({ status }) => status)).toEqual(images.map(() => 200))
  expect(service.output()).not.toContain('crashed')
})
