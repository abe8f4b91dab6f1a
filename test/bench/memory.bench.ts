/** Peak memory of the whole Node service, as the kernel counts it, under a small heap: one image, and four of 1 GB at once. */
import { readFile, rm } from 'node:fs/promises'
import { gunzipSync } from 'node:zlib'
import { makeImage, makeLayer } from '../images.ts'
import { FixtureRegistry } from '../registry/fixture.ts'
import { spawnService, temporaryData } from '../service.ts'
import { withFolder, writeFiles } from './layers.ts'
import { line, peakMegabytes, REGISTRY } from './measure.ts'

const HEAP = 64
const MEBIBYTE = 1024 * 1024

export default async function memory(): Promise<void> {
  await peakOf(`app:v1, heap of ${HEAP} MB`, [`${REGISTRY}/app:v1`])
  const registry = await FixtureRegistry.start()
  await withFolder(async (at) => {
    const images: string[] = []
    for (const index of [0, 1, 2, 3]) {
      await writeFiles(at('layer'), 500 + index, MEBIBYTE)
      const tar = gunzipSync(await readFile(at('layer')))
      const half = await makeLayer(tar)
      await writeFiles(at('layer'), 510 + index, MEBIBYTE)
      const other = await makeLayer(gunzipSync(await readFile(at('layer'))))
      images.push(registry.push('large', `v${index}`, makeImage([half, other])))
    }
    await peakOf(`four images of 1 GB at once, heap of ${HEAP} MB`, images)
  })
  await registry.close()
}

async function peakOf(what: string, images: readonly string[]): Promise<void> {
  const data = await temporaryData()
  const service = await spawnService('node', data, {}, [`--max-old-space-size=${HEAP}`])
  const before = await peakMegabytes(service.pid)
  const answers = await Promise.all(
    images.map((image) => fetch(`${service.url}/v1/report?wait=300&image=${image}`)),
  )
  for (const answer of answers) if (answer.status !== 200) throw new Error(await answer.text())
  line(what, { 'peak MB': await peakMegabytes(service.pid), 'idle MB': before })
  await service.end('SIGTERM')
  await rm(data, { recursive: true })
}
