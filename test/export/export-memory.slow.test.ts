/** The memory of an export, as the kernel counts it: the same for a large image as for a small one. */
import { rm } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { peakMegabytes } from '../bench/measure.ts'
import { largeLayer, largeLayerBytes } from '../layers/large-layer.ts'
import { FixtureRegistry } from '../registry/fixture.ts'
import { makeImage } from '../support/images.ts'
import { spawnService, temporaryData } from '../support/service.ts'

const LAYERS = 8
/** Files of 1 MiB in each layer: 4 GB in all, or a tenth of that. */
const LARGE = process.env.LAMINA_LONG ? 480 : 48
const SMALL = 4
const HEAP_MEGABYTES = 48
/** Uncollected garbage, and buffers of sockets and zlib. */
const SLACK_MEGABYTES = 100

test('exporting a large image takes no more memory than a small one, under a heap of 48 MB', async () => {
  const registry = await FixtureRegistry.start()
  const data = await temporaryData()
  const start = () => spawnService('node', data, {}, [`--max-old-space-size=${HEAP_MEGABYTES}`])
  let service = await start()
  try {
    const push = (tag: string, files: number) => {
      const layers = Array.from({ length: LAYERS }, (_, layer) => largeLayer(`${tag}-${layer}`, files))
      return registry.push('large', tag, makeImage(layers))
    }
    const exported = async (image: string) => {
      const answer = await fetch(`${service.url}/v1/export?wait=300&image=${image}`)
      if (answer.status !== 200 || answer.body === null) throw new Error(await answer.text())
      let bytes = 0
      for await (const chunk of answer.body) bytes += chunk.length
      return bytes
    }
    const images = { small: push('small', SMALL), large: push('large', LARGE) }
    for (const image of Object.values(images)) await exported(image)
    // The peak of the analyses belongs to another process.
    await service.end('SIGTERM')
    service = await start()
    expect(await exported(images.small)).toBeGreaterThan(LAYERS * largeLayerBytes(SMALL) - LAYERS * 1024)
    const before = await peakMegabytes(service.pid)
    expect(await exported(images.large)).toBeGreaterThan(LAYERS * largeLayerBytes(LARGE) - LAYERS * 1024)
    expect((await peakMegabytes(service.pid)) - before).toBeLessThan(SLACK_MEGABYTES)
  } finally {
    await service.end('SIGTERM')
    await registry.close()
    await rm(data, { recursive: true })
  }
}, 1_800_000)
