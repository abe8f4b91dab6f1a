/** What an image stands on, through the service and a registry that records what it was asked. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { BaseReport } from '../../src/base/base.ts'
import { type OpenedImage, openImage } from '../../src/open/open-image.ts'
import type { Service } from '../../src/open/service.ts'
import { describeBase } from '../../src/service/base/describe.ts'
import { FixtureRegistry } from '../registry/fixture.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { makeImage, makeIndex, makeLayer, type TestImage, type TestLayer } from '../support/images.ts'
import { freePort } from '../support/ports.ts'

let registry: FixtureRegistry
let other: FixtureRegistry
let app: TestApp
let lower: TestLayer
let upper: TestLayer
let own: TestLayer
let base: TestImage

const LOGIN = Buffer.from(JSON.stringify({ username: 'me', password: 'secret' })).toString('base64url')
const LINUX = { platform: { os: 'linux', architecture: 'amd64' } }

beforeAll(async () => {
  registry = await FixtureRegistry.start()
  other = await FixtureRegistry.start()
  app = startApp()
  lower = await makeLayer([{ name: 'lower', content: 'a' }])
  upper = await makeLayer([{ name: 'upper', content: 'b' }])
  own = await makeLayer([{ name: 'own', content: 'c' }])
  base = makeImage([lower, upper])
})
afterAll(() => Promise.all([registry.close(), other.close()]))

async function ask(query: Record<string, string>, headers: Record<string, string> = {}) {
  const answer = await app.ask(`/v1/base?${new URLSearchParams(query)}`, { headers })
  const isJson = answer.headers.get('content-type')?.includes('json')
  return {
    status: answer.status,
    headers: answer.headers,
    body: isJson ? await answer.json() : await answer.text(),
  }
}

function named(name: string, digest?: string): Record<string, string> {
  return {
    'org.opencontainers.image.base.name': name,
    ...(digest === undefined ? {} : { 'org.opencontainers.image.base.digest': digest }),
  }
}

const sizes = (layers: readonly TestLayer[]) =>
  layers.reduce((sum, { descriptor }) => sum + descriptor.size, 0)

it('asks three questions for the base and three for its tag, and reads no layer', async () => {
  const index = makeIndex([[base, LINUX]])
  const reference = registry.push('few', '1', index)
  const annotations = named(reference, index.descriptor.digest)
  const image = makeImage([lower, upper, own], {
    manifest: { annotations },
    config: { config: { Labels: annotations } },
  })
  const asked = registry.push('few-app', '1', image)
  registry.forgetRequests()
  const { body } = await ask({ image: asked })
  expect(body).toMatchObject({
    base: {
      reference,
      digest: base.descriptor.digest,
      indexDigest: index.descriptor.digest,
      evidence: ['annotation', 'label'],
      layers: 2,
      compressedBytes: sizes([lower, upper]),
    },
    own: { layers: 1, compressedBytes: sizes([own]) },
    update: { reference, state: 'current' },
    warnings: [],
  })
  const questions = registry.requests.map(({ method, path }) => `${method} ${path.replace('/v2/', '')}`)
  expect(questions).toEqual([
    'HEAD few-app/manifests/1',
    `GET few-app/manifests/${image.descriptor.digest}`,
    `GET few-app/blobs/${image.config.descriptor.digest}`,
    `HEAD few/manifests/${index.descriptor.digest}`,
    `GET few/manifests/${index.descriptor.digest}`,
    `GET few/manifests/${base.descriptor.digest}`,
    `GET few/blobs/${base.config.descriptor.digest}`,
    'HEAD few/manifests/1',
  ])
})

it('an alternative costs two questions', async () => {
  const reference = registry.push('family', '1', base)
  const slim = makeIndex([[makeImage([lower]), LINUX]])
  registry.push('family', '1-slim', slim)
  registry.push('family', '2-slim', slim)
  registry.push(
    'family',
    '1-windows',
    makeIndex([[base, { platform: { os: 'windows', architecture: 'amd64' } }]]),
  )
  const asked = registry.push(
    'family-app',
    '1',
    makeImage([lower, upper, own], { manifest: { annotations: named(reference) } }),
  )
  registry.forgetRequests()
  const { body } = await ask({ image: asked, alternatives: '5' })
  expect(body.alternatives).toEqual([
    {
      reference: `${registry.host}/family:1-slim`,
      digest: slim.children[0]?.descriptor.digest,
      compressedBytes: sizes([lower]),
      delta: -sizes([upper]),
    },
  ])
  const variants = registry.requests.filter(({ path }) => /family\/manifests\/1-/.test(path))
  expect(variants.map(({ method, path }) => `${method} ${path}`).sort()).toEqual([
    'GET /v2/family/manifests/1-slim',
    'GET /v2/family/manifests/1-windows',
  ])
  expect(registry.count({ path: /family\/tags/ })).toBe(1)
})

it('a tag that moved is behind, and says what an update pulls', async () => {
  const reference = registry.push('moved', '1', base)
  const asked = registry.push(
    'moved-app',
    '1',
    makeImage([lower, upper, own], { manifest: { annotations: named(reference, base.descriptor.digest) } }),
  )
  const newer = await makeLayer([{ name: 'newer', content: 'a longer content' }])
  registry.push('moved', '1', makeImage([lower, newer]))
  const { body } = await ask({ image: asked })
  expect(body.update).toMatchObject({
    state: 'behind',
    pull: { layers: 1, bytes: sizes([newer]) },
    sizeDelta: sizes([newer]) - sizes([upper]),
  })
})

it('credentials go to the registry of the image, and to no other that it names', async () => {
  const elsewhere = other.push('leak', '1', base)
  const annotations = named(elsewhere)
  const asked = registry.push('leak-app', '1', makeImage([lower, upper, own], { manifest: { annotations } }))
  const { body, headers } = await ask({ image: asked }, { 'X-Registry-Auth': LOGIN })
  expect(body.base.reference).toBe(elsewhere)
  expect(headers.get('cache-control')).toBe('private, no-cache')
  expect(other.requests.filter(({ authorization }) => authorization !== undefined)).toEqual([])
})

it('an image that was analysed for everybody is known as a base, an image of one caller is not', async () => {
  const layers = await Promise.all(['x', 'y', 'z'].map((name) => makeLayer([{ name }])))
  const asked = registry.push('known-app', '1', makeImage(layers))
  const report = (reference: string, headers: Record<string, string>) =>
    app.ask(`/v1/report?image=${reference}&wait=20`, { headers })
  await report(registry.push('one-caller', '1', makeImage(layers.slice(0, 2))), { 'X-Registry-Auth': LOGIN })
  expect((await ask({ image: asked })).body.base).toBeUndefined()
  const known = registry.push('known', '1', makeImage(layers.slice(0, 1)))
  await report(known, {})
  expect((await ask({ image: asked })).body.base).toMatchObject({
    reference: known,
    evidence: ['known'],
    layers: 1,
  })
})

it('text and Markdown show nothing of a name that is no reference', async () => {
  const annotations = named('<img src=x>\n::error::own')
  const asked = registry.push('hostile', '1', makeImage([lower, upper, own], { manifest: { annotations } }))
  for (const format of ['text', 'markdown']) {
    const { body } = await ask({ image: asked, format })
    expect(body).toContain('The base named by the annotation is not a valid reference.')
    expect(body).not.toMatch(/<img|^::/m)
  }
})

it('JSON escapes invisible characters of what an annotation says', async () => {
  const annotations = named('evil\u202egnp\u009b31m')
  const asked = registry.push('invisible', '1', makeImage([lower], { manifest: { annotations } }))
  const text = await (await app.ask(`/v1/base?image=${asked}`)).text()
  expect(text).toContain('evil\\u202egnp\\u009b31m')
  expect(text).not.toMatch(/[\u202e\u009b]/)
})

it('packages wait for the analyses of the image and its base', async () => {
  const reference = registry.push('analysed', '1', base)
  const asked = registry.push(
    'analysed-app',
    '1',
    makeImage([lower, upper, own], { manifest: { annotations: named(reference) } }),
  )
  expect((await ask({ image: asked, packages: '1' })).status).toBe(202)
  expect((await ask({ image: asked, packages: '1', format: 'text' })).status).toSatisfy(
    (s: number) => s === 503 || s === 200,
  )
  const { body } = await ask({ image: asked, packages: '1', wait: '20' })
  expect(body).toMatchObject({
    base: { packages: 0 },
    own: { packages: 0, uncompressedBytes: expect.any(Number) },
  })
})

it('a registry that is away costs nothing: it is a warning, and another name that fits will do', async () => {
  const away = `127.0.0.1:${await freePort()}/base:1`
  const reference = registry.push('there', '1', base)
  const image = makeImage([lower, upper, own], {
    manifest: { annotations: named(away) },
    config: { config: { Labels: named(reference) } },
  })
  const { status, body } = await ask({ image: registry.push('away-app', '1', image) })
  expect([status, body.base.reference, body.base.evidence]).toEqual([200, reference, ['label']])
  expect(body.warnings).toMatchObject([
    { code: 'baseUnreadable', evidence: 'annotation', reference: away, problem: { code: 'registry_error' } },
  ])
})

describe('a registry that never answers costs at most its time', () => {
  const silent = { until: new Promise(() => {}) }
  const credentials = { for: () => undefined }
  const times = { each: 1000, names: 1000, all: 1500 }
  // It knows no other base with these layers.
  let service: Service
  let image: OpenedImage

  beforeEach(async () => {
    ;({ service } = startApp())
    const slow = other.push('slow', '1', base)
    const annotations = named(slow, base.descriptor.digest)
    const app = makeImage([lower, upper, own], { manifest: { annotations } })
    image = await open(registry.push('slow-app', '1', app))
    return () => other.clearFaults()
  })

  function open(reference: string): Promise<OpenedImage> {
    return openImage(service, { reference, platform: undefined, credentials, signal: undefined })
  }

  async function reportWithout(path: RegExp): Promise<BaseReport> {
    other.fault({ path }, silent, Number.POSITIVE_INFINITY)
    const { signal } = new AbortController()
    const question = { image, candidates: [], alternatives: 3, credentials, signal, times }
    return (await describeBase(service, question)).report
  }

  it('the base is a warning', async () => {
    const { base: found, update, warnings } = await reportWithout(/./)
    expect([found, update]).toEqual([undefined, undefined])
    expect(warnings).toMatchObject([{ code: 'baseUnreadable', problem: { code: 'registry_timeout' } }])
  })

  it('its tag has an unknown state, and the list of its tags is a warning', async () => {
    // However busy the machine is, the base itself is read in time.
    await open(`${other.host}/slow@${base.descriptor.digest}`)
    const { base: found, update, warnings } = await reportWithout(/\/(?:manifests\/1$|tags\/list)/)
    expect(found).toMatchObject({ evidence: ['annotation'], layers: 2 })
    expect(update).toMatchObject({ state: 'unknown', problem: { code: 'registry_timeout' } })
    expect(warnings).toMatchObject([
      { code: 'alternativesIncomplete', problem: { code: 'registry_timeout' } },
    ])
  })
})
