/** Opening an image: shared fetches, verified bytes from the store, and registries that lie or encode blobs. */
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { provenanceKey } from '../../src/index/keys.ts'
import { FixtureRegistry } from '../registry/fixture.ts'
import { ask } from '../support/ask.ts'
import { digestOf, makeImage, makeLayer, type TestImage } from '../support/images.ts'
import { HOSTS, startService, type TestService } from '../support/service.ts'

const LARGE = 4_000_000

describe.concurrent.each(HOSTS)('on %s', (host) => {
  let service: TestService
  let registry: FixtureRegistry
  let made = 0

  const get = (path: string, query: Record<string, string | number>) => ask(service.url, path, { query })

  async function image(): Promise<TestImage> {
    return makeImage([await makeLayer([{ name: `file-${made++}`, content: 'text' }])])
  }

  beforeAll(async () => {
    ;[service, registry] = await Promise.all([startService(host), FixtureRegistry.start()])
  })
  afterAll(async () => {
    await Promise.all([service?.stop(), registry?.close()])
  })

  it('a cancelled request leaves nothing behind that others wait for', async ({ expect }) => {
    const gone = new AbortController()
    const until = new Promise(() => undefined)
    registry.fault({ path: /\/gone\/manifests\// }, { until })
    const url = new URL('/v1/config', service.url)
    url.searchParams.set('image', `${registry.host}/gone:v1`)
    const abandoned = fetch(url, { signal: gone.signal })
    await expect.poll(() => registry.count({ path: /\/gone\// })).toBe(1)
    gone.abort()
    await expect(abandoned).rejects.toThrow()
    // On Workers the first one waits some seconds for the cancelled request, then replaces it.
    for (let i = 0; i < 5; i++)
      expect((await get('/v1/config', { image: `${registry.host}/gone:v1` })).status).toBe(404)
  })

  it('a pair is answered when both sides are done, even if one has failed', async ({ expect }) => {
    const reference = registry.push('slow', 'v1', await image())
    const answered = Promise.withResolvers<void>()
    registry.fault({ path: /\/slow\/manifests\/v1/ }, { until: answered.promise })
    const asked = get('/v1/diff', { from: reference, to: `${registry.host}/missing:v1` })
    await expect.poll(() => registry.count({ path: /\/missing\//, status: 404 })).toBe(1)
    setTimeout(answered.resolve, 1_000)
    expect((await asked).status).toBe(404)
    // If the failure were reported at once, nobody would have waited for the other side.
    expect(registry.count({ path: /\/slow\/manifests\/v1/, status: 200 })).toBe(1)
  })

  it('a stored manifest or config that does not match its digest counts as missing', async () => {
    const whole = await image()
    const reference = registry.push('damaged', 'v1', whole)
    const store = await service.store()
    const { digest } = whole.descriptor
    const config = whole.config.descriptor.digest
    const edit = (bytes: Uint8Array) =>
      Buffer.from(
        Buffer.from(bytes)
          .toString()
          .replace(/"size":\d+/g, '"size":1')
          .replace('linux', 'plan9'),
      )
    for (const origin of [registry.host, 'public']) {
      await store.put(provenanceKey('manifest', digest, origin), edit(whole.bytes))
      await store.put(provenanceKey('config', config, origin), edit(whole.config.bytes))
    }
    const badge = await get('/badge/size.json', { image: reference })
    expect(badge.body.message).not.toBe('2 B')
    const answer = await get('/v1/config', { image: reference })
    expect(answer.body.os).toBe('linux')
    expect(registry.count({ method: 'GET', path: /\/damaged\/manifests\// })).toBe(1)
    expect(registry.count({ method: 'GET', path: /\/damaged\/blobs\// })).toBe(1)
    const kept = await store.get(provenanceKey('manifest', digest, 'public'))
    expect(digestOf(new Uint8Array(await new Response(kept?.body).arrayBuffer()))).toBe(digest)
  })

  it('a registry with a false digest header gives an invalid image, each time', async () => {
    const reference = registry.push('lies', 'v1', await image())
    const headers = { 'docker-content-digest': `sha256:${'0'.repeat(64)}` }
    registry.fault({ path: /\/lies\/manifests\/v1/ }, { headers }, 100)
    for (let i = 0; i < 2; i++) {
      const answer = await get('/v1/report', { image: reference })
      expect([answer.status, answer.body.code]).toEqual([422, 'invalid_image'])
      expect(answer.body.detail).toContain('0'.repeat(64))
    }
  })

  it('a blob with a Content-Encoding is read as the bytes that its digest covers', async () => {
    const whole = await image()
    const reference = registry.push('encoded', 'v1', whole)
    const layer = whole.layers[0]?.descriptor.digest ?? ''
    expect(gzipSync('').subarray(0, 2)).toEqual(Buffer.from([0x1f, 0x8b]))
    registry.fault({ path: new RegExp(`/blobs/${layer}`) }, { headers: { 'content-encoding': 'gzip' } }, 10)
    const answer = await get('/v1/report', { image: reference, wait: 60 })
    expect([answer.status, answer.body.counts?.files]).toEqual([200, 1])
  })
  it('a file that is not as it was indexed is cut off on the wire, so that nobody mistakes it for complete', async () => {
    const [good, bad] = await Promise.all([
      makeLayer([{ name: 'large', content: `${'x'.repeat(LARGE)}good` }]),
      makeLayer([{ name: 'large', content: `${'x'.repeat(LARGE)}bad!` }]),
    ])
    const reference = registry.push('lying', 'v1', makeImage([good]))
    expect((await get('/v1/report', { image: reference, wait: 60 })).status).toBe(200)
    const file = `${service.url}/v1/file?${new URLSearchParams({ image: reference, path: 'large' })}`
    const whole = await fetch(file)
    expect((await whole.text()).length).toBe(LARGE + 4)
    registry.putBlob('lying', bad.bytes ?? new Uint8Array(0), good.descriptor.digest)
    const cut = fetch(file).then((response) => response.text())
    await expect(cut).rejects.toThrow()
  })
})
