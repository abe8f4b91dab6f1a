/** The content of what is attached, over HTTP on each host: whole, or the connection breaks. */
import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { FixtureRegistry } from '../registry/fixture.ts'
import { digestOf, makeArtifact, makeImage, makeLayer } from '../support/images.ts'
import { HOSTS, startService, type TestService } from '../support/service.ts'

describe.each(HOSTS)('on %s', (host) => {
  let service: TestService
  let registry: FixtureRegistry
  let image: string
  const content = randomBytes(4_000_000).toString('hex')
  const digest = digestOf(new TextEncoder().encode(content))

  beforeAll(async () => {
    ;[service, registry] = await Promise.all([startService(host), FixtureRegistry.start({ referrers: true })])
    const subject = makeImage([await makeLayer([{ name: 'a', content: 'a' }])])
    const item = { mediaType: 'application/spdx+json', content }
    registry.push('app', undefined, makeArtifact([item], { subject: subject.descriptor }))
    image = registry.push('app', '1', subject)
  })

  afterAll(async () => {
    await Promise.all([service?.stop(), registry?.close()])
  })

  const read = (encoding: 'identity' | 'gzip') =>
    fetch(`${service.url}/v1/attached/content?${new URLSearchParams({ image, digest })}`, {
      headers: { 'Accept-Encoding': encoding },
    })

  it('right bytes arrive whole', async () => {
    const answer = await read('identity')
    expect(answer.status).toBe(200)
    expect(digestOf(new Uint8Array(await answer.arrayBuffer()))).toBe(digest)
  })

  it('wrong bytes break the connection', async () => {
    const wrong = new TextEncoder().encode(`${content.slice(0, -1)}x`)
    registry.putBlob('app', wrong, digest)
    for (const encoding of ['identity', 'gzip'] as const) {
      const answer = await read(encoding)
      expect(answer.status).toBe(200)
      await expect(answer.arrayBuffer()).rejects.toThrow()
    }
  })
})
