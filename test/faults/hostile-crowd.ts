/**
 * Hostile clients, uploads and registries, all at the same time: archives with many names and images, archives and layers whose
 * zstd frames claim large windows and fill them, bodies and uploads that stall, an image of long names that is searched, and
 * registries that send slowly beside a quick one.
 */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { gzipSync } from 'node:zlib'
import { inParallel } from '../../src/concurrency.ts'
import { FixtureRegistry } from '../registry/fixture.ts'
import { type ArchiveFiles, packArchive, repeatedImages } from '../support/archives.ts'
import { jsonBytes, makeImage, makeLayer, type TestImage, type TestLayer } from '../support/images.ts'
import { header, MAGIC, member, records } from '../support/tar.ts'
import { tarOfZeros, unfinishedFrame } from '../support/zstd-frame.ts'

export type CrowdSize = {
  /** Connections whose bodies stall. */
  readonly bodies: number
  /** Connections whose uploads stall. */
  readonly uploads: number
  /** Archives of each form. */
  readonly archives: number
  /** Layers and archives whose zstd frames claim the largest window. */
  readonly windows: number
  /** Images of slow registries, and of a quick one. */
  readonly slow: number
  readonly quick: number
  /** Long names in an image. */
  readonly names: number
}

const MIB = 2 ** 20
const SECRET = 'the-secret-of-the-webhooks'
const SLOW_REGISTRIES = 4
/** What an upload that stalls has sent: less than a part. */
const SENT_BYTES = 3 * MIB
const DRIP = { drip: { bytes: 200, milliseconds: 1_000 } }
const AT_ONCE = 10
/** Of 1,000 bytes each. */
const FOLDERS = `${'a'.repeat(199)}/`.repeat(4)
/** Largest window that any host decodes. */
const WINDOW_LOG = 27

let clients = 0

/** A client with an address of its own. */
function client(): { readonly 'X-Forwarded-For': string } {
  clients++
  return { 'X-Forwarded-For': `10.${clients >> 16}.${(clients >> 8) & 255}.${clients & 255}` }
}

/** A Docker archive of images that share a layer, each with these names. */
function namedImages(layer: TestLayer, count: number, names: readonly string[]): ArchiveFiles {
  const configs = Array.from({ length: count }, (_, i) =>
    makeImage([layer], { config: { created: new Date(i * 1_000).toISOString() } }),
  ).map(({ config }): [string, Uint8Array] => [`${config.descriptor.digest.slice(7)}.json`, config.bytes])
  const listed = configs.map(([Config]) => ({ Config, RepoTags: names, Layers: ['layer.tar'] }))
  return {
    ...Object.fromEntries(configs),
    'layer.tar': layer.bytes ?? new Uint8Array(0),
    'manifest.json': jsonBytes(listed),
  }
}

/** Each as it is sent. */
async function hostileArchives(): Promise<Readonly<Record<string, Uint8Array>>> {
  const layer = await makeLayer([{ name: 'a', content: 'a' }], { compression: 'none' })
  const names = (count: number) => Array.from({ length: count }, (_, i) => `app:${i}`)
  const tall = makeImage(new Array<TestLayer>(1_024).fill(layer))
  const stacks = (count: number) =>
    repeatedImages(
      tall,
      Array.from({ length: count }, (_, i) => ({ names: [`app:${i}`], times: 1_024 })),
    )
  const bomb = packArchive({ zeros: new Uint8Array(300 * MIB) })
  return {
    '100 images with the same 100 names': gzipSync(packArchive(namedImages(layer, 100, names(100)))),
    '100 images with the same 10 names': gzipSync(packArchive(namedImages(layer, 100, names(10)))),
    '300 images of 1,024 layers': gzipSync(packArchive(stacks(300))),
    '19 images of 1,024 layers': gzipSync(packArchive(stacks(19))),
    'a bomb': gzipSync(bomb),
  }
}

/** One answer. @returns what it told */
async function tell(form: string, url: string): Promise<string> {
  const answer = await fetch(url, { headers: client() })
  await answer.arrayBuffer()
  return `${form}: ${answer.status}`
}

/** The same, once the analysis is done: on a busy machine that may take long. */
async function tellAtLast(form: string, url: string): Promise<string> {
  for (;;) {
    const told = await tell(form, `${url}&wait=60`)
    if (!told.endsWith(' 202')) return told
  }
}

/** Uploads that stall take all places for a while. */
async function sendArchive(url: string, form: string, body: Uint8Array): Promise<string[]> {
  const told: string[] = []
  for (;;) {
    const answer = await fetch(`${url}/v1/uploads`, {
      method: 'PUT',
      body: Buffer.from(body),
      headers: client(),
    })
    const { id, images = [] }: { id?: string; images?: { reference: string }[] } = await answer.json()
    told.push(`${form}: ${answer.status}`)
    if (answer.status === 429) continue
    if (id === undefined) return told
    const image = images.at(-1)?.reference ?? ''
    const query = new URLSearchParams({ image })
    return [
      ...told,
      ...(await Promise.all([
        ...[0, 1, 2].map(() => tell(`${form}, described`, `${url}/v1/uploads/${id}`)),
        tellAtLast(`${form}, report`, `${url}/v1/report?${query}`),
      ])),
    ]
  }
}

/** Connections that began a request, sent this much of its body, and then nothing. */
async function stall(
  url: string,
  count: number,
  { target, body, length }: { readonly target: string; readonly body: Uint8Array; readonly length: number },
): Promise<readonly Socket[]> {
  const { hostname, port } = new URL(url)
  return inParallel(Array.from({ length: count }), AT_ONCE, async () => {
    const socket = connect(Number(port), hostname)
    // The service may close it, and answer before it does.
    socket.on('error', () => {}).resume()
    await once(socket, 'connect')
    const head = {
      Host: 'localhost',
      'Content-Type': 'application/json',
      'Content-Length': length,
      ...client(),
    }
    const lines = Object.entries(head).map(([name, value]) => `${name}: ${value}\r\n`)
    socket.write(`${target} HTTP/1.1\r\n${lines.join('')}\r\n`)
    socket.write(body)
    return socket
  })
}

async function stallMany(url: string, { bodies, uploads }: CrowdSize): Promise<readonly Socket[]> {
  const nothing = new Uint8Array(0)
  const json = Buffer.alloc(MIB - 1, ' ')
  const plain = Buffer.concat([header({ name: 'stalls', size: 90 * MIB }), Buffer.alloc(SENT_BYTES)])
  const windowed = unfinishedFrame(WINDOW_LOG)
  const third = Math.ceil(bodies / 3)
  const half = Math.ceil(uploads / 2)
  const kinds = [
    { count: third, target: 'POST /v1/check', body: nothing, length: MIB },
    { count: third, target: `POST /v1/webhooks/quay?secret=${SECRET}`, body: json, length: MIB },
    { count: third, target: 'POST /v1/webhooks/quay?secret=wrong', body: nothing, length: MIB },
    { count: half, target: 'PUT /v1/uploads', body: plain, length: 100 * MIB },
    { count: half, target: 'PUT /v1/uploads', body: windowed, length: 100 * MIB },
  ]
  return (await Promise.all(kinds.map(({ count, ...kind }) => stall(url, count, kind)))).flat()
}

/** Layers that claim the largest window and fill it, each a bit longer. */
function windowedImages(count: number): Promise<readonly TestImage[]> {
  return inParallel([...Array(count).keys()], 1, async (i) => {
    const { tar, frame } = tarOfZeros(2 ** WINDOW_LOG + i * 2 ** 17, WINDOW_LOG)
    return makeImage([await makeLayer(tar, { compression: 'zstd', bytes: frame })])
  })
}

async function longNames(count: number): Promise<TestImage> {
  const members = Array.from({ length: count }, (_, at) => [
    member(
      { name: 'pax', type: 'x', magic: MAGIC.ustar },
      records([['path', FOLDERS + `${at}`.padStart(200, '0')]]),
    ),
    member({ name: 'x' }),
  ])
  const tar = Buffer.concat([...members.flat(), Buffer.alloc(1024)])
  return makeImage([await makeLayer(tar, { bytes: gzipSync(tar, { level: 1 }) })])
}

function smallImages(count: number, kind: string): Promise<readonly TestImage[]> {
  return inParallel([...Array(count).keys()], 1, async (i) => {
    const content = `${kind} ${i} `.repeat(50_000)
    return makeImage([await makeLayer([{ name: 'file', content }], { compression: 'none' })])
  })
}

export type HostileCrowd = {
  /** Of the service: each client has an address, so that no limit on one client protects it. */
  readonly settings: Readonly<Record<string, string>>
  /**
   * All of them ask the service at the same time.
   *
   * @returns how often each answer came, by form, as `quick: 200`
   */
  run(url: string): Promise<ReadonlyMap<string, number>>
  close(): Promise<void>
}

/** Makes all that the clients send and the registries have. */
export async function hostileCrowd(size: CrowdSize): Promise<HostileCrowd> {
  const [own, ...slow] = await Promise.all(
    Array.from({ length: SLOW_REGISTRIES + 1 }, () => FixtureRegistry.start()),
  )
  if (own === undefined) throw new Error('no registry')
  const archives = await hostileArchives()
  const windowed = await windowedImages(size.windows)
  const windows = windowed.map((image, i) => own.push('windows', `v${i}`, image))
  const names = own.push('names', 'v1', await longNames(size.names))
  const quick = (await smallImages(size.quick, 'quick')).map((image, i) => own.push('quick', `v${i}`, image))
  const dripping = (await smallImages(size.slow, 'slow')).flatMap((image, i) => {
    const registry = slow[i % slow.length]
    return registry === undefined ? [] : [registry.push('slow', `v${i}`, image)]
  })
  for (const registry of slow)
    registry.fault({ path: /blobs/, method: 'GET' }, DRIP, Number.POSITIVE_INFINITY)

  return {
    settings: {
      LAMINA_TRUSTED_PROXIES: '127.0.0.0/8',
      LAMINA_ALLOWED_REGISTRIES: [own, ...slow].map(({ host }) => host).join(','),
      LAMINA_WEBHOOK_SECRETS: SECRET,
    },
    async run(url) {
      const about = (image: string) => `${url}/v1/report?${new URLSearchParams({ image })}`
      const sockets = await stallMany(url, size)
      try {
        const slowly = await Promise.all(dripping.map((image) => tell('slow', about(image))))
        const told = await Promise.all([
          ...Object.entries(archives).flatMap(([form, body]) =>
            Array.from({ length: size.archives }, () => sendArchive(url, form, body)),
          ),
          ...windows.map((image) => tellAtLast('window', about(image))),
          ...quick.map((image) => tellAtLast('quick', about(image))),
          search(url, names),
        ])
        const still = await Promise.all(dripping.map((image) => tell('slow, at the end', about(image))))
        return counted([...slowly, ...told.flat(), ...still])
      } finally {
        for (const socket of sockets) socket.destroy()
      }
    },
    async close() {
      await Promise.all([own, ...slow].map((registry) => registry.close()))
    },
  }
}

/** Searches all names of an image again and again. */
async function search(url: string, image: string): Promise<string[]> {
  const query = (more: Record<string, string>) => new URLSearchParams({ image, ...more })
  const report = await tellAtLast('names, report', `${url}/v1/report?${query({})}`)
  const found = await Promise.all([
    ...[0, 1, 2].map(() => tell('names', `${url}/v1/files?${query({ glob: '**/*z*' })}`)),
    tell('names, gate', `${url}/v1/check?${query({ deny: '**/*z*' })}`),
  ])
  return [report, ...found]
}

function counted(told: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const one of told) counts.set(one, (counts.get(one) ?? 0) + 1)
  return counts
}
