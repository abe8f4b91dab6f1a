/**
 * The command as it is published: how long it takes to start beyond Node itself, and a report of an image that it has not
 * read and of one that it has, with the start of the process, against one shell that runs `gzip -dc | sha256sum` over the layers.
 */
import { rm } from 'node:fs/promises'
import { bundleCli } from '../../cli/bundle.ts'
import { withFolder } from './layers.ts'
import { layerFiles, line, median, REGISTRY, seconds, shell } from './measure.ts'

const STARTS = 20
const RUNS = 5
const IMAGE = `${REGISTRY}/app:v1`

export default async function bench(): Promise<void> {
  await withFolder(async (at) => {
    await bundleCli(at('lamina'))
    const lamina = `${process.execPath} ${at('lamina/lamina.js')}`
    const times = {
      node: [] as number[],
      version: [] as number[],
      gzip: [] as number[],
      cold: [] as number[],
      warm: [] as number[],
    }
    const time = async (what: keyof typeof times, command: string) => {
      times[what].push(await seconds(() => shell(command)))
    }
    for (let start = 0; start < STARTS; start++) {
      await time('node', `${process.execPath} -e 0`)
      await time('version', `${lamina} version`)
    }
    const { files, done } = await layerFiles('app', 'v1')
    const report = `XDG_CACHE_HOME=${at('cache')} ${lamina} report ${IMAGE} --format json`
    for (let run = 0; run < RUNS; run++) {
      await time('gzip', files.map((file) => `gzip -dc ${file} | sha256sum`).join('; '))
      // The compiled code stays cached, as it does from image to image.
      for (const folder of ['configs', 'images', 'layers', 'manifests', 'names', 'sources'])
        await rm(at(`cache/lamina/${folder}`), { recursive: true, force: true })
      await time('cold', report)
      await time('warm', report)
    }
    await done()
    const beyond = times.version.map((one, i) => (one - (times.node[i] ?? 0)) * 1000)
    line('lamina version, beyond node -e 0', { ms: median(beyond), node: median(times.node) * 1000 })
    line('one shell: gzip -dc | sha256sum, each layer', { seconds: median(times.gzip) })
    for (const what of ['cold', 'warm'] as const)
      line(`lamina report app:v1, ${what}`, {
        seconds: median(times[what]),
        ratio: median(times[what]) / median(times.gzip),
      })
  })
}
