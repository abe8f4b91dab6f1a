/**
 * An export of an analysed image, against `gzip -dc | sha256sum` over its layers and against tools that do the same, as far
 * as they are on this machine; and the peak memory of Node while it exports an image of 4 GB under a small heap.
 */
import { rm } from 'node:fs/promises'
import { largeLayer } from '../layers/large-layer.ts'
import { FixtureRegistry } from '../registry/fixture.ts'
import { makeImage } from '../support/images.ts'
import { HOSTS, spawnService, startService, temporaryData } from '../support/service.ts'
import { withFolder } from './layers.ts'
import { areInstalled, best, layerFiles, line, peakMegabytes, REGISTRY, seconds, shell } from './measure.ts'

const RUNS = 5
const IMAGE = 'app:v1'
const HEAP = 48

/** What each does, the tools that it needs, and its command, run in an empty folder. */
const PEERS: readonly (readonly [string, readonly string[], string])[] = [
  ['crane export', ['crane'], `crane export --insecure ${REGISTRY}/${IMAGE} - > tar`],
  [
    'skopeo copy, umoci unpack',
    ['skopeo', 'umoci'],
    `skopeo copy --quiet --src-tls-verify=false docker://${REGISTRY}/${IMAGE} oci:image:v1 && umoci --log error unpack --image image:v1 bundle`,
  ],
]

/** Milliseconds until the first byte arrives, seconds until the last. */
async function exported(url: string, image: string): Promise<{ first: number; last: number }> {
  let first = 0
  const last = await seconds(async () => {
    const began = performance.now()
    const answer = await fetch(`${url}/v1/export?wait=300&image=${image}`)
    if (answer.status !== 200 || answer.body === null) throw new Error(await answer.text())
    for await (const _ of answer.body) first ||= performance.now() - began
  })
  return { first, last }
}

export default async function exports(): Promise<void> {
  const { files, done } = await layerFiles('app', 'v1')
  const image = `${REGISTRY}/${IMAGE}`
  const services = await Promise.all(HOSTS.map(async (host) => ({ host, service: await startService(host) })))
  for (const { service } of services) await exported(service.url, image)
  const reference: number[] = []
  const own = new Map(HOSTS.map((host) => [host, { first: [] as number[], last: [] as number[] }]))
  const others = new Map(PEERS.map(([what]): [string, number[]] => [what, []]))
  for (let run = 0; run < RUNS; run++) {
    reference.push(
      await seconds(async () => {
        for (const file of files) await shell(`gzip -dc ${file} | sha256sum`)
      }),
    )
    for (const { host, service } of services) {
      const { first, last } = await exported(service.url, image)
      own.get(host)?.first.push(first)
      own.get(host)?.last.push(last)
    }
    for (const [what, tools, command] of PEERS) {
      if (!(await areInstalled(...tools))) continue
      await withFolder(async (at) => {
        others.get(what)?.push(await seconds(() => shell(`cd ${at('.')} && ${command}`)))
      })
    }
  }
  await Promise.all([done(), ...services.map(({ service }) => service.stop())])
  line('gzip -dc | sha256sum, layer after layer', { seconds: best(reference) })
  for (const [host, { first, last }] of own) {
    line(`export of ${IMAGE}, ${host}`, {
      seconds: best(last),
      ratio: best(last) / best(reference),
      'first byte ms': best(first),
    })
  }
  for (const [what, all] of others) {
    if (all.length === 0) line(what, { '': 'not on this machine' })
    else line(what, { seconds: best(all), ratio: best(all) / best(reference) })
  }
  await peak()
}

/** Memory peaks for an image of 4 GB: of its analysis, and of its export by a fresh process. */
async function peak(): Promise<void> {
  const registry = await FixtureRegistry.start()
  const data = await temporaryData()
  const layers = Array.from({ length: 8 }, (_, layer) => largeLayer(`layer-${layer}`, 480))
  const image = registry.push('large', 'v1', makeImage(layers))
  for (const what of ['analysis and export', 'export']) {
    const service = await spawnService('node', data, {}, [`--max-old-space-size=${HEAP}`])
    const idle = await peakMegabytes(service.pid)
    const { last } = await exported(service.url, image)
    line(`${what} of 4 GB on Node, heap of ${HEAP} MB`, {
      'peak MB': await peakMegabytes(service.pid),
      'idle MB': idle,
      seconds: last,
    })
    await service.end('SIGTERM')
  }
  await Promise.all([registry.close(), rm(data, { recursive: true })])
}
