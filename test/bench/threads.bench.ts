/**
 * An image of eight different layers of equal size on Node, with two threads against one. The registry shares the machine.
 */
import { readFile, rm } from 'node:fs/promises'
import { gunzipSync } from 'node:zlib'
import { startNode } from '../../workers/node/service.ts'
import { makeImage, makeLayer, type TestLayer } from '../images.ts'
import { FixtureRegistry } from '../registry/fixture.ts'
import { SETTINGS, temporaryData } from '../service.ts'
import { withFolder, writeFiles } from './layers.ts'
import { best, line, seconds } from './measure.ts'

const RUNS = 3
const LAYERS = 8
const FILES = 2_000
const FILE_BYTES = 60_000

export default async function threads(): Promise<void> {
  const registry = await FixtureRegistry.start()
  await withFolder(async (at) => {
    const layersOf = (count: number, files: number) =>
      Array.fromAsync({ length: count }, async (_, layer): Promise<TestLayer> => {
        await writeFiles(at('layer'), files + layer, FILE_BYTES)
        return makeLayer(gunzipSync(await readFile(at('layer'))))
      })
    const image = registry.push('layers', 'v1', makeImage(await layersOf(LAYERS, FILES)))
    // So that the threads are running, as in a service in use.
    const small = registry.push('small', 'v1', makeImage(await layersOf(2, 1)))
    const times = new Map<number, number[]>([1, 2].map((count) => [count, []]))
    for (let run = 0; run < RUNS; run++) {
      for (const [count, all] of times) {
        const data = await temporaryData()
        const service = await startNode({ ...SETTINGS, LAMINA_DATA: data }, { threads: count })
        await (await fetch(`${service.url}/v1/report?wait=60&image=${small}`)).arrayBuffer()
        all.push(
          await seconds(async () => {
            const answer = await fetch(`${service.url}/v1/report?wait=300&image=${image}`)
            if (answer.status !== 200) throw new Error(await answer.text())
          }),
        )
        await service.stop()
        await rm(data, { recursive: true })
      }
    }
    const [one = 0, two = 1] = [...times.values()].map(best)
    line(`${LAYERS} layers of ${FILES} files`, { 'one thread': one, 'two threads': two, times: one / two })
  })
  await registry.close()
}
