import { afterAll, beforeAll, expect, it } from 'vitest'
import { FixtureRegistry } from '../../../test/registry/fixture.ts'
import { startApp } from '../../../test/support/app.ts'
import { makeImage, makeLayer } from '../../../test/support/images.ts'
import { type OpeningTimes, OpenOnce } from './open-once.ts'

let registry: FixtureRegistry
let reference: string

beforeAll(async () => {
  registry = await FixtureRegistry.start()
  reference = registry.push('app', '1', makeImage([await makeLayer([{ name: 'a' }])]))
})
afterAll(() => registry.close())

const silent = { until: new Promise(() => {}) }

function opener(times?: OpeningTimes): OpenOnce {
  const caller = { credentials: { for: () => undefined }, signal: new AbortController().signal }
  return new OpenOnce(startApp().service, 'linux/amd64', {
    ...caller,
    ...(times === undefined ? {} : { times }),
  })
}

it('opens each reference once', async () => {
  const images = opener()
  registry.forgetRequests()
  const [one, other] = await Promise.all([images.name(reference), images.image(reference)])
  expect(one).toBe(other)
  expect(registry.requests.map(({ method }) => method)).toEqual(['HEAD', 'GET', 'GET'])
})

it('a registry that does not answer is given up after the time for one image', async () => {
  registry.fault({ method: 'HEAD' }, silent)
  await expect(opener({ each: 20, names: 60_000, all: 60_000 }).name(reference)).resolves.toMatchObject({
    code: 'registry_timeout',
  })
  registry.clearFaults()
})

it('past the time for all names a registry is not asked', async () => {
  const images = opener({ each: 60_000, names: 0, all: 60_000 })
  registry.forgetRequests()
  await expect(images.name(reference)).resolves.toMatchObject({ code: 'registry_timeout' })
  expect(registry.requests).toEqual([])
  await expect(images.image(`${registry.host}/app:1`)).resolves.toMatchObject({ code: 'registry_timeout' })
})

it('the answer is for this caller only once credentials were at hand', async () => {
  const images = new OpenOnce(startApp().service, 'linux/amd64', {
    credentials: { for: (name) => (name === registry.host ? { username: 'a', password: 'b' } : undefined) },
    signal: new AbortController().signal,
  })
  expect(images.isPublic).toBe(true)
  await images.image(reference)
  expect(images.isPublic).toBe(false)
})
