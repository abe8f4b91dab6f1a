/** A question to a registry ends in time, with all its retries, redirects and tokens. */
import { afterAll, describe, expect, it } from 'vitest'
import { watchedClient } from '../../../test/registry/client.ts'
import { FixtureRegistry } from '../../../test/registry/fixture.ts'
import { makeImage, makeLayer } from '../../../test/support/images.ts'
import { systemClock } from './clock.ts'

const GOOD = { username: 'me', password: 'correct horse' }

const registries: FixtureRegistry[] = []

afterAll(() => Promise.all(registries.map((registry) => registry.close())))

/** A registry for one test, and the repository `app` in it, with one image. */
async function started(options: Parameters<typeof FixtureRegistry.start>[0] = {}) {
  const registry = await FixtureRegistry.start(options)
  registries.push(registry)
  const image = makeImage([await makeLayer([{ name: 'a', content: 'b' }])])
  registry.push('app', 'v1', image)
  return { registry, at: { registry: registry.host, repository: 'app' }, digest: image.descriptor.digest }
}

describe.concurrent('a whole question, retries included', () => {
  const policy = { questionMilliseconds: 300 }
  /** For what must also succeed, on a busy machine too. */
  const patient = { questionMilliseconds: 1_000 }
  const timeout = (text: string) =>
    expect.objectContaining({ code: 'registry_timeout', message: expect.stringContaining(text) })
  const late = (what: string) => timeout(`could not read ${what}`)

  it('ends for a layer only before its first byte; after that a layer may take any time', async () => {
    const { registry, at } = await started()
    const { client } = watchedClient({ policy: patient })
    const bytes = Buffer.alloc(60)
    const descriptor = { mediaType: 'x', digest: registry.putBlob('app', bytes), size: 60 }
    registry.fault({}, { until: new Promise(() => undefined) })
    await expect(client.blob(at, descriptor, {})).rejects.toThrow(late('the blob'))
    registry.fault({}, { drip: { bytes: 1, milliseconds: 20 } })
    const stream = await client.blob(at, descriptor, {})
    expect(Buffer.from(await new Response(stream).arrayBuffer())).toEqual(bytes)
  })

  it('ends when its time is up, even during retries', async () => {
    const { registry, at } = await started()
    const { client } = watchedClient({ policy, timeouts: { idleMilliseconds: 50 }, clock: systemClock })
    registry.fault({}, { until: new Promise(() => undefined) }, 1_000)
    await expect(client.resolve(at, 'v1', {})).rejects.toThrow(late(`${registry.host}/app:v1`))
    await expect(client.tags(at, {}, { limit: 10 })).rejects.toThrow(late('the tags of'))
  })

  it('ends when its time is up, even if nothing is retried', async () => {
    const { registry, at } = await started()
    const { client } = watchedClient({ policy })
    registry.fault({}, { until: new Promise(() => undefined) }, 1_000)
    const over = timeout('did not complete its answer within 0.3 s')
    await expect(client.resolve(at, 'v1', {})).rejects.toThrow(over)
    await expect(client.tags(at, {}, { limit: 10 })).rejects.toThrow(over)
  })

  it('ends for a manifest and a config that drip', async () => {
    const { registry, at } = await started()
    const { client } = watchedClient({ policy })
    const filler = Buffer.alloc(100_000, ' ')
    registry.fault({ method: 'GET' }, { body: filler, drip: { bytes: 1, milliseconds: 10 } }, 100)
    await expect(client.manifest(at, 'v1', {})).rejects.toThrow(late(`${registry.host}/app:v1`))
    const descriptor = { mediaType: 'x', digest: registry.putBlob('app', filler), size: 100_000 }
    await expect(client.blobBytes(at, descriptor, {}, { limit: 100_000 })).rejects.toThrow(late('the config'))
  })

  it('ends for an error that drips, and for a registry with endless pages', async () => {
    const { registry, at } = await started()
    const { client } = watchedClient({ policy })
    registry.fault(
      {},
      { status: 404, body: Buffer.alloc(60_000, ' '), drip: { bytes: 1, milliseconds: 10 } },
      100,
    )
    await expect(client.manifest(at, 'v1', {})).rejects.toThrow(late(`${registry.host}/app:v1`))
    registry.clearFaults()
    for (let page = 0; page < 20; page++)
      registry.fault(
        {},
        {
          delayMilliseconds: 100,
          headers: { link: `</v2/app/tags/list?page=${page}>; rel="next"` },
          body: '{"tags":[]}',
        },
      )
    await expect(client.tags(at, {}, { limit: 10 })).rejects.toThrow(late('the tags of'))
  })

  it('ends for a token server that is silent or drips', async () => {
    const { registry, at } = await started({ auth: { kind: 'token', ...GOOD } })
    const { client } = watchedClient({ policy })
    registry.fault({ server: 'token' }, { until: new Promise(() => undefined) })
    await expect(client.resolve(at, 'v1', {})).rejects.toThrow(timeout('could not read'))
    registry.fault(
      { server: 'token' },
      { body: Buffer.alloc(60_000, ' '), drip: { bytes: 1, milliseconds: 10 } },
    )
    await expect(client.resolve(at, 'v1', {})).rejects.toThrow(timeout('could not read'))
  })

  it('ends for a foreign layer, however many URLs it has', async () => {
    const { registry, at } = await started()
    const { client } = watchedClient({ policy: patient })
    registry.fault({ server: 'storage' }, { delayMilliseconds: 100, status: 404 }, 100)
    const urls = Array.from({ length: 16 }, (_, i) => `http://${registry.storageHost}/${i}`)
    const descriptor = { mediaType: 'x', digest: `sha256:${'0'.repeat(64)}`, size: 1, urls }
    await expect(client.blob(at, descriptor, {})).rejects.toThrow(late('the foreign layer'))
  })

  it('does not affect the next', async () => {
    const { registry, at, digest } = await started()
    const { client } = watchedClient({ policy: patient })
    registry.fault({}, { until: new Promise(() => undefined) })
    await expect(client.resolve(at, 'v1', {})).rejects.toThrow(late(`${registry.host}/app:v1`))
    expect(await client.resolve(at, 'v1', {})).toMatchObject({ digest })
  })
})
