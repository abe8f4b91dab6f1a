/**
 * A store that lies: each kind of object truncated, changed, swapped with another, or gone. The answer is right or a clear
 * problem, and the next one is right.
 */
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { ObjectStore } from '../../src/host.ts'
import { FixtureRegistry } from '../registry/fixture.ts'
import { startApp } from '../support/app.ts'
import { ociLayout, packArchive } from '../support/archives.ts'
import { makeImage, makeLayer } from '../support/images.ts'
import { s3Store, startS3, type TestS3 } from '../support/s3.ts'
import { startService, type TestService } from '../support/service.ts'

type Ask = (path: string) => Promise<{ readonly status: number; readonly body: string }>

/** Undefined: the object is deleted. @param other the object of the same kind of another image */
type Damage = (bytes: Uint8Array, other: Uint8Array) => Uint8Array | undefined

const flip = (share: number): Damage => {
  return (bytes) => {
    const at = Math.min(Math.floor(bytes.length * share), bytes.length - 1)
    return bytes.map((byte, i) => (i === at ? byte ^ 0x20 : byte))
  }
}
const DAMAGES: Readonly<Record<string, Damage>> = {
  gone: () => undefined,
  empty: () => new Uint8Array(0),
  halved: (bytes) => bytes.slice(0, bytes.length / 2),
  'without its last byte': (bytes) => bytes.slice(0, -1),
  'with a byte too many': (bytes) => Buffer.concat([bytes, new Uint8Array(1)]),
  'with zeros': (bytes) => new Uint8Array(bytes.length),
  swapped: (_, other) => other,
  ...Object.fromEntries([0, 0.03, 0.25, 0.5, 0.99].map((share) => [`changed at ${share}`, flip(share)])),
}

/** Two images of the same shape with different content, and an upload of each. */
async function subjects(registry: FixtureRegistry, salt = '') {
  const make = async (name: string, version: string) => {
    const status = `Package: ${name}\nStatus: install ok installed\nArchitecture: all\nVersion: ${version}\n`
    const files = Array.from({ length: 300 }, (_, i) => ({
      name: `usr/${i}`,
      content: `${name} ${salt} ${i % 40}`,
    }))
    const layers = [
      await makeLayer([
        { name: 'var/lib/dpkg/status', content: status },
        { name: 'etc/shown', content: name + salt },
      ]),
      await makeLayer([...files, { name: 'etc/shown', content: `${name} again` }]),
    ]
    return makeImage(layers, { config: { author: name } })
  }
  const images = [await make('first', '1.0'), await make('other', '2.0')] as const
  return {
    references: [registry.push('lying', 'v1', images[0]), registry.push('lying', 'v2', images[1])] as const,
    archives: images.map((image) => packArchive(ociLayout([{ image }]))),
  }
}

const questions = (image: string) => {
  const asked = `image=${encodeURIComponent(image)}&wait=60`
  return [
    `/v1/report?${asked}`,
    `/v1/files?${asked}&limit=1000`,
    `/v1/files?${asked}&layer=1&limit=1000`,
    `/v1/tree?${asked}`,
    `/v1/waste?${asked}&limit=1000`,
    `/v1/duplicates?${asked}&limit=1000`,
    `/v1/duplicates?${asked}&scope=layers&limit=1000`,
    `/v1/packages?${asked}&limit=1000`,
    `/v1/advice?${asked}&ignore=none`,
    `/v1/config?image=${encodeURIComponent(image)}`,
    `/v1/file?${asked}&path=etc/shown`,
    `/v1/report?${asked}&format=svg&color=type`,
  ]
}

async function bytesOf(store: ObjectStore, key: string): Promise<Uint8Array> {
  return new Uint8Array(await new Response((await store.get(key))?.body).arrayBuffer())
}

/** The object of the same kind from another image or layer. */
function otherOf(key: string, keys: readonly string[]): string | undefined {
  const kind = (one: string) => one.replace(/[0-9a-f]{64}/, '')
  return keys.find((one) => one !== key && kind(one) === kind(key))
}

let asked = 0

/** The same request in another form: small answers are kept in memory and would not ask the store. */
function inOtherWords(path: string): string {
  return path.replace('limit=1000', `limit=${999 - (asked++ % 600)}`)
}

/** Requests twice; a stream that breaks off counts as a clear problem too. */
async function expectRight(ask: Ask, right: ReadonlyMap<string, string>, what: string): Promise<void> {
  for (const [question, body] of right) {
    const path = inOtherWords(question)
    const first = await ask(path)
    if (first.status === 200) expect(first.body, `${what}: ${path}`).toBe(body)
    else expect([502, 503], `${what}: ${path}: ${first.body}`).toContain(first.status)
    const second = first.status === 200 ? first : await ask(path)
    expect(second, `${what}: ${path} after ${first.body}`).toEqual({ status: 200, body })
  }
}

const KINDS = /^(?:manifests|configs|layers|images|sources|names)\//

describe('in memory', () => {
  let registry: FixtureRegistry
  let whole: ReadonlyMap<string, Uint8Array>
  const right = new Map<string, string>()
  let keys: readonly string[]

  const open = (objects: ReadonlyMap<string, Uint8Array>) => {
    const app = startApp()
    for (const [key, bytes] of objects) app.store.objects.set(key, bytes)
    const ask: Ask = async (path) => {
      const answer = await app.ask(path)
      return { status: answer.status, body: await answer.text() }
    }
    return { app, ask }
  }

  beforeAll(async () => {
    registry = await FixtureRegistry.start()
    const { references } = await subjects(registry)
    const { app, ask } = open(new Map())
    for (const image of references)
      for (const path of questions(image)) expect((await ask(path)).status, path).toBe(200)
    for (const path of questions(references[0])) right.set(path, (await ask(path)).body)
    whole = new Map(app.store.objects)
    keys = [...whole.keys()].filter((key) => KINDS.test(key))
  }, 300_000)

  afterAll(() => registry?.close())

  it.each(Object.keys(DAMAGES))(
    'each object %s',
    async (name) => {
      const damage = DAMAGES[name]
      expect(keys.length).toBeGreaterThan(15)
      for (const key of keys) {
        const bytes = whole.get(key) ?? new Uint8Array(0)
        const other = whole.get(otherOf(key, keys) ?? '')
        if (name === 'swapped' && other === undefined) continue
        const damaged = damage?.(bytes, other ?? bytes)
        const { app, ask } = open(whole)
        if (damaged === undefined) app.store.objects.delete(key)
        else app.store.objects.set(key, damaged)
        await expectRight(ask, right, `${key} ${name}`)
      }
    },
    600_000,
  )

  it('any number of them at once, generated', async () => {
    const one = fc.record({ key: fc.nat(), name: fc.constantFrom(...Object.keys(DAMAGES)) })
    await fc.assert(
      fc.asyncProperty(fc.array(one, { minLength: 2, maxLength: 8 }), async (damages) => {
        const { app, ask } = open(whole)
        for (const { key: place, name } of damages) {
          const key = keys[place % keys.length] ?? ''
          const bytes = whole.get(key) ?? new Uint8Array(0)
          const damaged = DAMAGES[name]?.(bytes, whole.get(otherOf(key, keys) ?? '') ?? bytes)
          if (damaged === undefined) app.store.objects.delete(key)
          else app.store.objects.set(key, damaged)
        }
        // Each request may meet a different damaged object first.
        for (const [path, body] of right) {
          let answer = await ask(path)
          for (let tries = 0; tries < damages.length && answer.status !== 200; tries++) {
            expect([502, 503], `${path}: ${answer.body}`).toContain(answer.status)
            answer = await ask(path)
          }
          expect(answer, path).toEqual({ status: 200, body })
        }
      }),
      { numRuns: 60 },
    )
  }, 600_000)
})

describe.each(['worker', 'node', 's3'] as const)('on %s', (host) => {
  let service: TestService
  let registry: FixtureRegistry
  let s3: TestS3 | undefined
  let store: ObjectStore

  beforeAll(async () => {
    s3 = host === 's3' ? await startS3() : undefined
    for (const [setting, value] of Object.entries(s3?.settings ?? {})) vi.stubEnv(setting, value)
    service = await startService(host === 'worker' ? 'worker' : 'node', s3?.settings ?? {})
    registry = await FixtureRegistry.start()
    store = s3 === undefined ? await service.store() : s3Store(s3)
  })

  afterAll(async () => {
    await Promise.all([service?.stop(), registry?.close()])
    await s3?.stop()
    vi.unstubAllEnvs()
  })

  const ask: Ask = async (path) => {
    const answer = await fetch(`${service.url}${path}`)
    return { status: answer.status, body: await answer.text().catch(() => '') }
  }

  it.each(['halved', 'changed at 0.25', 'swapped'])(
    'each object %s',
    async (name) => {
      const { references } = await subjects(registry)
      for (const image of references)
        for (const path of questions(image)) expect((await ask(path)).status, path).toBe(200)
      const right = new Map<string, string>()
      for (const path of questions(references[0])) right.set(path, (await ask(path)).body)
      const keys = (await Array.fromAsync(store.list(''))).filter((key) => /^(?:layers|images)\//.test(key))
      for (const key of keys) {
        const bytes = await bytesOf(store, key)
        const other = otherOf(key, keys)
        if (name === 'swapped' && other === undefined) continue
        const damaged = DAMAGES[name]?.(bytes, other === undefined ? bytes : await bytesOf(store, other))
        if (damaged === undefined) await store.delete(key)
        else await store.put(key, damaged)
        await expectRight(ask, right, `${key} ${name}`)
        await store.put(key, bytes)
      }
    },
    600_000,
  )

  it.each(['gone', 'halved', 'changed at 0.5', 'changed at 0.99', 'swapped'])(
    "an upload's objects %s",
    async (name) => {
      const upload = async (bytes: Uint8Array | undefined) => {
        const answer = await fetch(`${service.url}/v1/uploads`, {
          method: 'PUT',
          body: Buffer.from(bytes ?? []),
        })
        return (await answer.json()).reference as string
      }
      for (const kind of ['parts/000000', 'index.json', 'expires']) {
        // Not known from another upload, so the archive must be read.
        const { archives } = await subjects(registry, `${kind} ${name}`)
        await upload(archives[1])
        const before = await Array.fromAsync(store.list(''))
        const reference = await upload(archives[0])
        const after = await Array.fromAsync(store.list(''))
        const key = after.find((one) => !before.includes(one) && one.endsWith(kind)) ?? ''
        const other = before.find((one) => one.endsWith(kind)) ?? ''
        const damaged = DAMAGES[name]?.(await bytesOf(store, key), await bytesOf(store, other))
        if (damaged === undefined) await store.delete(key)
        else await store.put(key, damaged)
        const { status, body } = await ask(`/v1/files?image=${reference}&limit=1000&wait=60`)
        const told = status === 200 ? JSON.parse(body).items.map(({ path }: { path: string }) => path) : []
        if (status === 200) expect(told, `${kind} ${name}`).toHaveLength(307)
        else expect([404, 422, 503], `${kind} ${name}: ${body}`).toContain(status)
      }
    },
    600_000,
  )
})
