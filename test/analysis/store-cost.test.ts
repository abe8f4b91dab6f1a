/**
 * What an image costs the object store: operations for a first analysis and for later answers, on the real stores, and
 * bytes.
 */
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest'
import { IMAGE } from '../../deploy/costs.ts'
import type { ObjectStore } from '../../src/host.ts'
import { readLayerFacts } from '../../src/index/layer-index.ts'
import { receiveUpload } from '../../src/uploads/upload.ts'
import { FactsCache, type LocationCache } from '../../workers/cloudflare/facts-cache.ts'
import { FolderStore } from '../../workers/node/store/folder-store.ts'
import { MeteredStore, type StoreOperation } from '../../workers/node/store/metered-store.ts'
import { FixtureRegistry } from '../registry/fixture.ts'
import { startApp, startAppOn } from '../support/app.ts'
import { ociLayout, packArchive } from '../support/archives.ts'
import { registryAuth } from '../support/ask.ts'
import { makeImage, makeLayer, type TestImage } from '../support/images.ts'
import { s3Store, startS3 } from '../support/s3.ts'
import { startService } from '../support/service.ts'

type Operations = Readonly<Record<StoreOperation, number>>

/** Two objects per layer and seven per image: three layers, one with a package database and one with checkpoints. */
const STORED = 3 * 2 + 7
const FIRST: Operations = { get: 12, has: 12, put: STORED, delete: 0, list: 0 }
/** What later requests read, in a service that remembers nothing. */
const LATER = {
  'report?': 3,
  'files?': 5,
  'tree?': 7,
  'waste?': 5,
  'duplicates?': 5,
  'packages?': 5,
  'file?path=etc/one&': 6,
} as const

const PACKAGE = 'Package: p\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.0-1\n'

const STORES = {
  async folder() {
    const data = await mkdtemp(join(tmpdir(), 'lamina-'))
    const store = new FolderStore(data)
    return { store, end: () => rm(data, { recursive: true, force: true }) }
  },
  async s3() {
    const s3 = await startS3()
    for (const [name, value] of Object.entries(s3.settings)) vi.stubEnv(name, value)
    return { store: s3Store(s3), end: () => s3.stop() }
  },
  async r2() {
    const worker = await startService('worker')
    return { store: await worker.store(), end: () => worker.stop() }
  },
} satisfies Record<string, () => Promise<{ readonly store: ObjectStore; readonly end: () => Promise<void> }>>

const USER = { username: 'mara', password: 'p4ss' }

let image: TestImage
let registry: FixtureRegistry

beforeAll(async () => {
  registry = await FixtureRegistry.start({ auth: { kind: 'token', ...USER } })
  image = makeImage([
    await makeLayer([{ name: 'var/lib/dpkg/status', content: PACKAGE }]),
    await makeLayer([{ name: 'usr/large', content: randomBytes(2 ** 21) }]),
    await makeLayer([
      { name: 'usr/.wh.large' },
      { name: 'etc/one', content: 'the same' },
      { name: 'etc/other', content: 'the same' },
    ]),
  ])
})

afterEach(() => {
  vi.unstubAllEnvs()
})

afterAll(() => registry?.close())

type Counting = {
  readonly headers?: Record<string, string>
  /** The cache of a location, in front of the store. */
  readonly cache?: LocationCache
  readonly status?: number
}

/** The operations of one request to a service that remembers nothing. */
async function count(
  store: ObjectStore,
  path: string,
  { headers = {}, cache, status = 200 }: Counting = {},
): Promise<Operations> {
  const counts = { get: 0, has: 0, put: 0, delete: 0, list: 0 }
  const metered = new MeteredStore(store, (operation) => counts[operation]++)
  const kept: Promise<unknown>[] = []
  const keepAlive = (work: Promise<unknown>) => void kept.push(work)
  const asked = cache ? new FactsCache(metered, { cache: async () => cache, keepAlive }) : metered
  const answer = await startAppOn(asked).ask(path, { headers })
  expect([path, answer.status]).toEqual([path, status])
  await Promise.all(kept)
  await answer.arrayBuffer()
  return counts
}

const within = async (name: keyof typeof STORES, use: (store: ObjectStore) => Promise<void>) => {
  const { store, end } = await STORES[name]()
  try {
    await use(store)
  } finally {
    await end()
  }
}

it.each(Object.keys(STORES) as (keyof typeof STORES)[])('a public image on %s', async (name) => {
  const reference = registry.push(`public/${name}`, 'v1', image)
  const query = `wait=60&image=${encodeURIComponent(reference)}`
  await within(name, async (store) => {
    expect(await count(store, `/v1/report?${query}`)).toEqual(FIRST)
    expect(await Array.fromAsync(store.list(''))).toHaveLength(STORED)
    for (const [path, get] of Object.entries(LATER))
      expect([path, await count(store, `/v1/${path}${query}`)]).toEqual([
        path,
        { get, has: 1, put: 0, delete: 0, list: 0 },
      ])
  })
})

it('a private image: the same objects, except the one that marks everything as public', async () => {
  const reference = registry.push('private/app', 'v1', image)
  const query = `wait=60&image=${encodeURIComponent(reference)}`
  await within('folder', async (store) => {
    const { put } = await count(store, `/v1/report?${query}`, { headers: registryAuth(USER) })
    // Neither public nor a base for others.
    expect(put).toBe(STORED - 2)
    expect(await Array.fromAsync(store.list(''))).toHaveLength(put)
  })
})

/** As Cloudflare's, whose methods are the same. @returns it, and the keys that it was asked for */
function newCache(): { readonly cache: LocationCache; readonly asked: string[] } {
  const kept = new Map<string, Response>()
  const asked: string[] = []
  const cache: LocationCache = {
    async match(url) {
      asked.push(url)
      return kept.get(url)?.clone()
    },
    async put(url, answer) {
      kept.set(url, answer)
    },
    delete: async (url) => kept.delete(url),
  }
  return { cache, asked }
}

it('the costs in docs/deploy.md are those of these counts', () => {
  expect(IMAGE.puts).toBe(STORED)
  expect(IMAGE.reads).toBe(FIRST.get + FIRST.has)
})

const NOTHING: Operations = { get: 0, has: 0, put: 0, delete: 0, list: 0 }

it('a known public image behind the cache of a location: nothing is read', async () => {
  const reference = registry.push('public/cached', 'v1', image)
  const path = `/v1/report?wait=60&image=${encodeURIComponent(reference)}`
  await within('r2', async (store) => {
    const { cache } = newCache()
    await count(store, path)
    expect(await count(store, path, { cache })).toEqual({ ...NOTHING, get: LATER['report?'], has: 1 })
    expect(await count(store, path, { cache })).toEqual(NOTHING)
  })
})

it('the cache is asked for facts only after the decision that the caller may see them', async () => {
  const reference = registry.push('private/cached', 'v1', image)
  const path = `/v1/report?image=${encodeURIComponent(reference)}`
  await within('folder', async (store) => {
    const { cache, asked } = newCache()
    const headers = registryAuth(USER)
    await count(store, `${path}&wait=60`, { cache, headers })
    await count(store, path, { cache, headers })
    const isFact = (url: string) => url.endsWith('packages.parquet')
    expect(asked.some(isFact)).toBe(true)
    asked.length = 0
    await count(store, path, { cache, status: 401 })
    expect(asked.filter(isFact)).toEqual([])
  })
})

it('what is written or deleted is forgotten by the cache', async () => {
  const reference = registry.push('public/forgotten', 'v1', image)
  const path = `/v1/report?image=${encodeURIComponent(reference)}`
  await within('folder', async (store) => {
    const { cache } = newCache()
    await count(store, `${path}&wait=60`, { cache })
    await count(store, path, { cache })
    const behind = new FactsCache(store, { cache: async () => cache, keepAlive: () => {} })
    for await (const key of store.list('images/')) await behind.delete(key)
    expect((await count(store, `${path}&wait=60`, { cache })).put).toBeGreaterThan(0)
  })
})

it('an upload: what it gave itself is looked up first', async () => {
  await within('folder', async (store) => {
    const archive = new Blob([Buffer.from(packArchive(ociLayout([{ image }])))])
    const { id } = await receiveUpload(startAppOn(store).service, archive.stream())
    const query = `wait=60&image=upload:${id}`
    await count(store, `/v1/report?${query}`)
    expect(await count(store, `/v1/report?${query}`)).toEqual({ get: 7, has: 6, put: 0, delete: 0, list: 0 })
  })
})

/** As in an application on Debian: 10 kB of the layer per member, and 1.3 % of it for package databases. */
const SHARE_FILES = 1_000
const SHARE_FILE_BYTES = 10_000
const SHARE_PACKAGES = 1_300

it("stored data takes at most 1.5 % of an image's compressed bytes, including checkpoints", async () => {
  const paragraphs = Array.from({ length: SHARE_PACKAGES }, (_, i) => `${PACKAGE}Description: package ${i}\n`)
  const files = Array.from({ length: SHARE_FILES }, (_, i) => ({
    name: `usr/lib/package-${i % 50}/file-${i}.so`,
    content: randomBytes(SHARE_FILE_BYTES).toString('hex'),
  }))
  const layer = await makeLayer([{ name: 'var/lib/dpkg/status', content: paragraphs.join('\n') }, ...files])
  const reference = registry.push('public/large', 'v1', makeImage([layer]))
  const { store, ask } = startApp()
  const answer = await ask(`/v1/report?wait=60&image=${encodeURIComponent(reference)}`)
  expect(answer.status).toBe(200)
  expect((await readLayerFacts(store, layer.descriptor.digest))?.checkpoints.bytes).toBeGreaterThan(0)
  const stored = [...store.objects.values()].reduce((sum, bytes) => sum + bytes.length, 0)
  expect(stored / layer.descriptor.size).toBeLessThan(0.015)
})
