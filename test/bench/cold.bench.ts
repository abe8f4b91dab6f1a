/**
 * The first report of an image by a service that has just been started by the README's command, timed from outside, against
 * one shell that runs `gzip -dc | sha256sum` over the layers, and against tools that do less, as far as they are on this
 * machine; they fetch the image from the same registry.
 */
import { rm } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { spawnCommand, temporaryData } from '../support/service.ts'
import { withFolder } from './layers.ts'
import {
  areInstalled,
  best,
  layerFiles,
  line,
  median,
  peakMegabytes,
  processBelow,
  REGISTRY,
  seconds,
  shell,
} from './measure.ts'

const RUNS = 5
const IMAGE = 'app:v1'
/** Nobody sends a request at the very moment the service starts to listen. */
const STARTED_MILLISECONDS = 1_000

type Started = {
  readonly command: readonly string[]
  /** A string in the command line of the process that does the work. */
  readonly runs: string
}

const SERVICES: readonly Started[] = [
  { command: ['npm', 'start'], runs: 'workerd' },
  { command: ['npm', 'run', 'start:node'], runs: 'dist/run/' },
]

const FETCH = `skopeo copy --quiet --src-tls-verify=false docker://${REGISTRY}/${IMAGE}`
/** What each tool does, and its command, run in an empty folder. */
const PEERS = new Map([
  ['skopeo: the blobs, verified', `${FETCH} dir:blobs`],
  [
    'skopeo, umoci: the merged files on disk',
    `${FETCH} oci:image:v1 && umoci --log error unpack --rootless --image image:v1 bundle`,
  ],
])

type Cold = { readonly seconds: number; readonly peakMegabytes: number }

async function cold({ command, runs }: Started): Promise<Cold> {
  const data = await temporaryData()
  const service = await spawnCommand(command, data)
  try {
    await sleep(STARTED_MILLISECONDS)
    const time = await seconds(async () => {
      const answer = await fetch(`${service.url}/v1/report?wait=300&image=${REGISTRY}/${IMAGE}`)
      if (answer.status !== 200) throw new Error(`${IMAGE}: ${answer.status} ${await answer.text()}`)
      await answer.json()
    })
    const pid = await processBelow(service.pid, runs)
    return { seconds: time, peakMegabytes: pid === undefined ? 0 : await peakMegabytes(pid) }
  } finally {
    await service.end('SIGKILL')
    await rm(data, { recursive: true, force: true })
  }
}

export default async function bench(): Promise<void> {
  const { files, done } = await layerFiles('app', 'v1')
  const each = files.map((file) => `gzip -dc ${file} | sha256sum`).join('; ')
  const peers = (await areInstalled('skopeo', 'umoci')) ? [...PEERS] : []
  const reference: number[] = []
  const times = new Map<string, number[]>()
  const peaks = new Map<string, number>()
  const add = (what: string, time: number) => {
    times.set(what, [...(times.get(what) ?? []), time])
  }
  for (let run = 0; run < RUNS; run++) {
    reference.push(await seconds(() => shell(each)))
    for (const started of SERVICES) {
      const what = `${IMAGE} cold, ${started.command.join(' ')}`
      const { seconds: time, peakMegabytes: peak } = await cold(started)
      add(what, time)
      peaks.set(what, Math.max(peak, peaks.get(what) ?? 0))
    }
    for (const [what, command] of peers) {
      await withFolder(async (at) => add(what, await seconds(() => shell(`cd ${at('.')} && ${command}`))))
    }
  }
  await done()
  line('one shell: gzip -dc | sha256sum, each layer', { seconds: best(reference), median: median(reference) })
  for (const [what, all] of times)
    line(what, {
      seconds: best(all),
      ratio: best(all) / best(reference),
      median: median(all),
      'ratio of medians': median(all) / median(reference),
    })
  if (peers.length === 0) line('skopeo, umoci', { '': 'not on this machine' })
  for (const [what, peak] of peaks) line(`${what}: peak resident`, { MB: peak })
}
