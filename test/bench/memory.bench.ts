/**
 * Memory of whole services, started as users start them, as the kernel counts it: Node's peak for several large images at once,
 * and resident memory after a hundred small images and more. The memory in use is shown beside it, to tell growth from memory
 * not yet returned.
 */
import { readFile, rm } from 'node:fs/promises'
import { pathToFileURL } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { inParallel } from '../../src/concurrency.ts'
import { bundleNode } from '../../workers/node/bundle.ts'
import { FixtureRegistry } from '../registry/fixture.ts'
import { makeImage, makeLayer, type TestLayer } from '../support/images.ts'
import { freePort } from '../support/ports.ts'
import { NODE_FLAGS, type SpawnedService, spawnService, temporaryData } from '../support/service.ts'
import { Inspector } from './inspector.ts'
import { withFolder, writeFiles } from './layers.ts'
import { line, peakMegabytes, processBelow, REGISTRY, residentMegabytes } from './measure.ts'

const MEBIBYTE = 1024 * 1024
/** Rounds of small images; memory is sampled after each round. */
const ROUNDS = 3
const IMAGES = 40
const FILES = 500
const LAYERS = 4
const AT_ONCE = 8

export default async function memory(): Promise<void> {
  const registry = await FixtureRegistry.start()
  const bundle = await temporaryData()
  await bundleNode(bundle)
  const node = new URL('start.js', pathToFileURL(`${bundle}/`))
  await largeImages(registry, node)
  await smallImages(registry, 'Node', () => startNode(node))
  await smallImages(registry, 'workerd', startWorkerd)
  await registry.close()
  await rm(bundle, { recursive: true })
}

async function largeImages(registry: FixtureRegistry, node: URL): Promise<void> {
  await peakOf('app:v1 on Node', node, [`${REGISTRY}/app:v1`])
  const many: TestLayer[] = []
  for (const index of [0, 1, 2, 3]) many.push(await layerOf(26_000 + index, 16 * 1024))
  await peakOf('an image of 1.7 GB, 104,000 files', node, [registry.push('many', 'v1', makeImage(many))])
  const images: string[] = []
  for (const index of [0, 1, 2, 3]) {
    const layers = [await layerOf(500 + index, MEBIBYTE), await layerOf(510 + index, MEBIBYTE)]
    images.push(registry.push('large', `v${index}`, makeImage(layers)))
  }
  await peakOf('four images of 1 GB at once', node, images)
}

function layerOf(files: number, bytes: number): Promise<TestLayer> {
  return withFolder(async (at) => {
    await writeFiles(at('layer'), files, bytes)
    return makeLayer(gunzipSync(await readFile(at('layer'))))
  })
}

async function peakOf(what: string, node: URL, images: readonly string[]): Promise<void> {
  const { service, end } = await spawned(node, {}, NODE_FLAGS)
  const idle = await residentMegabytes(service.pid)
  await inParallel(images, images.length, (image) => report(service, image))
  line(what, { 'peak MB': await peakMegabytes(service.pid), 'idle MB': idle })
  await end()
}

type Watched = {
  readonly service: SpawnedService
  /** By name, in MB. */
  look(): Promise<Record<string, number>>
  end(): Promise<void>
}

async function smallImages(
  registry: FixtureRegistry,
  what: string,
  start: () => Promise<Watched>,
): Promise<void> {
  const { service, look, end } = await start()
  line(`${what}, idle`, await look())
  for (let round = 1; round <= ROUNDS; round++) {
    const references: string[] = []
    for (let number = 0; number < IMAGES; number++) {
      const name = `small-${round}-${number}`
      const layers = Array.from({ length: LAYERS }, (_, layer) =>
        makeLayer(
          Array.from({ length: FILES }, (_, file) => ({
            name: `${layer}/${file % 20}/file-${file}`,
            content: `${name} ${layer} ${file}`,
          })),
        ),
      )
      references.push(registry.push(what.toLowerCase(), name, makeImage(await Promise.all(layers))))
    }
    await inParallel(references, AT_ONCE, (image) => report(service, image))
    line(`${what}, after ${round * IMAGES} images`, await look())
  }
  await end()
}

async function startNode(node: URL): Promise<Watched> {
  const { service, end } = await spawned(node, {}, NODE_FLAGS)
  return {
    service,
    end,
    async look() {
      const metrics = await (await fetch(`${service.url}/metrics`)).text()
      const told = (name: string) =>
        Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(metrics)?.[1] ?? Number.NaN) / MEBIBYTE
      return {
        'resident MB': await residentMegabytes(service.pid),
        'peak MB': await peakMegabytes(service.pid),
        "main thread's heap": told('nodejs_heap_size_used_bytes'),
        'of it external': told('nodejs_external_memory_bytes'),
      }
    },
  }
}

async function startWorkerd(): Promise<Watched> {
  const port = await freePort()
  const entry = new URL('../support/inspected-worker.ts', import.meta.url)
  const { service, end } = await spawned(entry, { INSPECTOR_PORT: `${port}` })
  const inspector = await Inspector.open(port)
  const workerd = (await processBelow(service.pid, 'workerd')) ?? service.pid
  return {
    service,
    async look() {
      const resident = await residentMegabytes(workerd)
      const { heapMegabytes, bufferMegabytes } = await inspector.live()
      return {
        'resident MB': resident,
        'after a collection': await residentMegabytes(workerd),
        heap: heapMegabytes,
        buffers: bufferMegabytes,
      }
    },
    async end() {
      inspector.close()
      await end()
    },
  }
}

async function spawned(main: URL, settings: Record<string, string> = {}, flags: readonly string[] = []) {
  const data = await temporaryData()
  const service = await spawnService(main, data, settings, flags)
  return {
    service,
    async end() {
      await service.end('SIGTERM')
      await rm(data, { recursive: true })
    },
  }
}

async function report({ url }: SpawnedService, image: string): Promise<void> {
  const answer = await fetch(`${url}/v1/report?wait=300&image=${image}`)
  const text = await answer.text()
  if (answer.status !== 200) throw new Error(text)
}
