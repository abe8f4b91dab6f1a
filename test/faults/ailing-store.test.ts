/**
 * A store that is slow, has stale listings, fails now and then, or is full: no answer is wrong, and all are right once it
 * recovers.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { ByteRange, ObjectStore, StoredObject } from '../../src/host.ts'
import { Problem } from '../../src/problem.ts'
import { FixtureRegistry } from '../registry/fixture.ts'
import { startApp, startAppOn } from '../support/app.ts'
import { ociLayout, packArchive } from '../support/archives.ts'
import { makeImage, makeLayer, type TestImage } from '../support/images.ts'
import { MemoryStore } from '../support/memory-store.ts'
import { Random } from '../support/random.ts'
import { storedIndex } from '../support/stored.ts'

type Operation = 'get' | 'has' | 'put' | 'delete' | 'list'

/** What the store does before an operation: it waits, or throws what hosts throw when their store fails. */
type Ailment = (operation: Operation, random: Random) => Promise<void> | void

function refuse(): never {
  throw new Problem('store_error', 'the object store cannot be read or written (EIO)', { retryAfter: 5 })
}

const AILMENTS: Readonly<Record<string, Ailment>> = {
  slow: async (_, random) => {
    await sleep(random.below(20))
  },
  'refusing one in twenty': (_, random) => {
    if (random.below(20) === 0) refuse()
  },
  'refusing one in three': (_, random) => {
    if (random.below(3) === 0) refuse()
  },
  'refusing all': refuse,
  full: (operation) => {
    if (operation === 'put') refuse()
  },
  'soon full': (operation, random) => {
    if (operation === 'put' && random.below(3) === 0) refuse()
  },
  'not deleting': (operation) => {
    if (operation === 'delete') refuse()
  },
}

class AilingStore implements ObjectStore {
  readonly whole = new MemoryStore()
  readonly #random = new Random(7)
  /** Undefined if the store is healthy. */
  ailment: Ailment | undefined
  /** What it lists, whatever it holds. */
  listed: readonly string[] | undefined

  async #suffer(operation: Operation): Promise<void> {
    await this.ailment?.(operation, this.#random)
  }

  async get(key: string, range?: ByteRange): Promise<StoredObject | undefined> {
    await this.#suffer('get')
    return this.whole.get(key, range)
  }

  async has(key: string): Promise<boolean> {
    await this.#suffer('has')
    return this.whole.has(key)
  }

  async put(key: string, body: Uint8Array | ReadableStream<Uint8Array>): Promise<void> {
    try {
      await this.#suffer('put')
    } catch (error) {
      if (body instanceof ReadableStream) await body.cancel(error)
      throw error
    }
    return this.whole.put(key, body)
  }

  async delete(key: string): Promise<void> {
    await this.#suffer('delete')
    return this.whole.delete(key)
  }

  async *list(prefix: string): AsyncGenerator<string> {
    await this.#suffer('list')
    if (this.listed === undefined) yield* this.whole.list(prefix)
    else yield* this.listed.filter((key) => key.startsWith(prefix))
  }
}

let registry: FixtureRegistry
let image: TestImage
const right = new Map<string, string>()
let stored: Awaited<ReturnType<typeof storedIndex>>

beforeAll(async () => {
  registry = await FixtureRegistry.start()
  const status = 'Package: a\nStatus: install ok installed\nArchitecture: all\nVersion: 1\n'
  image = makeImage([
    await makeLayer([
      { name: 'var/lib/dpkg/status', content: status },
      { name: 'etc/shown', content: 'shown' },
    ]),
    await makeLayer(Array.from({ length: 300 }, (_, n) => ({ name: `usr/${n}`, content: `${n % 40}` }))),
  ])
  const reference = encodeURIComponent(registry.push('ailing', 'v1', image))
  const app = startApp()
  for (const route of [
    'report?',
    'files?limit=1000&',
    'tree?',
    'packages?',
    'duplicates?',
    'file?path=etc/shown&',
    'export?',
  ]) {
    const path = `/v1/${route}image=${reference}&wait=60`
    const answer = await app.ask(path)
    expect(answer.status, path).toBe(200)
    right.set(path, await answer.text())
  }
  stored = await storedIndex(app.store)
})

afterAll(() => registry?.close())

it.each(Object.keys(AILMENTS))('%s', async (name) => {
  const store = new AilingStore()
  const open = () => startAppOn(store)
  // Once with nothing stored, once with everything stored.
  for (const round of ['cold', 'known']) {
    store.ailment = AILMENTS[name]
    const { ask } = open()
    for (const [path, body] of right) {
      const answer = await ask(path)
      // A stream that breaks off counts as a clear error too.
      const told = await answer.text().catch(() => undefined)
      if (answer.status === 200 && told !== undefined) expect(told, `${round} ${path}`).toBe(body)
      else if (told !== undefined) expect(answer.status, `${round} ${path}: ${told}`).toBe(503)
    }
    store.ailment = undefined
    for (const [path, body] of right)
      expect(await (await ask(path)).text(), `${round}, well again: ${path}`).toBe(body)
    expect(await storedIndex(store.whole)).toEqual(stored)
  }
})

it('a listing that has deleted objects and lacks new ones', async () => {
  const store = new AilingStore()
  const app = startAppOn(store)
  store.listed = []
  const upload = async () => {
    const answer = await app.ask('/v1/uploads', {
      method: 'PUT',
      body: new Blob([Buffer.from(packArchive(ociLayout([{ image }])))]),
    })
    expect(answer.status, await answer.clone().text()).toBe(201)
    return (await answer.json()).id as string
  }
  const ask = async (path: string) => {
    const answer = await app.ask(path)
    return answer.status === 200 ? answer.text() : (await app.ask(path)).text()
  }
  for (const [path, body] of right) expect(await ask(path), path).toBe(body)
  for (const listed of [[], [...store.whole.objects.keys()]]) {
    store.listed = listed
    const id = await upload()
    expect((await app.ask(`/v1/report?image=upload:${id}&wait=60`)).status).toBe(200)
    expect((await app.ask(`/v1/uploads/${id}`, { method: 'DELETE' })).status).toBe(204)
    expect((await app.ask(`/v1/report?image=upload:${id}&wait=60`)).status).toBe(404)
    for (const [path, body] of right) expect(await ask(path), path).toBe(body)
  }
})
