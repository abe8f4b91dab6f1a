/**
 * How much of an isolate's memory jobs hold while they run in workerd: the most heap and buffers left after any garbage
 * collection. The Worker's reservations (workers/cloudflare/memory.ts) are based on these figures.
 */
import { randomBytes } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { startWorker } from '../../workers/cloudflare/miniflare.ts'
import { FixtureRegistry } from '../registry/fixture.ts'
import { makeImage, makeLayer, type TestLayer } from '../support/images.ts'
import { SETTINGS, temporaryData } from '../support/service.ts'
import { member, tar } from '../support/tar.ts'
import { Inspector } from './inspector.ts'
import { line } from './measure.ts'

const PORT = 9_329
const LEVEL = { level: 1 }

export default async function isolate(): Promise<void> {
  const registry = await FixtureRegistry.start()
  const push = (name: string, layers: readonly TestLayer[]) => registry.push(name, 'v1', makeImage(layers))
  await watch('one small layer', push('small', [await gzipLayer(10)]))
  await watch('a gzip layer of 100,000 files', push('gzip', [await gzipLayer(99_000)]))
  await watch('a gzip layer of 150,000 files', push('runs', [await gzipLayer(150_000)]))
  const zstd = await makeLayer(filesOf(99_000), { compression: 'zstd' })
  await watch('a zstd layer of 100,000 files', push('zstd', [zstd]))
  const ten = []
  for (let layer = 0; layer < 10; layer++) ten.push(await gzipLayer(20_000))
  await watch('ten layers of 20,000 files', push('ten', ten))
  const many = []
  for (let layer = 0; layer < 100; layer++) many.push(await gzipLayer(1_000))
  await watch('a hundred layers of 1,000 files', push('hundred', many))
  await registry.close()
}

function gzipLayer(files: number): Promise<TestLayer> {
  const content = filesOf(files)
  return makeLayer(content, { bytes: gzipSync(content, LEVEL) })
}

/** In random order, so that they have to be sorted. */
function filesOf(count: number): Uint8Array {
  const random = randomBytes(20 * count).toString('hex')
  const members = Array.from({ length: count }, (_, i) => {
    const name = random.slice(40 * i, 40 * i + 40)
    return member({ name: `usr/lib/${name.slice(0, 2)}/${name}/${i % 50}.txt` }, name)
  })
  return tar(Buffer.concat(members))
}

/** In a fresh workerd. */
async function watch(what: string, image: string): Promise<void> {
  const data = await temporaryData()
  const worker = await startWorker({ ...SETTINGS, LAMINA_DATA: data }, { inspectorPort: PORT })
  const inspector = await Inspector.open(PORT)
  const report = (wait: number) => fetch(`${worker.url}/v1/report?image=${image}&wait=${wait}`)
  const idle = await inspector.live()
  const most = new Map<string, { heap: number; buffers: number; together: number }>()
  let answer = await report(0)
  while (answer.status === 202) {
    const { progress }: { progress: { layers: number; layersDone: number } } = await answer.json()
    const stage = progress.layers > 0 && progress.layersDone === progress.layers ? 'merge' : 'layers'
    const now = await inspector.live()
    const [heap, buffers] = [
      now.heapMegabytes - idle.heapMegabytes,
      now.bufferMegabytes - idle.bufferMegabytes,
    ]
    const before = most.get(stage) ?? { heap: 0, buffers: 0, together: 0 }
    most.set(stage, {
      heap: Math.max(before.heap, heap),
      buffers: Math.max(before.buffers, buffers),
      together: Math.max(before.together, heap + buffers),
    })
    // Each sample costs a full collection.
    await sleep(250)
    answer = await report(0)
  }
  if (answer.status !== 200) throw new Error(await answer.text())
  await answer.arrayBuffer()
  line(what, { 'idle MB': idle.heapMegabytes + idle.bufferMegabytes })
  for (const [stage, figures] of most) line(`  ${stage}: MB above idle`, figures)
  inspector.close()
  await worker.stop()
  await rm(data, { recursive: true, force: true })
}
