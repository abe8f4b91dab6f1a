import { afterEach, beforeEach, expect, it } from 'vitest'
import { watchedClient } from '../../../test/registry/client.ts'
import { FixtureRegistry } from '../../../test/registry/fixture.ts'
import { digestOf, makeImage, makeLayer, type TestImage } from '../../../test/support/images.ts'
import { RegistrySource } from './source.ts'

let registry: FixtureRegistry
let image: TestImage

beforeEach(async () => {
  registry = await FixtureRegistry.start()
  image = makeImage([await makeLayer([{ name: 'a', content: 'b' }])])
  registry.push('app', 'v1', image)
})

afterEach(() => registry.close())

function source(): RegistrySource {
  const ref = { kind: 'registry', registry: registry.host, repository: 'app' } as const
  const configuration = { publicCredentials: new Map(), mirrors: new Map() }
  return new RegistrySource(watchedClient().client, ref, { configuration })
}

it('a header with a digest that the registry does not have is its fault, not a missing image', async () => {
  const told = digestOf(Buffer.from('another'))
  registry.fault({ method: 'HEAD' }, { headers: { 'docker-content-digest': told } })
  const { digest } = await source().resolve('v1')
  expect(digest).toBe(told)
  await expect(source().manifest(digest, 'v1')).rejects.toMatchObject({
    code: 'invalid_image',
    message: expect.stringContaining(image.descriptor.digest),
  })
})

it('a name unknown to the registry is a missing image', async () => {
  await expect(source().resolve('v2')).rejects.toMatchObject({ code: 'image_not_found' })
})
