/**
 * Archives uploaded to freshly started services: the first report of app:v1 against one shell that reads the same layers out
 * of the same archive, the peak memory of an archive of 4 GB against that of the same files from a registry, and an archive
 * of 100,000 members against `tar -tf`.
 */
import { openAsBlob } from 'node:fs'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { createGunzip } from 'node:zlib'
import { openArchive } from '../../workers/node/engine/local-archive.ts'
import { webStream } from '../../workers/node/web-stream.ts'
import { largeLayer, largeLayerBytes } from '../layers/large-layer.ts'
import { FixtureRegistry } from '../registry/fixture.ts'
import { ociLayout, packArchive } from '../support/archives.ts'
import { jsonBytes, makeImage, makeLayer } from '../support/images.ts'
import { HOSTS, type HostName, type SpawnedService, spawnCommand, temporaryData } from '../support/service.ts'
import { header, member, tar } from '../support/tar.ts'
import { withFolder } from './layers.ts'
import { areInstalled, best, line, peakMegabytes, processBelow, REGISTRY, seconds, shell } from './measure.ts'

const RUNS = 5
/** Started as in the README. */
const COMMANDS = { worker: ['npm', 'start'], node: ['npm', 'run', 'start:node'] } as const
/** A string in the command line of the process that does the work. */
const RUNS_IN = { worker: 'workerd', node: 'dist/run/' } as const
/** Nobody sends a request at the very moment the service starts to listen. */
const STARTED_MILLISECONDS = 1_000
const MEMBERS = 100_000
const LARGE_LAYERS = 8
const FILES_OF_LARGE = 480

/** skopeo's name for each form, the names of its layers, and the shell command that reads them. */
const FORMS = [
  {
    what: 'plain layers',
    transport: 'docker-archive',
    layers: `tar -xOf $archive manifest.json | jq -r '.[0].Layers[]'`,
    read: 'tar -xOf $archive $layer | sha256sum',
  },
  {
    what: 'gzip layers',
    transport: 'oci-archive',
    layers: `tar -xOf $archive blobs/$(tar -xOf $archive index.json | jq -r .manifests[0].digest | tr : /) | jq -r .layers[].digest | sed 's|:|/|; s|^|blobs/|'`,
    read: 'tar -xOf $archive $layer | gzip -dc | sha256sum',
  },
] as const

export default async function upload(): Promise<void> {
  if (await areInstalled('skopeo', 'jq')) for (const form of FORMS) await firstReport(form)
  else line('skopeo, jq', { '': 'not on this machine' })
  await opening()
  await memory()
}

async function firstReport({ what, transport, layers, read }: (typeof FORMS)[number]): Promise<void> {
  await withFolder(async (at) => {
    const archive = at('app.tar')
    await shell(
      `skopeo copy --quiet --src-tls-verify=false docker://${REGISTRY}/app:v1 ${transport}:${archive}:app:v1`,
    )
    await shell(`archive=${archive}; ${layers} > ${at('layers')}`)
    const names = (await readFile(at('layers'), 'utf8')).trim().split('\n')
    const each = names.map((layer) => `archive=${archive} layer=${layer}; ${read}`).join('; ')
    const reference: number[] = []
    const times = new Map(HOSTS.map((host) => [host, { upload: [] as number[], report: [] as number[] }]))
    for (let run = 0; run < RUNS; run++) {
      reference.push(await seconds(() => shell(each)))
      for (const [host, { upload, report }] of times) {
        await withService(host, async (service) => {
          let image = ''
          upload.push(
            await seconds(async () => {
              image = await uploaded(service, await openAsBlob(archive))
            }),
          )
          report.push(await seconds(() => reported(service, image)))
        })
      }
    }
    line(`one shell: ${read}`, { seconds: best(reference) })
    for (const [host, { upload, report }] of times)
      line(`first report of an upload, ${what}, ${host}`, {
        seconds: best(report),
        ratio: best(report) / best(reference),
        'upload seconds': best(upload),
      })
  })
}

async function opening(): Promise<void> {
  const image = makeImage([await makeLayer([{ name: 'file', content: 'content' }])])
  const others = Array.from({ length: MEMBERS }, (_, i) => member({ name: `other/${i}` }, `${i}`))
  await withFolder(async (at) => {
    const archive = at('many.tar')
    await writeFile(archive, tar(...others, packArchive(ociLayout([{ image }])).subarray(0, -1024)))
    const times = { tar: [] as number[], file: [] as number[] }
    const uploads = new Map(HOSTS.map((host) => [host, [] as number[]]))
    for (let run = 0; run < RUNS; run++) {
      times.tar.push(await seconds(() => shell(`tar -tf ${archive} | wc -l`)))
      times.file.push(
        await seconds(() =>
          openArchive(archive, {
            wasm: () => Promise.reject(new Error('it is a plain tar')),
            zstdWindow: 0,
            maxBytes: 0,
            unpacked: at('unpacked'),
          }),
        ),
      )
      for (const [host, all] of uploads)
        await withService(host, async (service) => {
          all.push(await seconds(async () => uploaded(service, await openAsBlob(archive))))
        })
    }
    line(`tar -tf of ${MEMBERS} members`, { seconds: best(times.tar) })
    const ratio = (all: readonly number[]) => ({ seconds: best(all), ratio: best(all) / best(times.tar) })
    line('the same opened as a file', ratio(times.file))
    for (const [host, all] of uploads) line(`the same uploaded, ${host}`, ratio(all))
  })
}

/** The peak memory of a service while it receives and reads 4 GB of files. */
async function memory(): Promise<void> {
  const layers = Array.from({ length: LARGE_LAYERS }, (_, layer) =>
    largeLayer(`layer-${layer}`, FILES_OF_LARGE),
  )
  const image = makeImage(layers)
  const size = largeLayerBytes(FILES_OF_LARGE)
  async function* archive(): AsyncGenerator<Uint8Array> {
    yield member({ name: 'config.json' }, Buffer.from(image.config.bytes))
    for (const [i, { bytes = new Uint8Array() }] of layers.entries()) {
      yield header({ name: `${i}/layer.tar`, size })
      yield* Readable.from([bytes]).pipe(createGunzip())
    }
    const listed = [{ Config: 'config.json', RepoTags: null, Layers: layers.map((_, i) => `${i}/layer.tar`) }]
    yield member({ name: 'manifest.json' }, Buffer.from(jsonBytes(listed)))
    yield tar()
  }
  const registry = await FixtureRegistry.start()
  const pushed = registry.push('large', 'v1', image)
  for (const host of HOSTS) {
    const peaks: number[] = []
    for (const way of ['registry', 'upload']) {
      await withService(host, async (service) => {
        const image =
          way === 'registry' ? pushed : await uploaded(service, webStream(Readable.from(archive())))
        await reported(service, image)
        const pid = await processBelow(service.pid, RUNS_IN[host])
        if (pid === undefined) throw new Error(`${host} has no process`)
        peaks.push(await peakMegabytes(pid))
      })
    }
    const [ofRegistry = Number.NaN, ofUpload = Number.NaN] = peaks
    line(`peak resident, an archive of 4 GB, ${host}`, { MB: ofUpload, 'from a registry': ofRegistry })
  }
  await registry.close()
}

async function withService(host: HostName, use: (service: SpawnedService) => Promise<void>): Promise<void> {
  const data = await temporaryData()
  const service = await spawnCommand(COMMANDS[host], data)
  try {
    await sleep(STARTED_MILLISECONDS)
    await use(service)
  } finally {
    await service.end('SIGKILL')
    await rm(data, { recursive: true, force: true })
  }
}

/** @returns the reference of the upload */
async function uploaded({ url }: SpawnedService, body: Blob | ReadableStream<Uint8Array>): Promise<string> {
  const request = { method: 'PUT', body, duplex: 'half' }
  const answer = await fetch(`${url}/v1/uploads`, request)
  if (answer.status !== 201) throw new Error(await answer.text())
  const { reference }: { reference: string } = await answer.json()
  return reference
}

async function reported({ url }: SpawnedService, image: string): Promise<void> {
  const answer = await fetch(`${url}/v1/report?wait=300&image=${encodeURIComponent(image)}`)
  if (answer.status !== 200) throw new Error(await answer.text())
  await answer.json()
}
