/**
 * The first report of an image, through HTTP on a fresh service, against `gzip -dc | sha256sum` over its layers, and against
 * tools that do less, as far as they are on this machine; they fetch the image from the same registry.
 */
import { HOSTS, startService } from '../service.ts'
import { withFolder } from './layers.ts'
import {
  areInstalled,
  best,
  layerFiles,
  line,
  peakMegabytes,
  REGISTRY,
  seconds,
  shell,
  workerdPid,
} from './measure.ts'

const RUNS = 3
const IMAGE = 'app:v1'

const FETCH = `skopeo copy --quiet --src-tls-verify=false docker://${REGISTRY}/${IMAGE}`
/** What each does, and the command that does it, in an empty folder. */
const PEERS = new Map([
  ['skopeo: the blobs, verified', `${FETCH} dir:blobs`],
  [
    'skopeo, umoci: the merged files on disk',
    `${FETCH} oci:image:v1 && umoci --log error unpack --rootless --image image:v1 bundle`,
  ],
])

async function report(url: string, image: string): Promise<void> {
  const answer = await fetch(`${url}/v1/report?wait=300&image=${REGISTRY}/${image}`)
  if (answer.status !== 200) throw new Error(`${image}: ${answer.status} ${await answer.text()}`)
  await answer.json()
}

export default async function cold(): Promise<void> {
  const { files, done } = await layerFiles('app', 'v1')
  const peers = (await areInstalled('skopeo', 'umoci')) ? PEERS : []
  const reference: number[] = []
  const times = new Map<string, number[]>(
    [...HOSTS.map((host) => `${IMAGE} cold, ${host}`), ...PEERS.keys()].map((what) => [what, []]),
  )
  let peak = 0
  for (let run = 0; run < RUNS; run++) {
    reference.push(
      await seconds(async () => {
        for (const file of files) await shell(`gzip -dc ${file} | sha256sum`)
      }),
    )
    for (const host of HOSTS) {
      const service = await startService(host)
      await report(service.url, 'busybox:gzip')
      times.get(`${IMAGE} cold, ${host}`)?.push(await seconds(() => report(service.url, IMAGE)))
      const pid = host === 'worker' ? await workerdPid() : undefined
      if (pid !== undefined) peak = Math.max(peak, await peakMegabytes(pid))
      await service.stop()
    }
    for (const [what, command] of peers) {
      await withFolder(async (at) => {
        times.get(what)?.push(await seconds(() => shell(`cd ${at('.')} && ${command}`)))
      })
    }
  }
  await done()
  line('gzip -dc | sha256sum, layer after layer', { seconds: best(reference) })
  for (const [what, all] of times) {
    if (all.length === 0) line(what, { '': 'not on this machine' })
    else line(what, { seconds: best(all), ratio: best(all) / best(reference) })
  }
  line('workerd, peak resident', { MB: peak })
}
