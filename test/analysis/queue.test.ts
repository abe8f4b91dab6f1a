/** More analyses than a service has room for: some run, some wait, the rest are told to retry. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { FixtureRegistry } from '../registry/fixture.ts'
import { ask } from '../support/ask.ts'
import { makeImage, makeLayer } from '../support/images.ts'
import { HOSTS, startService, type TestService } from '../support/service.ts'

const WAITING = 100
const REFUSED = 9

describe.each(HOSTS)('on %s, which analyses one image at a time', (host) => {
  let service: TestService
  let registry: FixtureRegistry

  beforeAll(async () => {
    service = await startService(host, { LAMINA_MAX_ANALYSES: '1' })
    registry = await FixtureRegistry.start()
  })

  afterAll(async () => {
    await Promise.all([service?.stop(), registry?.close()])
  })

  const report = (image: string, wait: number) => ask(service.url, '/v1/report', { query: { image, wait } })

  it('images beyond a queue of a hundred are refused until there is room; all others are answered', async () => {
    const held = await makeLayer([{ name: 'held', content: 'x' }])
    // All images have the layer: whichever runs holds up the others until all requests have arrived.
    const { promise: until, resolve: release } = Promise.withResolvers<void>()
    const blob = { path: new RegExp(held.descriptor.digest) }
    registry.fault(blob, { until })
    const first = report(registry.push('held', 'v1', makeImage([held])), 60)
    await expect.poll(() => registry.count(blob)).toBe(1)
    const references = Array.from({ length: WAITING + REFUSED }, (_, i) =>
      registry.push('many', `v${i}`, makeImage([held], { config: { author: `${i}` } })),
    )
    const asked = await Promise.all(
      references.map(async (reference) => ({ reference, answer: await report(reference, 0) })),
    )
    release()
    const refused = asked.filter(({ answer }) => answer.status === 429)
    expect(refused.length).toBe(REFUSED)
    for (const { answer } of refused) {
      expect(answer.headers.get('content-type')).toBe('application/problem+json')
      expect(answer.body.code).toBe('rate_limited')
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0)
    }
    const accepted = asked.filter(({ answer }) => answer.status !== 429)
    expect(new Set(accepted.map(({ answer }) => answer.status))).toEqual(new Set([202]))
    expect((await first).status).toBe(200)
    const answers = await Promise.all(accepted.map(({ reference }) => report(reference, 60)))
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
    const again = await Promise.all(refused.map(({ reference }) => report(reference, 60)))
    expect(new Set(again.map(({ status }) => status))).toEqual(new Set([200]))
  })
})
