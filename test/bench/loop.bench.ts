/**
 * The longest turn of the event loop on Node while an image of a million files is read, merged, compared and exported: in
 * the answering thread and in the workers.
 */
import { rm } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { manyFiles } from '../layers/many-files.ts'
import { FixtureRegistry } from '../registry/fixture.ts'
import { makeImage, makeLayer, type TestLayer } from '../support/images.ts'
import { NODE_FLAGS, type SpawnedService, spawnService, temporaryData } from '../support/service.ts'
import { cpuSeconds, line } from './measure.ts'

const LAYERS = 5
const FILES = 1_000_000
const CHANGED = 10_000
const TURNS = new URL('turns.ts', import.meta.url)
/** Time for each thread to report its last turn. */
const TOLD_MILLISECONDS = 500

type Ask = { readonly path: string; readonly headers?: Record<string, string> }

export default async function loop(): Promise<void> {
  const [registry, data] = await Promise.all([FixtureRegistry.start(), temporaryData()])
  const layers: TestLayer[] = []
  for (let layer = 0; layer < LAYERS; layer++)
    layers.push(await packed(manyFiles(FILES / LAYERS, (layer * FILES) / LAYERS)))
  const from = registry.push('many', 'v1', makeImage(layers))
  const to = registry.push(
    'many',
    'v2',
    makeImage([...layers, await packed(manyFiles(CHANGED, FILES - CHANGED / 2))]),
  )
  const service = await spawnService('node', data, {}, [...NODE_FLAGS, '--import', TURNS.href])
  const lines = { Accept: 'application/x-ndjson' }
  const asks: Readonly<Record<string, Ask>> = {
    'first report': { path: `/v1/report?wait=300&image=${from}` },
    'first report of the other': { path: `/v1/report?wait=300&image=${to}` },
    diff: { path: `/v1/diff?wait=300&from=${from}&to=${to}` },
    'changed files': { path: `/v1/diff/files?wait=300&from=${from}&to=${to}`, headers: lines },
    'page of the diff': { path: `/?from=${from}&to=${to}`, headers: { Accept: 'text/html' } },
    files: { path: `/v1/files?image=${from}`, headers: lines },
    tree: { path: `/v1/tree?image=${from}` },
    advice: { path: `/v1/advice?image=${from}` },
    export: { path: `/v1/export?image=${to}` },
  }
  try {
    for (const [what, { path, headers = {} }] of Object.entries(asks)) {
      const turns = await longestTurns(service, async () => {
        const answer = await fetch(service.url + path, { headers })
        if (answer.status !== 200 || answer.body === null) throw new Error(`${path}: ${await answer.text()}`)
        for await (const _ of answer.body);
      })
      line(`${what}, ${FILES} files`, turns)
    }
  } finally {
    await service.end('SIGKILL')
    await Promise.all([registry.close(), rm(data, { recursive: true, force: true })])
  }
}

function packed(tar: Uint8Array): Promise<TestLayer> {
  return makeLayer(tar, { bytes: gzipSync(tar, { level: 1 }) })
}

/** In milliseconds. */
async function longestTurns(
  service: SpawnedService,
  work: () => Promise<void>,
): Promise<Record<string, number>> {
  await sleep(TOLD_MILLISECONDS)
  const { length } = service.output()
  const [began, used] = [performance.now(), await cpuSeconds(service.pid)]
  await work()
  const seconds = (performance.now() - began) / 1000
  const cpu = (await cpuSeconds(service.pid)) - used
  await sleep(TOLD_MILLISECONDS)
  const told = service.output().slice(length)
  const turns = [...told.matchAll(/longest turn of (\w+): ([\d.]+) ms, ([\d.]+)/g)]
  const longest = (whose: string, which: 2 | 3) =>
    Math.max(...turns.map((turn) => (turn[1] === whose ? Number(turn[which]) : 0)))
  return {
    seconds,
    cpu,
    'answering: ms': longest('answering', 2),
    'of CPU': longest('answering', 3),
    'working: ms': longest('working', 2),
    'of CPU ': longest('working', 3),
  }
}
