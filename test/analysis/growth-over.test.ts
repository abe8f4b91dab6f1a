/** Growth over many images, through HTTP on both hosts: the gate compares with the earlier images of a repository. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { FixtureRegistry } from '../registry/fixture.ts'
import { ask } from '../support/ask.ts'
import { makeImage, makeLayer } from '../support/images.ts'
import { HOSTS, startService, type TestService } from '../support/service.ts'

let registry: FixtureRegistry
let image: string
let baseline: string

/** No layer is read: sizes are what manifests say. */
async function push(repository: string, tag: string, size: number, created: string): Promise<string> {
  const layers = [await makeLayer([{ name: tag, content: tag }], { descriptor: { size } })]
  return registry.push(repository, tag, makeImage(layers, { config: { created } }))
}

beforeAll(async () => {
  registry = await FixtureRegistry.start()
  await push('app', 'main-9', 10_000, '2026-01-01T00:00:00Z')
  await push('app', 'main-10', 10_300, '2026-01-02T00:00:00Z')
  baseline = await push('app', 'main-11', 10_600, '2026-01-04T00:00:00Z')
  await push('app', 'pr-7', 11_000, '2026-01-03T00:00:00Z')
  await push('app', 'sha256-0123.sig', 100, '2025-01-01T00:00:00Z')
  image = await push('app', 'pr-8', 11_100, '2026-01-05T00:00:00Z')
})

afterAll(() => registry.close())

describe.each(HOSTS)('on %s', (host) => {
  let service: TestService

  beforeAll(async () => {
    service = await startService(host)
  })

  afterAll(() => service.stop())

  async function check(rule: string, more: object = {}) {
    const query = { image, maxGrowthOver: rule, historyTag: 'main-*', ...more }
    const { status, body } = await ask(service.url, '/v1/check', { query })
    return { status, ...(status < 500 && status !== 400 ? { rule: body.rules[0] } : { body }) }
  }

  test('since the oldest of the last images, by time', async () => {
    expect(await check('11%/30')).toMatchObject({ status: 200, rule: { actual: 11, unit: 'percent' } })
    expect(await check('10.9%/30')).toMatchObject({
      status: 412,
      rule: {
        rule: 'maxGrowthOver',
        limit: 10.9,
        message:
          'Since main-9, 3 images ago, the compressed size went from 10.0 kB to 11.1 kB (+1.10 kB, 11.0%), over the limit of 10.9%.',
        evidence: [{ layer: 0, bytes: 11_100 }],
      },
    })
    expect(await check('700B/2')).toMatchObject({ status: 412, rule: { actual: 800 } })
    expect(await check('500B/1')).toMatchObject({ status: 200, rule: { actual: 500 } })
  })

  test('all tags by default, but neither the image itself nor attached artifacts', async () => {
    const all = (rule: string) => check(rule, { historyTag: undefined })
    expect(await all('0B/30')).toMatchObject({ rule: { actual: 1_100 } })
    expect(await all('0B/2')).toMatchObject({ rule: { actual: 100 } })
  })

  test("of the baseline's repository, if there is one", async () => {
    const other = await push('other', 'main-1', 11_000, '2026-01-01T00:00:00Z')
    expect(await check('0B/30', { image: other, historyTag: undefined })).toMatchObject({
      status: 200,
      rule: { actual: null, message: 'There is no earlier image to compare with; up to 30 are.' },
    })
    expect(await check('0B/30', { image: other, baseline })).toMatchObject({ rule: { actual: 1_000 } })
  })

  test('what cannot be compared is refused', async () => {
    for (const rule of ['10%', '10%/0', '10%/1001', '/30', '10%/3.5'])
      expect(await check(rule)).toMatchObject({ status: 400, body: { parameter: 'maxGrowthOver' } })
  })

  test('a badge shows it', async () => {
    const query = new URLSearchParams({ image, maxGrowthOver: '10.9%/30', historyTag: 'main-*' })
    const answer = await fetch(`${service.url}/badge/check.json?${query}`)
    expect(await answer.json()).toMatchObject({ message: 'failing' })
  })
})
