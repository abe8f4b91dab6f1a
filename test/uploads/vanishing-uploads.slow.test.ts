/** Uploads that are deleted while they are analysed, at each moment in turn. */
import { expect, it } from 'vitest'
import type { ObjectStore } from '../../src/host.ts'
import type { Service } from '../../src/open/service.ts'
import { deleteUpload, receiveUpload } from '../../src/uploads/upload.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { ociLayout, packArchive } from '../support/archives.ts'
import { makeChunkedLayer } from '../support/chunked.ts'
import { makeImage, makeLayer } from '../support/images.ts'

const image = makeImage([
  await makeLayer([
    { name: 'var/lib/dpkg/status', content: 'Package: a\nStatus: install ok installed\nVersion: 1\n' },
  ]),
  await makeLayer([{ name: 'etc/one', content: 'one' }]),
])
const archive = packArchive(ociLayout([{ image }]))
/** An archive whose layer has a table of contents. */
const tabled = packArchive(
  ociLayout([
    { image: makeImage([await makeChunkedLayer('estargz', [{ name: 'etc/one', content: 'one' }])]) },
  ]),
)

async function upload({ service }: TestApp, bytes = archive, isAnalysed = false): Promise<string> {
  return (await receiveUpload(service, new Blob([Buffer.from(bytes)]).stream(), { isAnalysed })).id
}

/**
 * Runs `then` before the `n`th operation from now on, of those on keys that begin with `prefix`.
 *
 * @returns the number of operations so far
 */
function interrupt(
  { store }: { readonly store: ObjectStore },
  n: number,
  then: () => Promise<void>,
  prefix = '',
): () => number {
  let operations = 0
  let isDue = true
  for (const name of ['get', 'has', 'put', 'delete'] as const) {
    const own = store[name].bind(store) as (key: string, ...parts: unknown[]) => Promise<never>
    store[name] = async (key: string, ...parts: unknown[]) => {
      if (key.startsWith(prefix) && operations++ === n && isDue) {
        isDue = false
        await then()
      }
      return own(key, ...parts)
    }
  }
  return () => operations
}

async function report(app: TestApp, id: string, read = 'full') {
  const answer = await app.ask(`/v1/report?image=upload:${id}&read=${read}&wait=60`)
  return { status: answer.status, body: await answer.json() }
}

async function operationsOf(prepare: (app: TestApp) => Promise<string>, read?: string): Promise<number> {
  const app = startApp()
  const id = await prepare(app)
  const count = interrupt(app, -1, async () => {})
  expect((await report(app, id, read)).status).toBe(200)
  return count()
}

it.each([
  ['its analysis', archive, 'full', false],
  ['the analysis that began with it', archive, 'full', true],
  ['reading its tables of contents', tabled, 'toc', false],
])(
  'an upload deleted at any moment of %s leaves nothing behind',
  async (_, bytes, read, isAnalysed) => {
    const operations = await operationsOf((app) => upload(app, bytes), read)
    expect(operations).toBeGreaterThan(20)
    // The last moment is when everything is done.
    for (let n = 0; n <= operations; n++) {
      const app = startApp()
      const id = await upload(app, bytes, isAnalysed)
      let isDue = true
      const remove = async () => {
        if (!isDue) return
        isDue = false
        await deleteUpload(app.service, id)
      }
      interrupt(app, n, remove)
      const { status, body } = await report(app, id, read)
      await remove()
      expect([200, 404], `${n}: ${JSON.stringify(body)}`).toContain(status)
      await expect
        .poll(() => [...app.store.objects.keys()], { message: `operation ${n}`, timeout: 30_000 })
        .toEqual([])
    }
  },
  300_000,
)

it.each([
  ['full', archive],
  ['toc', tabled],
])(
  'an upload (read=%s) is answered, whenever another one of the same image, never analysed, is deleted',
  async (read, bytes) => {
    const prepare = async (app: TestApp) => {
      await upload(app, bytes)
      return upload(app, bytes)
    }
    const operations = await operationsOf(prepare, read)
    for (let n = 0; n < operations; n++) {
      const app = startApp()
      const first = await upload(app, bytes)
      const id = await upload(app, bytes)
      interrupt(app, n, () => deleteUpload(app.service, first))
      const { status, body } = await report(app, id, read)
      expect(status, `${n}: ${JSON.stringify(body)}`).toBe(200)
      const answer = await app.ask(`/v1/file?path=etc/one&image=upload:${id}&read=${read}&wait=60`)
      expect([answer.status, await answer.text()], `${n}`).toEqual([200, 'one'])
      await deleteUpload(app.service, id)
      await expect
        .poll(() => [...app.store.objects.keys()], { message: `operation ${n}`, timeout: 30_000 })
        .toEqual([])
    }
  },
  300_000,
)

it('an upload that shares layers with another is answered, whenever the other is deleted', async () => {
  const second = async (app: TestApp, first?: string) => {
    expect((await report(app, first ?? (await upload(app)))).status).toBe(200)
    return upload(app)
  }
  const operations = await operationsOf(second)
  for (let n = 0; n < operations; n++) {
    const app = startApp()
    const first = await upload(app)
    const id = await second(app, first)
    interrupt(app, n, () => deleteUpload(app.service, first))
    const { status, body } = await report(app, id)
    expect(status, `${n}: ${JSON.stringify(body)}`).toBe(200)
    expect(body.counts.files).toBe(2)
    for (const path of ['files', 'packages', 'files?layer=0']) {
      const list = await app.ask(`/v1/${path}${path.includes('?') ? '&' : '?'}image=upload:${id}&wait=60`)
      expect([list.status, (await list.json()).items.length], `${n}: ${path}`).toEqual([
        200,
        path === 'files' ? 6 : path === 'packages' ? 1 : 1,
      ])
    }
    await deleteUpload(app.service, id)
    await expect
      .poll(() => [...app.store.objects.keys()], { message: `operation ${n}`, timeout: 30_000 })
      .toEqual([])
  }
}, 300_000)

it('an upload is answered, however the deletion of another with the same image is delayed', async () => {
  /** Deletes the first upload before operation `m` of the second one's report, except what comes after its own operation `n`. */
  const run = async (n: number, m: number) => {
    const app = startApp()
    const first = await upload(app)
    expect((await report(app, first)).status).toBe(200)
    const id = await upload(app)
    const slow = separately(app)
    const paused = Promise.withResolvers<void>()
    const released = Promise.withResolvers<void>()
    const pause = () => {
      paused.resolve()
      return released.promise
    }
    const deletions = interrupt(slow, n, pause, 'images/')
    const deleted = deleteUpload(slow.service, first)
    await Promise.race([paused.promise, deleted])
    const release = () => {
      released.resolve()
      return deleted
    }
    const operations = interrupt(app, m, release, 'images/')
    const { status, body } = await report(app, id)
    await release()
    expect(status, `${n}, ${m}: ${JSON.stringify(body)}`).toBe(200)
    for (const path of ['report', 'files', 'packages', 'waste']) {
      const answer = await app.ask(`/v1/${path}?image=upload:${id}&wait=60`)
      expect(answer.status, `${n}, ${m}: ${path}`).toBe(200)
    }
    return { deletions: deletions(), operations: operations() }
  }
  const { deletions, operations } = await run(-1, -1)
  expect([deletions, operations].map((count) => count > 3)).toEqual([true, true])
  for (let n = 0; n < deletions; n++) for (let m = 0; m <= operations; m++) await run(n, m)
}, 300_000)

/** The same service on the same objects, with a store whose operations can be interrupted alone. */
function separately({ service, store }: TestApp): { readonly service: Service; readonly store: ObjectStore } {
  const own: ObjectStore = {
    get: store.get.bind(store),
    has: store.has.bind(store),
    put: store.put.bind(store),
    delete: store.delete.bind(store),
    list: store.list.bind(store),
  }
  return { service: { ...service, host: { ...service.host, store: own } }, store: own }
}
