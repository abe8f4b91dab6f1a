/** Batches and pushes: images that are analysed before anybody asks for them. */
import { createHmac } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ObjectStore } from '../../src/host.ts'
import { FixtureRegistry } from '../registry/fixture.ts'
import { ask, registryAuth } from '../support/ask.ts'
import { makeImage, makeLayer, type TestImage } from '../support/images.ts'
import { HOSTS, spawnService, startService, type TestService, temporaryData } from '../support/service.ts'

const USER = { username: 'mara', password: 'p4ss' }
const IMAGES = 30
const REFERENCES = 1_000
/** Long enough for a busy machine. */
const SOON = { timeout: 120_000, interval: 200 }

type Item = {
  readonly id?: string
  readonly code?: string
  readonly image?: string
  readonly status?: unknown
}

const order = (url: string, images: readonly object[], headers: Record<string, string> = {}) =>
  ask<{ items: Item[] }>(url, '/v1/analyses', { method: 'POST', json: { images }, headers })

async function statusOf(url: string, id: string | undefined, headers: Record<string, string> = {}) {
  const { body } = await ask(url, `/v1/analyses/${id}`, { headers })
  return body.error === undefined ? body.status : `${body.status}: ${body.error.code}`
}

async function keysOf(store: ObjectStore, prefix: string): Promise<string[]> {
  const keys: string[] = []
  for await (const key of store.list(prefix)) keys.push(key)
  return keys
}

let made = 0
const newImage = async (): Promise<TestImage> =>
  makeImage([await makeLayer([{ name: 'f', content: `batch ${made++}`.repeat(50) }])])

describe.each(HOSTS)('on %s', (host) => {
  let service: TestService
  let open: FixtureRegistry
  let guarded: FixtureRegistry

  beforeAll(async () => {
    ;[service, open, guarded] = await Promise.all([
      startService(host),
      FixtureRegistry.start(),
      FixtureRegistry.start({ auth: { kind: 'token', ...USER } }),
    ])
  })

  afterAll(async () => {
    await Promise.all([service?.stop(), open?.close(), guarded?.close()])
  })

  it('a thousand references to thirty images analyse each image once', async () => {
    const images = await Promise.all(Array.from({ length: IMAGES }, newImage))
    const references = Array.from({ length: REFERENCES }, (_, i) => {
      const image = images[i % IMAGES]
      if (image === undefined) throw new Error('no image')
      return open.push('batch', `v${i}`, image)
    })
    const { status, body } = await order(
      service.url,
      references.map((image) => ({ image })),
    )
    expect(status).toBe(202)
    expect(body.items.map(({ image }) => image)).toEqual(references)
    for (const item of body.items.slice(-IMAGES))
      await expect.poll(() => statusOf(service.url, item.id), SOON).toBe('succeeded')
    for (const { layers } of images) {
      const path = new RegExp(`blobs/${layers[0]?.descriptor.digest}`)
      expect(open.count({ path, method: 'GET', status: 200 })).toBe(1)
    }
    const store = await service.store()
    await expect.poll(() => keysOf(store, 'queued-images/'), SOON).toEqual([])
    expect((await keysOf(store, 'names/')).length).toBe(REFERENCES)
  }, 300_000)

  it('an invalid reference is a problem of its item alone; a failure is reported in its analysis', async () => {
    const gone = await newImage()
    const bad = makeImage([await makeLayer([], { bytes: Buffer.from('no layer') })])
    const references = [
      open.push('mixed', 'good', await newImage()),
      `${open.host}/nothing/here:x`,
      `${open.host}/UPPER//:x`,
      open.push('mixed', 'bad', bad),
      open.push('mixed', 'gone', gone),
    ]
    for (const { descriptor } of gone.layers) open.removeBlob('mixed', descriptor.digest)
    const { body } = await order(
      service.url,
      references.map((image) => ({ image })),
    )
    expect(body.items.map(({ code }) => code)).toEqual([
      undefined,
      'image_not_found',
      'invalid_reference',
      undefined,
      undefined,
    ])
    const ends = ['succeeded', 'failed: invalid_image', 'failed: layer_unavailable']
    for (const [i, place] of [0, 3, 4].entries())
      await expect.poll(() => statusOf(service.url, body.items[place]?.id), SOON).toBe(ends[i])
  }, 120_000)

  it("a caller's credentials never wait in the queue", async () => {
    const image = guarded.push('private/batch', 'v1', await newImage())
    const refused = await order(service.url, [{ image }])
    expect(refused.body.items.map(({ code }) => code)).toEqual(['unauthorized'])
    const blob = { path: /private\/batch\/blobs/, method: 'GET' }
    const { promise: until, resolve: release } = Promise.withResolvers<void>()
    guarded.fault({ path: /private\/batch\/blobs\/(?!.*config)/, method: 'GET' }, { until }, 100)
    const asked = order(service.url, [{ image }], registryAuth(USER))
    await expect.poll(() => guarded.count(blob), SOON).toBeGreaterThan(0)
    expect(await keysOf(await service.store(), 'queued-images/')).toEqual([])
    release()
    const { body } = await asked
    const status = () => statusOf(service.url, body.items[0]?.id, registryAuth(USER))
    await expect.poll(status, SOON).toBe('succeeded')
    guarded.clearFaults()
  }, 120_000)

  it('a malformed batch is refused as a whole', async () => {
    const image = `${open.host}/a:b`
    const bodies = [
      { images: [] },
      { images: image },
      { images: [{ image, wait: 1 }] },
      { images: [{ image }], image },
      { images: Array.from({ length: 1001 }, () => ({ image })) },
    ]
    for (const json of bodies) {
      const { status, body } = await ask(service.url, '/v1/analyses', { method: 'POST', json })
      expect([status, body.code]).toEqual([400, 'invalid_parameter'])
    }
  })
})

describe('killed in the middle of a batch', () => {
  const COUNT = 12

  it.each([...HOSTS, 'workerd'] as const)(
    'on %s',
    async (killed) => {
      const host = killed === 'node' ? 'node' : 'worker'
      const [data, registry] = await Promise.all([temporaryData(), FixtureRegistry.start()])
      const images = await Promise.all(Array.from({ length: COUNT }, newImage))
      const references = images.map((image, i) => registry.push('killed', `v${i}`, image))
      // From the fourth layer on, none is served until the service is dead.
      const { promise: until, resolve: release } = Promise.withResolvers<void>()
      for (const { layers } of images.slice(3))
        registry.fault({ path: new RegExp(`blobs/${layers[0]?.descriptor.digest}`) }, { until }, 100)
      const first = await spawnService(host, data)
      const { body } = await order(
        first.url,
        references.map((image) => ({ image })),
      )
      const ids = body.items.map(({ id }) => id)
      await expect.poll(() => statusOf(first.url, ids[0]), SOON).toBe('succeeded')
      if (killed === 'workerd') await first.killRuntime()
      else await first.end('SIGKILL')
      registry.clearFaults()
      release()
      const second = killed === 'workerd' ? first : await spawnService(host, data)
      // Polling an analysis starts nothing: what finishes now was resumed by the service itself.
      const ends = () => Promise.all(ids.map((id) => statusOf(second.url, id)))
      if (host === 'worker') {
        await expect.poll(ends, SOON).toEqual(ids.map(() => 'succeeded'))
        for (const { layers } of images.slice(0, 1))
          expect(registry.count({ path: new RegExp(`blobs/${layers[0]?.descriptor.digest}`) })).toBe(1)
      } else {
        // Node's queue is in memory: what waited there is reported as lost.
        const said = await ends()
        expect(said[0]).toBe('succeeded')
        expect(said.at(-1)).toBe('failed: analysis_pending')
      }
      await second.end('SIGKILL')
      await registry.close()
      await rm(data, { recursive: true, force: true })
    },
    240_000,
  )
})

describe.each(HOSTS)('webhooks on %s', (host) => {
  const SECRET = 'a secret of webhooks'
  let service: TestService
  let registry: FixtureRegistry

  beforeAll(async () => {
    registry = await FixtureRegistry.start()
    service = await startService(host, {
      LAMINA_WEBHOOK_SECRETS: `other,${SECRET}`,
      LAMINA_ALLOWED_REGISTRIES: `${registry.host}/pushed`,
      // A webhook secret replaces a token, but a token is not a webhook secret.
      LAMINA_TOKENS: 'token',
    })
  })

  afterAll(async () => {
    await Promise.all([service?.stop(), registry?.close()])
  })

  const tell = (json: unknown, headers: Record<string, string>, query = {}) =>
    ask(service.url, '/v1/webhooks/quay', { method: 'POST', json, headers, query })
  const pushOf = (repository: string, tag: string) => ({
    docker_url: `${registry.host}/${repository}`,
    updated_tags: [tag],
  })

  it('a pushed image is analysed before anybody asks for it', async () => {
    const image = await newImage()
    const reference = registry.push('pushed/app', 'v1', image)
    const { status, body } = await tell(pushOf('pushed/app', 'v1'), {}, { secret: SECRET })
    expect([status, body]).toEqual([202, { items: [{ image: reference }] }])
    const store = await service.store()
    const hex = image.descriptor.digest.replace('sha256:', '')
    await expect.poll(() => store.has(`images/v6/sha256/${hex}/packages.parquet`), SOON).toBe(true)
    expect(await keysOf(store, 'names/')).toEqual([`names/sha256/${hex}/${encodeURIComponent(reference)}`])
  }, 120_000)

  it('only callers with a secret are accepted', async () => {
    const push = pushOf('pushed/none', 'v1')
    const body = JSON.stringify(push)
    const signature = (secret: string, text = body) =>
      `sha256=${createHmac('sha256', secret).update(text).digest('hex')}`
    const refused: Record<string, string>[] = [
      {},
      { authorization: 'Bearer token' },
      { authorization: 'Bearer ' },
      { authorization: `Basic ${SECRET}` },
      { 'x-hub-signature-256': signature('wrong') },
      { 'x-hub-signature-256': signature(SECRET, `${body} `) },
      { 'x-hub-signature-256': signature(SECRET).slice(0, -1) },
      { 'x-hub-signature-256': '' },
    ]
    for (const headers of refused) {
      const { status, body } = await tell(push, headers)
      expect([status, body.code], JSON.stringify(headers)).toEqual([401, 'unauthorized'])
    }
    expect((await tell(push, { 'x-hub-signature-256': signature('other') })).status).toBe(202)
    expect((await tell(push, { authorization: 'Bearer other' })).status).toBe(202)
    const elsewhere = await ask(service.url, '/v1/report', {
      query: { image: 'a' },
      headers: { authorization: 'Bearer other' },
    })
    expect(elsewhere.status).toBe(401)
  })

  it('forbidden images and events other than pushes are ignored with a reason', async () => {
    const headers = { authorization: 'Bearer other' }
    const forbidden = await tell(pushOf('pushed-not/app', 'v1'), headers)
    expect(forbidden.status).toBe(200)
    expect(forbidden.body.items).toBeUndefined()
    expect(forbidden.body.ignored[0].why).toContain('LAMINA_ALLOWED_REGISTRIES')
    expect((await tell({ zen: 'x' }, headers)).body.ignored).toHaveLength(1)
    const malformed = await fetch(`${service.url}/v1/webhooks/quay`, { method: 'POST', headers, body: '{"a' })
    expect(malformed.status).toBe(400)
    const long = await fetch(`${service.url}/v1/webhooks/quay`, {
      method: 'POST',
      headers,
      body: JSON.stringify('x'.repeat(1_100_000)),
    })
    expect(long.status).toBe(413)
    const unknown = await fetch(`${service.url}/v1/webhooks/gitea`, { method: 'POST', headers, body: '{}' })
    expect(unknown.status).toBe(404)
  })
})

it('webhooks are off without secrets, and require a list of allowed registries', async () => {
  const service = await startService('node')
  const { status, body } = await ask(service.url, '/v1/webhooks/quay', { method: 'POST', json: {} })
  expect([status, body.code]).toEqual([404, 'not_found'])
  await service.stop()
  await expect(startService('node', { LAMINA_WEBHOOK_SECRETS: 'x' })).rejects.toThrow(
    'LAMINA_ALLOWED_REGISTRIES',
  )
})
