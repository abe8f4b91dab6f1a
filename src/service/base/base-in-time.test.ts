import { afterAll, beforeAll, expect, it } from 'vitest'
import { FixtureRegistry } from '../../../test/registry/fixture.ts'
import { startAppOn } from '../../../test/support/app.ts'
import { makeImage, makeLayer, type TestLayer } from '../../../test/support/images.ts'
import { MemoryStore } from '../../../test/support/memory-store.ts'
import { openImage } from '../../open/open-image.ts'
import { baseInTime } from './base-in-time.ts'

class ListedStore extends MemoryStore {
  lists = 0

  override list(prefix: string): AsyncGenerator<string> {
    this.lists++
    return super.list(prefix)
  }
}

const ANONYMOUS = { credentials: { for: () => undefined }, signal: new AbortController().signal }

let registry: FixtureRegistry
let layers: readonly TestLayer[]

beforeAll(async () => {
  registry = await FixtureRegistry.start()
  layers = await Promise.all(['a', 'b', 'c'].map((name) => makeLayer([{ name }])))
})
afterAll(() => registry.close())

/** Asks as often as a page of this image. */
async function asker(name: string, annotations: Record<string, string> = {}) {
  const store = new ListedStore()
  const { service } = startAppOn(store)
  const reference = registry.push(name, '1', makeImage(layers, { manifest: { annotations } }))
  const image = await openImage(service, { reference, platform: undefined, ...ANONYMOUS })
  return { store, ask: () => baseInTime(service, image, ANONYMOUS) }
}

it('looks a base up in the store once, and remembers it for the next page', async () => {
  const { store, ask } = await asker('plain')
  const first = await ask()
  expect([first?.report.own, store.lists]).toEqual([{ layers: 3, compressedBytes: expect.any(Number) }, 2])
  expect(await ask()).toMatchObject({ report: first?.report, isPublic: true })
  expect(store.lists).toBe(2)
})

it('does not remember that a base could not be read', async () => {
  const named = { 'org.opencontainers.image.base.name': `${registry.host}/late:1` }
  const { ask } = await asker('waiting', named)
  expect((await ask())?.report.warnings).toMatchObject([{ code: 'baseUnreadable' }])
  registry.push('late', '1', makeImage(layers.slice(0, 1)))
  // On a busy machine it may not be read in time.
  await expect.poll(async () => (await ask())?.report.base?.layers, { timeout: 30_000 }).toBe(1)
})
