/** A stream that fails is cut off on the wire, so that nobody mistakes it for complete. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeImage, makeLayer } from './images.ts'
import { FixtureRegistry } from './registry/fixture.ts'
import { HOSTS, startService, type TestService } from './service.ts'

const MEGABYTES = 4_000_000

describe.each(HOSTS)('on %s', (host) => {
  let service: TestService
  let registry: FixtureRegistry

  beforeAll(async () => {
    service = await startService(host)
    registry = await FixtureRegistry.start()
  })

  afterAll(async () => {
    await Promise.all([service?.stop(), registry?.close()])
  })

  const read = (path: string, image: string, more: Record<string, string>) =>
    fetch(`${service.url}${path}?${new URLSearchParams({ image, ...more })}`)

  it('a file whose bytes differ from what was indexed', async () => {
    const [good, bad] = await Promise.all([
      makeLayer([{ name: 'large', content: `${'x'.repeat(MEGABYTES)}good` }]),
      makeLayer([{ name: 'large', content: `${'x'.repeat(MEGABYTES)}bad!` }]),
    ])
    const image = registry.push('lying', 'v1', makeImage([good]))
    expect((await read('/v1/report', image, { wait: '60' })).status).toBe(200)
    const whole = await read('/v1/file', image, { path: 'large' })
    expect((await whole.text()).length).toBe(MEGABYTES + 4)
    registry.putBlob('lying', bad.bytes ?? new Uint8Array(0), good.descriptor.digest)
    const cut = read('/v1/file', image, { path: 'large' }).then((response) => response.text())
    await expect(cut).rejects.toThrow()
  })
})
