import { expect, it, onTestFinished } from 'vitest'
import { FixtureRegistry } from '../../test/registry/fixture.ts'
import { startApp } from '../../test/support/app.ts'
import { makeImage, makeLayer } from '../../test/support/images.ts'
import { Memory } from './caches.ts'

it("a thread's caches get a share of the host's cache sizes", () => {
  const [host, thread] = [new Memory(), new Memory(1 / 4)]
  for (let at = 0; at < 10; at++)
    for (const { answers } of [host, thread]) answers.set(`${at}`, new Uint8Array(2 ** 20))
  expect([host.answers.size, thread.answers.size]).toEqual([5, 1])
})

it('any number of images with large manifests takes no more memory than a few', async () => {
  const registry = await FixtureRegistry.start()
  onTestFinished(() => registry.close())
  const { ask, service } = startApp()
  const { images, manifests } = service.memory
  const layer = await makeLayer([{ name: 'a' }])
  const sizes: number[][] = []
  for (const tag of ['v1', 'v2', 'v3', 'v4', 'v5']) {
    const manifest = { annotations: { tag, large: 'x'.repeat(1_000_000) } }
    const image = registry.push('large', tag, makeImage([layer], { manifest }))
    for (const path of ['/v1/config', '/badge/layers.svg'])
      expect((await ask(`${path}?${new URLSearchParams({ image })}`)).status).toBe(200)
    sizes.push([images.size, manifests.size])
  }
  // What is parsed from a manifest takes four times its bytes; the caches have 12 and 8 MiB.
  expect(sizes.at(-1)).toEqual([3, 2])
})

it('the order of a list inside a file counts 4 bytes for each of its parts', () => {
  const ofEntries = (count: number) => {
    const { insides } = new Memory()
    const entries = { count, memoryBytes: 100, key: () => '', at: () => expect.unreachable() }
    insides.set('inside', { kind: 'zip', compression: 'none', entries, warnings: [] })
    return insides.bytes
  }
  expect(ofEntries(1000) - ofEntries(0)).toBe(4000)
})
