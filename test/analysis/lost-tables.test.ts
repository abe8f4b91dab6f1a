/** Tables that the store has lost are rebuilt, even though their marker still exists. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readLayerFacts } from '../../src/index/layer-index.ts'
import { FixtureRegistry } from '../registry/fixture.ts'
import { ask } from '../support/ask.ts'
import { makeImage, makeLayer } from '../support/images.ts'
import { HOSTS, startService, type TestService } from '../support/service.ts'

describe.each(HOSTS)('on %s', (host) => {
  let service: TestService
  let registry: FixtureRegistry

  beforeAll(async () => {
    ;[service, registry] = await Promise.all([startService(host), FixtureRegistry.start()])
  })

  afterAll(async () => {
    await Promise.all([service?.stop(), registry?.close()])
  })

  /** @param limit the default, to make a different request: small answers are kept in memory */
  const files = (image: string, layer?: number, limit?: 100) =>
    ask(service.url, '/v1/files', { query: { image, wait: 60, layer, limit } })

  async function lose(name: string): Promise<void> {
    const store = await service.store()
    const keys: string[] = []
    for await (const key of store.list('')) if (key.endsWith(name)) keys.push(key)
    expect(keys.length).toBeGreaterThan(0)
    for (const key of keys) await store.delete(key)
  }

  /** Changes bytes after this fraction of the table, within the rows: it can still be opened. */
  async function damage(name: string, share: number): Promise<void> {
    const store = await service.store()
    for await (const key of store.list('')) {
      if (!key.endsWith(name)) continue
      const stored = await store.get(key)
      const bytes = new Uint8Array(await new Response(stored?.body).arrayBuffer())
      if (bytes.length < 50_000) continue
      const at = Math.floor(bytes.length * share)
      bytes.fill(255, at, at + 200)
      await store.put(key, bytes)
    }
  }

  /** Has three groups of rows. */
  async function pushMany(tag: string): Promise<string> {
    const members = Array.from({ length: 5000 }, (_, i) => ({ name: `${tag}/${i * 7919}` }))
    return registry.push('many', tag, makeImage([await makeLayer(members)]))
  }

  async function push(tag: string): Promise<string> {
    const layers = [await makeLayer([{ name: 'a', content: 'same layer' }]), await makeLayer([{ name: tag }])]
    return registry.push('app', tag, makeImage(layers))
  }

  it("rebuilds an image's table", async () => {
    const image = await push('v1')
    const whole = await files(image)
    expect(whole.status).toBe(200)
    await lose('files.parquet')
    expect((await files(image, undefined, 100)).body).toMatchObject({ code: 'store_error' })
    expect(await files(image, undefined, 100)).toMatchObject({ status: 200, body: whole.body })
  })

  it('rebuilds an image whose facts are lost and only remembered by the answering thread', async () => {
    const image = await push('facts')
    const { status, body } = await ask(service.url, '/v1/report', { query: { image, wait: 60 } })
    expect(status).toBe(200)
    await lose(`images/v6/${body.image.digest.replace(':', '/')}/packages.parquet`)
    const first = await files(image)
    if (first.status !== 200) expect(first.body).toMatchObject({ status: 503 })
    expect(await files(image)).toMatchObject({ status: 200 })
  })

  it("rebuilds a layer's table, and with it the table of an image", async () => {
    const image = await push('v2')
    const whole = await files(image, 0)
    expect(whole.status).toBe(200)
    await lose('entries.parquet')
    expect((await files(image, 0, 100)).body).toMatchObject({ code: 'store_error' })
    expect(await files(image, 0, 100)).toMatchObject({ status: 200, body: whole.body })
  })

  it.each([
    ['files.parquet', undefined],
    ['entries.parquet', 0],
  ])('rebuilds %s if its rows are damaged', async (name, layer) => {
    const image = await pushMany(name)
    const whole = await files(image, layer)
    expect(whole.status).toBe(200)
    await damage(name, 0.01)
    expect((await files(image, layer, 100)).body).toMatchObject({ code: 'store_error' })
    expect(await files(image, layer, 100)).toMatchObject({ status: 200, body: whole.body })
  })

  it('rebuilds a table that turned out to be damaged while it was streamed', async () => {
    const image = await pushMany('streamed')
    expect((await files(image)).status).toBe(200)
    await damage('files.parquet', 0.6)
    const query = new URLSearchParams({ image, wait: '60' })
    const headers = { accept: 'application/x-ndjson' }
    const text = async () => {
      const answer = await fetch(`${service.url}/v1/files?${query}`, { headers })
      expect(answer.status).toBe(200)
      return answer.text()
    }
    await expect(text()).rejects.toThrow()
    // It is dropped after the answer is cut off.
    await expect
      .poll(async () => (await text().catch(() => '')).split('\n').length, { timeout: 30_000 })
      .toBe(5002)
  })

  it('rereads a layer whose package databases are lost or damaged', async () => {
    const base = await makeLayer([
      { name: 'node_modules/a/package.json', content: '{"name":"a","version":"1.0.0"}' },
    ])
    const store = await service.store()
    const key = `layers/v5/${base.descriptor.digest.replace(':', '/')}/entries.parquet`
    const total = async (tag: string) => {
      const image = registry.push('databases', tag, makeImage([base, await makeLayer([{ name: tag }])]))
      const { body } = await ask(service.url, '/v1/report', { query: { image, wait: 60 } })
      return body.packages?.total
    }
    expect(await total('v1')).toBe(1)
    await store.delete(key)
    expect(await total('v2')).toBe(1)
    expect(await store.has(key)).toBe(true)
    const bytes = Buffer.from(await new Response((await store.get(key))?.body).arrayBuffer())
    const at = (await readLayerFacts(store, base.descriptor.digest))?.databasesPart.offset ?? 0
    expect(at).toBeGreaterThan(0)
    await store.put(key, bytes.fill('A', at + 20, at + 30))
    expect(await total('v3')).toBe(1)
  })

  it('rereads a layer whose table is lost when another image needs it', async () => {
    expect((await files(await push('v3'))).status).toBe(200)
    await lose('entries.parquet')
    expect((await files(await push('v4'))).status).toBe(200)
  })
})
