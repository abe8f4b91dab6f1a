/** The page of what is attached to an image, which the report's page loads when a reader asks. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { FixtureRegistry } from '../registry/fixture.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { makeArtifact, makeImage, makeLayer, type TestImage } from '../support/images.ts'

const SLSA = 'https://slsa.dev/provenance/v1'

let registry: FixtureRegistry
let app: TestApp
let subject: TestImage
let image: string

beforeAll(async () => {
  registry = await FixtureRegistry.start({ referrers: true })
  app = startApp()
  subject = makeImage([await makeLayer([{ name: 'a', content: 'a' }])])
  const contents = [
    {
      mediaType: 'application/vnd.in-toto+json',
      content: `{"predicateType":"${SLSA}","predicate":{"by":"a test"}}`,
      annotations: { 'in-toto.io/predicate-type': SLSA },
    },
    { mediaType: 'text/<b>"', content: 'of a hostile type' },
  ]
  registry.push('app', undefined, makeArtifact(contents, { subject: subject.descriptor }))
  image = registry.push('app', '1', subject)
  await (await app.ask(`/v1/report?${new URLSearchParams({ image, wait: '60' })}`)).text()
})
afterAll(() => registry.close())

const get = async (path: string, query: Record<string, string>) =>
  (await app.ask(`${path}?${new URLSearchParams(query)}`)).text()

it('the page of a report leads to it, and asks the registry nothing about it', async () => {
  registry.forgetRequests()
  const report = await get('/', { image })
  const address = /<details\s+data-load="(\/attached\?[^"]+)">/.exec(report)?.[1]?.replaceAll('&amp;', '&')
  expect(address).toBe(`/attached?${new URLSearchParams({ image })}`)
  expect(registry.count({ path: /referrers|sha256-|\/blobs\// })).toBe(0)
})

it('each item has its type and leads to its content, and an attestation to what it says', async () => {
  const page = await get('/attached', { image })
  expect(page).toContain('2 items attached. Nothing is verified')
  expect(page).toContain('text/&lt;b&gt;&quot;')
  const addresses = [...page.matchAll(/href="(\/v1\/attached\/content\?[^"]+)"/g)].map(([, address = '']) =>
    address.replaceAll('&amp;', '&'),
  )
  const contents = await Promise.all(addresses.map(async (address) => (await app.ask(address)).text()))
  expect(contents).toEqual([
    `{"predicateType":"${SLSA}","predicate":{"by":"a test"}}`,
    '{"by":"a test"}',
    'of a hostile type',
  ])
})

it('a list that is incomplete says so', async () => {
  registry.fault({ path: /\/referrers\// }, { status: 403 }, 10)
  const page = await get('/attached', { image })
  expect(page).toContain('This list is incomplete')
  expect(page).not.toContain('Nothing is attached')
  registry.clearFaults()
})

it('without the image there is the problem', async () => {
  expect(await get('/attached', { image: `${registry.host}/app:2` })).toContain('role="alert"')
})
