/** The first report of an image, through HTTP on a fresh service, against `gzip -dc | sha256sum` over its layers. */
import { HOSTS, startService } from '../service.ts'
import { best, layerFiles, line, peakMegabytes, REGISTRY, seconds, shell, workerdPid } from './measure.ts'

const RUNS = 3

async function report(url: string, image: string): Promise<void> {
  const answer = await fetch(`${url}/v1/report?wait=300&image=${REGISTRY}/${image}`)
  if (answer.status !== 200) throw new Error(`${image}: ${answer.status} ${await answer.text()}`)
  await answer.json()
}

export default async function cold(): Promise<void> {
  const { files, done } = await layerFiles('app', 'v1')
  const reference: number[] = []
  const times = new Map<string, number[]>(HOSTS.map((host) => [host, []]))
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
      times.get(host)?.push(await seconds(() => report(service.url, 'app:v1')))
      const pid = host === 'worker' ? await workerdPid() : undefined
      if (pid !== undefined) peak = Math.max(peak, await peakMegabytes(pid))
      await service.stop()
    }
  }
  await done()
  line('gzip -dc | sha256sum, layer after layer', { seconds: best(reference) })
  for (const [host, all] of times) {
    line(`app:v1 cold, ${host}`, { seconds: best(all), ratio: best(all) / best(reference) })
  }
  line('workerd, peak resident', { MB: peak })
}
