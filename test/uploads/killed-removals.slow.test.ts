/** Uploads whose removal is cut off, as by a process that is killed, before each operation on the store in turn. */
import { expect, it } from 'vitest'
import type { ObjectStore } from '../../src/host.ts'
import { addChecksum } from '../../src/index/checksummed.ts'
import { layerKey, uploadKey } from '../../src/index/keys.ts'
import { uploadName } from '../../src/oci/source-ref.ts'
import type { Service } from '../../src/open/service.ts'
import { Problem } from '../../src/problem.ts'
import { deleteUpload, receiveUpload, sweepUploads } from '../../src/uploads/upload.ts'
import { PART_BYTES } from '../../src/uploads/upload-parts.ts'
import { startApp, startAppOn, type TestApp } from '../support/app.ts'
import { ociLayout, packArchive } from '../support/archives.ts'
import { makeChunkedLayer } from '../support/chunked.ts'
import { makeImage, makeLayer } from '../support/images.ts'

const shared = await makeLayer([{ name: 'etc/shared', content: 'shared' }])
const own = await makeLayer([{ name: 'etc/own', content: 'own' }])
const tabled = await makeChunkedLayer('estargz', [{ name: 'etc/tabled', content: 'tabled' }])
/** What another upload gave, too. */
const other = packArchive(ociLayout([{ image: makeImage([shared, tabled]) }]))
const layout = ociLayout([{ image: makeImage([shared, own]) }])
const archive = packArchive(layout)
const tocLayout = ociLayout([
  { image: makeImage([tabled, await makeChunkedLayer('estargz', [{ name: 'a', content: 'a' }])]) },
])

/** A process on the same store, which is dead after `operations` more. */
class Mortal {
  readonly service: Service
  #left: number
  #done = 0

  constructor(app: TestApp, operations = Number.POSITIVE_INFINITY) {
    this.#left = operations
    const { store } = app
    const alive = () => {
      if (this.#left-- <= 0) throw new Error('the process was killed')
      this.#done++
    }
    const mortal: ObjectStore = {
      async get(key, range) {
        alive()
        return store.get(key, range)
      },
      async has(key) {
        alive()
        return store.has(key)
      },
      async put(key, body) {
        alive()
        await store.put(key, body)
      },
      async delete(key) {
        alive()
        await store.delete(key)
      },
      async *list(prefix) {
        alive()
        yield* store.list(prefix)
      },
    }
    this.service = { ...app.service, host: { ...app.service.host, store: mortal } }
  }

  /** The number of operations until now. */
  get operations(): number {
    return this.#done
  }

  dieAfter(operations: number): void {
    this.#done = 0
    this.#left = operations
  }
}

async function upload(app: TestApp, bytes: Uint8Array, read: string): Promise<string> {
  const { id } = await receiveUpload(app.service, new Blob([Buffer.from(bytes)]).stream())
  const answer = await app.ask(`/v1/report?image=upload:${id}&read=${read}&wait=60`)
  expect(answer.status).toBe(200)
  return id
}

async function expire({ store }: TestApp, name: string): Promise<void> {
  const key = uploadKey(name, 'expires')
  await store.put(key, addChecksum(key, { expiresAt: new Date(0).toISOString() }))
}

/** Removes an upload until the process dies. @returns the operations of the removal */
type Removal = (app: TestApp, operations: number) => Promise<number>

const removals: readonly (readonly [string, Removal])[] = [
  [
    'is deleted',
    async (app, operations) => {
      const id = await upload(app, archive, 'full')
      const mortal = new Mortal(app, operations)
      await deleteUpload(mortal.service, id).catch(() => undefined)
      return mortal.operations
    },
  ],
  [
    'expires after its tables of contents were read',
    async (app, operations) => {
      await expire(app, uploadName(await upload(app, packArchive(tocLayout), 'toc')))
      const mortal = new Mortal(app, operations)
      await sweepUploads(mortal.service).catch(() => undefined)
      return mortal.operations
    },
  ],
  [
    'breaks off after its layers were indexed',
    async (app, operations) => {
      const mortal = new Mortal(app)
      const begin = packArchive({ ...layout, padding: new Uint8Array(PART_BYTES) })
      const indexed = layerKey(own.descriptor.digest, 'entries.parquet')
      const body = new ReadableStream<Uint8Array>({
        start: (controller) => controller.enqueue(begin.slice(0, -1024)),
        async pull(controller) {
          await expect.poll(() => app.store.objects.has(indexed), { timeout: 20_000 }).toBe(true)
          mortal.dieAfter(operations)
          controller.error(new Error('the client is gone'))
        },
      })
      await receiveUpload(mortal.service, body, { isAnalysed: true }).catch(() => undefined)
      return mortal.operations
    },
  ],
]

it.each(removals)(
  'an upload that %s leaves nothing behind, whenever its removal is cut off, and takes nothing of another',
  async (_, remove) => {
    let operations = 0
    for (let n = 0; n <= operations; n++) {
      const app = startApp()
      await upload(app, other, 'toc')
      const kept = [...app.store.objects.keys()].sort()
      const done = await remove(app, n === 0 ? Number.POSITIVE_INFINITY : n - 1)
      if (n === 0) operations = done
      // A removal that has begun goes on before the upload would expire.
      for (const key of app.store.objects.keys()) {
        const name = /^uploads\/(.*)\/expires$/.exec(key)?.[1]
        if (name === undefined || kept.includes(key)) continue
        if (!app.store.objects.has(uploadKey(name, 'removed'))) await expire(app, name)
      }
      const next = startAppOn(app.store)
      const left = async () => {
        await sweepUploads(next.service)
        return [...app.store.objects.keys()].sort()
      }
      await expect.poll(left, { message: `operation ${n}`, timeout: 20_000 }).toEqual(kept)
    }
    expect(operations).toBeGreaterThan(20)
  },
  300_000,
)

it('an upload is not removed without what is known from its tables of contents', async () => {
  const app = startApp()
  const id = await upload(app, packArchive(tocLayout), 'toc')
  const read = app.store.get.bind(app.store)
  app.store.get = async (key, range) => {
    if (key.startsWith('archives/')) throw new Problem('store_error', 'the store is unavailable')
    return read(key, range)
  }
  await expect(deleteUpload(app.service, id)).rejects.toMatchObject({ code: 'store_error' })
  app.store.get = read
  await sweepUploads(app.service)
  expect([...app.store.objects.keys()]).toEqual([])
})
