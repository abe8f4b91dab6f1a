/**
 * Images on Node with two threads against one: eight different layers of equal size, and one large layer, which a second thread
 * decompresses. The registry shares the machine.
 */
import { randomBytes } from 'node:crypto'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { gunzipSync } from 'node:zlib'
import { startNode } from '../../workers/node/service.ts'
import { FixtureRegistry } from '../registry/fixture.ts'
import { makeImage, makeLayer, type TestLayer } from '../support/images.ts'
import { SETTINGS, temporaryData } from '../support/service.ts'
import { withFolder, writeFiles } from './layers.ts'
import { best, line, seconds, shell } from './measure.ts'

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
    const large = await halfNoise()
    await writeFile(at('large'), large.bytes ?? '')
    const one = registry.push('large', 'v1', makeImage([large]))
    // So that the threads are running, as in a service in use.
    const small = registry.push('small', 'v1', makeImage(await layersOf(2, 1)))
    await compare(`${LAYERS} layers of ${FILES} files`, image, small)
    await compare('one large layer', one, small, () =>
      shell(`gzip -dc ${at('large')} | sha256sum > /dev/null`),
    )
  })
  await registry.close()
}

/** A layer that gzip makes half as large. */
function halfNoise(): Promise<TestLayer> {
  return makeLayer(
    Array.from({ length: FILES }, (_, i) => ({
      name: `file-${i}`,
      content: randomBytes(FILE_BYTES / 2).toString('hex'),
    })),
  )
}

/** @param reference takes the same bytes */
async function compare(
  what: string,
  image: string,
  small: string,
  reference?: () => Promise<void>,
): Promise<void> {
  const times = new Map<number, number[]>([1, 2].map((count) => [count, []]))
  const references: number[] = []
  for (let run = 0; run < RUNS; run++) {
    if (reference !== undefined) references.push(await seconds(reference))
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
  line(what, {
    'one thread': one,
    'two threads': two,
    times: one / two,
    ...(references.length > 0 ? { reference: best(references) } : {}),
  })
}
