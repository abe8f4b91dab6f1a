/**
 * A repository of 2,000 tags on Node, a thousand at a time: time against plain requests for the same manifests and configs, four at
 * once, questions and memory. Then `lamina cluster` with 500 pods, and what a layer would be in other compressions against the
 * commands that make them.
 */
import { rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inParallel } from '../../src/concurrency.ts'
import { FixtureRegistry } from '../registry/fixture.ts'
import { makeImage, makeLayer, type TestImage } from '../support/images.ts'
import { runLamina } from '../support/lamina.ts'
import { spawnService, temporaryData } from '../support/service.ts'
import { line, residentMegabytes, seconds, shell } from './measure.ts'

const TAGS = 2_000
const PAGE = 1_000
const PODS = 500
const IMAGES = 60
const LAYER_BYTES = 16_000_000

export default async function storage(): Promise<void> {
  const registry = await FixtureRegistry.start()
  const data = await temporaryData()
  const service = await spawnService('node', data)
  try {
    const layers = await Promise.all(Array.from({ length: 8 }, (_, n) => makeLayer([{ name: `layer${n}` }])))
    const images: TestImage[] = []
    for (let n = 0; n < TAGS; n++) {
      const own = layers.slice(n % 4, 4 + (n % 5))
      const image = makeImage(own, { config: { config: { Labels: { n: `${n}` } } } })
      images.push(image)
      registry.push('large', `t${String(n).padStart(4, '0')}`, image)
    }
    await repository(service, registry, images)
    await cluster(registry)
    await compressions(service.url, registry)
  } finally {
    await service.end('SIGTERM')
    await registry.close()
    await rm(data, { recursive: true, force: true })
  }
}

async function repository(
  { url, pid }: { readonly url: string; readonly pid: number },
  registry: FixtureRegistry,
  images: readonly TestImage[],
): Promise<void> {
  const before = await residentMegabytes(pid)
  for (let page = 0; page < TAGS / PAGE; page++) {
    const own = images.slice(page * PAGE, (page + 1) * PAGE)
    const reference = await seconds(() =>
      inParallel(own, 4, async (image) => {
        await bytes(`http://${registry.host}/v2/large/manifests/${image.descriptor.digest}`)
        await bytes(`http://${registry.host}/v2/large/blobs/${image.config.descriptor.digest}`)
      }),
    )
    registry.forgetRequests()
    const query = new URLSearchParams({
      repository: `${registry.host}/large`,
      tag: `t${page}*`,
      limit: '1000',
    })
    const asked = () => bytes(`${url}/v1/storage?${query}`)
    const taken = await seconds(asked)
    const questions = registry.requests.length
    line(`${PAGE} tags of ${TAGS}`, {
      seconds: taken,
      ratio: taken / reference,
      questions: String(questions),
      again: await seconds(asked),
      'resident MB more': (await residentMegabytes(pid)) - before,
    })
  }
}

async function cluster(registry: FixtureRegistry): Promise<void> {
  const base = await makeLayer([{ name: 'base' }])
  for (let n = 0; n < IMAGES; n++)
    registry.push(`app${n}`, 'v1', makeImage([base, await makeLayer([{ name: `own${n}` }])]))
  const items = Array.from({ length: PODS }, (_, n) => ({
    kind: 'Pod',
    metadata: { name: `p${n}` },
    spec: {
      nodeName: `node-${n % 50}`,
      containers: [{ name: 'c', image: `${registry.host}/app${n % IMAGES}:v1` }],
    },
  }))
  const input = new TextEncoder().encode(JSON.stringify({ kind: 'List', items }))
  const environment = { HOME: tmpdir() }
  registry.forgetRequests()
  const taken = await seconds(async () => {
    const { code, err } = await runLamina(['cluster', '--no-cache', '-'], environment, input)
    if (code !== 0) throw new Error(err)
  })
  const questions = registry.requests.length
  const start = await seconds(() => runLamina(['version'], environment))
  line(`lamina cluster: ${PODS} pods of ${IMAGES} images`, {
    seconds: taken,
    'of lamina version': start,
    questions: String(questions),
  })
}

async function compressions(url: string, registry: FixtureRegistry): Promise<void> {
  let content = ''
  for (let n = 0; content.length < LAYER_BYTES; n++)
    content += `${n} ${Math.imul(n, 2_654_435_761).toString(36)} text of a line\n`
  const layer = await makeLayer([{ name: 'text', content }], { compression: 'none' })
  const reference = registry.push('text', 'v1', makeImage([layer]))
  const file = join(tmpdir(), `lamina-bench-${process.pid}`)
  await writeFile(file, layer.bytes ?? new Uint8Array(0))
  try {
    for (const [setting, command] of Object.entries({
      'zstd:3': 'zstd -qc3 --single-thread',
      'gzip:6': 'gzip -6c',
    })) {
      const theirs = await seconds(() => shell(`${command} ${file} > /dev/null`))
      const query = new URLSearchParams({ image: reference, with: setting, wait: '300' })
      let measured = 0
      const taken = await seconds(async () => {
        const { total } = JSON.parse(new TextDecoder().decode(await bytes(`${url}/v1/compression?${query}`)))
        measured = total.measured[setting].compressSeconds
      })
      line(`${layer.bytes?.length} bytes with ${setting}`, {
        seconds: taken,
        compressing: measured,
        ratio: measured / theirs,
      })
    }
  } finally {
    await rm(file, { force: true })
  }
}

async function bytes(url: string): Promise<Uint8Array> {
  const answer = await fetch(url)
  if (!answer.ok) throw new Error(`${url}: ${answer.status}`)
  return new Uint8Array(await answer.arrayBuffer())
}
