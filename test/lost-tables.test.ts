/** Tables that the store has lost are made again, though the marker beside them still stands. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ask } from './ask.ts'
import { makeImage, makeLayer } from './images.ts'
import { FixtureRegistry } from './registry/fixture.ts'
import { HOSTS, startService, type TestService } from './service.ts'

describe.each(HOSTS)('on %s', (host) => {
  let service: TestService
  let registry: FixtureRegistry

  beforeAll(async () => {
    ;[service, registry] = await Promise.all([startService(host), FixtureRegistry.start()])
  })

  afterAll(async () => {
    await Promise.all([service?.stop(), registry?.close()])
  })

  const files = (image: string, layer?: number) =>
    ask(service.url, '/v1/files', { query: { image, wait: 60, ...(layer === undefined ? {} : { layer }) } })

  async function lose(name: string): Promise<void> {
    const store = await service.store()
    const keys: string[] = []
    for await (const key of store.list('')) if (key.endsWith(name)) keys.push(key)
    expect(keys.length).toBeGreaterThan(0)
    for (const key of keys) await store.delete(key)
  }

  async function push(tag: string): Promise<string> {
    const layers = [await makeLayer([{ name: 'a', content: 'same layer' }]), await makeLayer([{ name: tag }])]
    return registry.push('app', tag, makeImage(layers))
  }

  it("makes an image's table again", async () => {
    const image = await push('v1')
    const whole = await files(image)
    expect(whole.status).toBe(200)
    await lose('files.parquet')
    expect((await files(image)).body).toMatchObject({ code: 'store_error' })
    expect(await files(image)).toMatchObject({ status: 200, body: whole.body })
  })

  it("makes a layer's table again, and that of an image with it", async () => {
    const image = await push('v2')
    const whole = await files(image, 0)
    expect(whole.status).toBe(200)
    await lose('entries.parquet')
    expect((await files(image, 0)).body).toMatchObject({ code: 'store_error' })
    expect(await files(image, 0)).toMatchObject({ status: 200, body: whole.body })
  })

  it('reads a layer again whose table is lost when another image has it', async () => {
    expect((await files(await push('v3'))).status).toBe(200)
    await lose('entries.parquet')
    expect((await files(await push('v4'))).status).toBe(200)
  })
})
