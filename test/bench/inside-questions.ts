/**
 * What is inside a file, when somebody asks: seconds of a new question about a known image on both hosts, against reading the
 * layer whole.
 */
import { readFile } from 'node:fs/promises'
import { FixtureRegistry } from '../registry/fixture.ts'
import { makeImage, makeLayer } from '../support/images.ts'
import { HOSTS, startService } from '../support/service.ts'
import { zipOf } from '../support/zip.ts'
import { best, line, median, seconds } from './measure.ts'

const MEGABYTE = 1_000_000
/** The first image of a form warms up the service. */
const IMAGES = 4
const GO_PROGRAMS = [
  '/usr/sbin/dockerd',
  '/usr/libexec/docker/cli-plugins/docker-compose',
  '/usr/bin/containerd',
]
const CLASSES = 40_000
const QUESTIONS = [
  ['modules of a Go program of 100 MB', { path: 'app/server' }],
  ['the list of a jar of 100 MB and 40,000 entries', { path: 'app/server.jar' }],
  ['its largest entries', { path: 'app/server.jar', sort: '-bytes' }],
] as const

export async function askInside(): Promise<void> {
  const registry = await FixtureRegistry.start()
  const files = [
    { name: 'app/server', content: await goProgram(), mode: 0o755 },
    { name: 'app/server.jar', content: fatJar() },
  ]
  for (const compression of ['none', 'gzip'] as const) {
    const images = await Promise.all(
      Array.from({ length: IMAGES }, async (_, image) => {
        const layer = await makeLayer([{ name: 'image', content: `${image}` }, ...files], { compression })
        return { layer, reference: registry.push(compression, `v${image}`, makeImage([layer])) }
      }),
    )
    const whole: number[] = []
    for (const { layer, reference } of images) {
      const [host = ''] = reference.split('/')
      const blob = `http://${host}/v2/${compression}/blobs/${layer.descriptor.digest}`
      whole.push(await seconds(() => readBlob(blob, compression)))
    }
    for (const host of HOSTS) {
      const service = await startService(host)
      for (const { reference } of images)
        await answer(service.url, '/v1/report', { image: reference, wait: '300' })
      for (const [what, query] of QUESTIONS) {
        const took: number[] = []
        for (const { reference } of images)
          took.push(await seconds(() => inside(service.url, { image: reference, ...query })))
        const fresh = took.slice(1)
        line(`${host}, ${compression === 'none' ? 'plain' : compression} layer: ${what}`, {
          seconds: best(fresh),
          median: median(fresh),
          'of reading the layer': best(fresh) / best(whole),
        })
      }
      await service.stop()
    }
    for (const { layer } of images) registry.removeBlob(compression, layer.descriptor.digest)
  }
  await registry.close()
}

async function inside(url: string, query: Record<string, string>): Promise<void> {
  const text = await answer(url, '/v1/inside', query)
  if (!/"kind":"zip"|"modules":\[\{/.test(text)) throw new Error(`neither a zip nor a Go program: ${text}`)
}

async function answer(url: string, path: string, query: Record<string, string>): Promise<string> {
  const response = await fetch(`${url}${path}?${new URLSearchParams(query)}`)
  const text = await response.text()
  if (response.status !== 200) throw new Error(text)
  return text
}

async function readBlob(url: string, compression: 'none' | 'gzip'): Promise<void> {
  const { body } = await fetch(url)
  if (body === null) throw new Error('no body')
  const tar = compression === 'none' ? body : body.pipeThrough(new DecompressionStream('gzip'))
  for await (const _ of tar);
}

/** Padded: Go's tools read what stands before. */
async function goProgram(): Promise<Uint8Array> {
  for (const path of GO_PROGRAMS) {
    const program = await readFile(path).catch(() => undefined)
    if (program === undefined) continue
    const padding = Buffer.alloc(Math.max(0, 100 * MEGABYTE - program.length), 'padding ')
    return Buffer.concat([program, padding])
  }
  throw new Error(`none of ${GO_PROGRAMS.join(', ')} is there`)
}

function fatJar(): Uint8Array {
  const bytes = (100 * MEGABYTE) / CLASSES
  const content = Buffer.alloc(bytes, 'class ')
  const classes = Array.from({ length: CLASSES }, (_, i) => [`com/example/p${i % 300}/C${i}.class`, content])
  return zipOf({}, { stored: Object.fromEntries(classes) })
}
