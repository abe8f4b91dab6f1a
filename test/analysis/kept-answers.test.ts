/** A stored answer is repeated without any work, only to those who may see it, and never if it is damaged. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { FixtureRegistry } from '../registry/fixture.ts'
import { ask } from '../support/ask.ts'
import { makeImage, makeLayer } from '../support/images.ts'
import { HOSTS, startService, type TestService } from '../support/service.ts'

describe.each(HOSTS)('%s', (host) => {
  let registry: FixtureRegistry
  let service: TestService
  let from: string
  let to: string

  beforeAll(async () => {
    registry = await FixtureRegistry.start()
    service = await startService(host)
    const layer = (content: string) => makeLayer([{ name: 'a', content }])
    from = registry.push('app', 'v1', makeImage([await layer('one')]))
    to = registry.push('app', 'v2', makeImage([await layer('two')]))
  })

  afterAll(async () => {
    await Promise.all([registry?.close(), service?.stop()])
  })

  const diff = (query: Record<string, string | number> = {}) =>
    ask(service.url, '/v1/diff', { query: { from, to, wait: 60, ...query } })

  /** Without tables no new answer can be made. */
  async function removeTables(): Promise<void> {
    const store = await service.store()
    for await (const key of store.list('')) if (key.endsWith('.parquet')) await store.delete(key)
  }

  it('repeats an earlier answer byte for byte', async () => {
    const first = await diff()
    expect(first.status).toBe(200)
    const page = () => fetch(`${service.url}/?image=${to}`).then((answer) => answer.text())
    const firstPage = await page()
    expect(firstPage).toContain('<svg')
    await removeTables()
    expect(await page()).toBe(firstPage)
    const again = await diff()
    expect(again.status).toBe(200)
    expect(again.body).toEqual(first.body)
    expect(again.headers.get('etag')).toBe(first.headers.get('etag'))
    expect(again.headers.get('content-type')).toBe(first.headers.get('content-type'))
    // A different request needs a new answer.
    expect((await diff({ format: 'text', color: 1 })).status).not.toBe(200)
  })
})
