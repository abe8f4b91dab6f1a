import { expect, it } from 'vitest'
import { FixtureRegistry } from '../../../test/registry/fixture.ts'
import { startApp } from '../../../test/support/app.ts'
import { makeImage, makeLayer } from '../../../test/support/images.ts'

it('a blob that an image has twice counts once, and an image without layers is the base of none', async () => {
  const registry = await FixtureRegistry.start()
  try {
    const [common, own] = [await makeLayer([{ name: 'a', content: 'a' }]), await makeLayer([{ name: 'b' }])]
    const images = [
      registry.push('app', 'empty', makeImage([])),
      registry.push('app', 'twice', makeImage([common, own, own])),
      registry.push('app', 'other', makeImage([common])),
    ]
    const query = new URLSearchParams(images.map((image) => ['image', image]))
    const sharing = await (await startApp().ask(`/v1/shared?${query}`)).json()
    const [shared, unique] = [common.descriptor.size, own.descriptor.size]
    expect(sharing.images).toMatchObject([
      { sharedBytes: 0, uniqueBytes: 0 },
      { sharedBytes: shared, uniqueBytes: unique, base: 2 },
      { sharedBytes: shared, uniqueBytes: 0 },
    ])
    expect(sharing.images[2].base).toBeUndefined()
    expect(sharing.total.storedBytes).toBe(shared + unique)
  } finally {
    await registry.close()
  }
})
