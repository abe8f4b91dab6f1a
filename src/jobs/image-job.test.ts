import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { FixtureRegistry } from '../../test/registry/fixture.ts'
import { startApp, startAppOn } from '../../test/support/app.ts'
import { makeImage, makeLayer, type TestImage } from '../../test/support/images.ts'
import { MemoryStore } from '../../test/support/memory-store.ts'
import { layerKey } from '../index/keys.ts'
import type { JobProgress } from '../job.ts'
import { parseManifest } from '../oci/manifest.ts'
import { openSource } from '../open/open-source.ts'
import { runJob } from './run-job.ts'

let registry: FixtureRegistry
let image: TestImage

beforeAll(async () => {
  registry = await FixtureRegistry.start()
  image = makeImage([
    await makeLayer([{ name: 'one', content: '1' }]),
    await makeLayer([{ name: 'two', content: '2' }]),
  ])
})

afterAll(() => registry.close())

it('a layer that was indexed since the request looked for it is not read again', async () => {
  const reference = registry.push('since', 'v1', image)
  const source = { kind: 'registry', registry: registry.host, repository: 'since' } as const
  const { digest } = image.descriptor
  const { store, service } = startApp()
  const { signal } = new AbortController()
  const opened = openSource(service, source, signal)
  const manifest = parseManifest(await opened.manifest(digest))
  if (manifest.kind === 'index') throw new Error('an index')
  expect((await opened.visibility.seeImage(digest, manifest)).layers).toEqual([])
  const answer = await startAppOn(store).ask(`/v1/report?wait=60&image=${reference}`)
  expect(answer.status).toBe(200)
  await runJob(service, { kind: 'image', source, digest }, () => {}, signal)
  for (const { descriptor } of image.layers)
    expect(registry.count({ path: new RegExp(`since/blobs/${descriptor.digest}`), method: 'GET' })).toBe(1)
})

/** Loses the table of a layer as soon as the layer counts as read. */
class LosingStore extends MemoryStore {
  readonly #digest: string
  #loses = true

  constructor(digest: string) {
    super()
    this.#digest = digest
  }

  override async put(key: string, body: Uint8Array | ReadableStream<Uint8Array>): Promise<void> {
    await super.put(key, body)
    if (!this.#loses || !key.startsWith('sources/') || !key.includes(this.#digest.slice(7))) return
    this.#loses = false
    await this.delete(layerKey(this.#digest, 'entries.parquet'))
  }
}

it('a layer whose table is lost before the merge is read again', async () => {
  const reference = registry.push('lost', 'v1', image)
  const [, { descriptor } = image] = image.layers
  const store = new LosingStore(descriptor.digest)
  const answer = await startAppOn(store).ask(`/v1/report?wait=60&image=${reference}`)
  expect([answer.status, (await answer.json()).counts?.files]).toEqual([200, 2])
  expect(await store.has(layerKey(descriptor.digest, 'entries.parquet'))).toBe(true)
})

it('tells which layers are read, how far each is, and which ones wait', async () => {
  const base = await makeLayer([{ name: 'base', content: 'b' }])
  const three = ['a', 'b', 'c'].map((name) => makeLayer([{ name, content: randomBytes(2_000_000) }]))
  const image = makeImage([base, ...(await Promise.all(three))])
  const { service, ask } = startApp()
  await ask(`/v1/report?wait=60&image=${registry.push('progress', 'base', makeImage([base]))}`)
  registry.push('progress', 'v1', image)
  const release = Promise.withResolvers<void>()
  const slowly = {
    drip: { bytes: 64_000, milliseconds: 20 },
    holdAfter: { bytes: 1_500_000, until: release.promise },
  }
  registry.fault({ path: /progress\/blobs\/sha256/, method: 'GET' }, slowly, 9)
  const source = { kind: 'registry', registry: registry.host, repository: 'progress' } as const
  let last: JobProgress | undefined
  const report = (progress: JobProgress) => {
    last = progress
  }
  const { signal } = new AbortController()
  const job = runJob(service, { kind: 'image', source, digest: image.descriptor.digest }, report, signal)
  // This service reads two layers at once.
  await expect
    .poll(() => last?.reading?.filter(({ bytes, bytesDone }) => 0 < bytesDone && bytesDone < bytes), {
      timeout: 30_000,
    })
    .toHaveLength(2)
  const { reading = [], waiting = [] } = last ?? {}
  expect([...reading.map(({ layer }) => layer), ...waiting].toSorted()).toEqual([1, 2, 3])
  for (const { layer, bytes } of reading) expect(bytes).toBe(image.layers[layer]?.descriptor.size)
  release.resolve()
  await job
  expect(last).toMatchObject({ layersDone: 4, layersReused: 1, reading: [], waiting: [] })
})
