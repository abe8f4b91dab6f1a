/** `baseImage=auto`: the gate and advice leave out what the base brought that the image itself names. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { FixtureRegistry } from '../registry/fixture.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { makeImage, makeLayer, type TestImage, type TestLayer } from '../support/images.ts'

const BASE_WASTE = 3000
const OWN_WASTE = 200_000

let registry: FixtureRegistry
let other: FixtureRegistry
let app: TestApp
let base: TestImage
let layers: readonly TestLayer[]
let reference: string

beforeAll(async () => {
  registry = await FixtureRegistry.start()
  other = await FixtureRegistry.start({ auth: { kind: 'basic', username: 'me', password: 'secret' } })
  app = startApp()
  const below = [
    await makeLayer([{ name: 'lower', content: 'a'.repeat(BASE_WASTE) }]),
    await makeLayer([{ name: 'lower', content: 'b' }]),
  ]
  base = makeImage(below)
  layers = [
    ...below,
    await makeLayer([{ name: 'own', content: 'c'.repeat(OWN_WASTE) }]),
    await makeLayer([{ name: 'own', content: 'd' }]),
  ]
  reference = registry.push('base', '1', base)
})
afterAll(() => Promise.all([registry.close(), other.close()]))

function push(name: string, annotations: Record<string, string> = {}): string {
  return registry.push(name, '1', makeImage(layers, { manifest: { annotations } }))
}

const named = (name: string) => ({ 'org.opencontainers.image.base.name': name })

async function ask(path: string, query: Record<string, string>, headers: Record<string, string> = {}) {
  const answer = await app.ask(`${path}?${new URLSearchParams(query)}`, { headers })
  return { status: answer.status, headers: answer.headers, text: await answer.text() }
}

async function check(query: Record<string, string>, headers?: Record<string, string>) {
  const { status, text } = await ask('/v1/check', { maxWasted: '0', ...query }, headers)
  const { base: found, rules, code, parameter } = JSON.parse(text)
  return { status, base: found, actual: rules?.[0].actual, code, parameter }
}

it('the gate counts only what stands on the base that the image names, and says which', async () => {
  const image = push('annotated', named(reference))
  const found = { reference, digest: base.descriptor.digest, evidence: ['annotation'], layers: 2 }
  expect(await check({ image, baseImage: 'auto' })).toEqual({ status: 412, base: found, actual: OWN_WASTE })
  const { base: none, ...byName } = await check({ image, baseImage: reference })
  expect([none, byName]).toEqual([undefined, { status: 412, actual: OWN_WASTE }])
  const policy = { maxWasted: OWN_WASTE, baseImage: 'auto' }
  const posted = await app.ask('/v1/check', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ image, policy }),
  })
  expect([posted.status, (await posted.json()).base]).toEqual([200, found])
})

it('where no name fits, the whole image counts', async () => {
  const whole = { status: 412, actual: BASE_WASTE + OWN_WASTE }
  expect(await check({ image: push('nameless'), baseImage: 'auto' })).toEqual(whole)
  const stranger = registry.push('stranger', '1', makeImage([await makeLayer([{ name: 'stranger' }])]))
  expect(await check({ image: push('mismatch', named(stranger)), baseImage: 'auto' })).toEqual(whole)
})

it('a base that an analysis knows, but no name, excuses nothing', async () => {
  await ask('/v1/report', { image: reference, wait: '20' })
  const image = push('known')
  expect(JSON.parse((await ask('/v1/base', { image })).text).base).toMatchObject({ evidence: ['known'] })
  expect(await check({ image, baseImage: 'auto' })).toEqual({
    status: 412,
    actual: BASE_WASTE + OWN_WASTE,
  })
})

it('a base that cannot be read fails the gate with its problem', async () => {
  const image = push('gone', named(`${registry.host}/base:gone`))
  expect(await check({ image, baseImage: 'auto' })).toEqual({
    status: 404,
    code: 'image_not_found',
    parameter: 'baseImage',
  })
})

it('the credentials for the image do not go to the registry of its base', async () => {
  const image = push('elsewhere', named(other.push('base', '1', base)))
  const login = { username: 'me', password: 'secret' }
  const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const auto = { image, baseImage: 'auto' }
  expect(await check(auto, { 'X-Registry-Auth': encoded(login) })).toMatchObject({ code: 'unauthorized' })
  const config = encoded({ [other.host]: login })
  expect(await check(auto, { 'X-Registry-Config': config })).toMatchObject({ actual: OWN_WASTE })
  const stranger = other.push('stranger', '1', makeImage([await makeLayer([{ name: 'stranger' }])]))
  const apart = push('stranger-app', named(stranger))
  const wait = '20'
  const questions: readonly (readonly [string, Record<string, string>])[] = [
    ['/v1/advice', { image, baseImage: 'auto', wait }],
    ['/v1/advice', { image: apart, baseImage: 'auto', wait }],
    ['/v1/report', { image, format: 'svg', color: 'base', wait }],
    ['/v1/diff', { from: image, to: image, format: 'markdown', wait }],
  ]
  // What only these credentials show is kept for nobody else.
  for (const [path, query] of questions) {
    const { status, headers } = await ask(path, query, { 'X-Registry-Config': config })
    expect([path, status, headers.get('cache-control')]).toEqual([path, 200, 'private, no-cache'])
  }
})

it('advice leaves out what the base brought, and says which base that is', async () => {
  const image = push('advised', named(reference))
  const advice = async (query: Record<string, string>) =>
    JSON.parse((await ask('/v1/advice', { image, wait: '20', ...query })).text)
  const whole = await advice({})
  expect([whole.base, whole.savings.bytes]).toEqual([undefined, BASE_WASTE + OWN_WASTE])
  const own = await advice({ baseImage: 'auto' })
  expect(own.base).toEqual({
    reference,
    digest: base.descriptor.digest,
    evidence: ['annotation'],
    layers: 2,
  })
  expect(own.savings.bytes).toBe(OWN_WASTE)
  const item = { rule: 'replaced', severity: 'warning', byLayer: 1, bytes: BASE_WASTE }
  expect(own.baseItems).toMatchObject([item])
  expect((await advice({ baseImage: reference })).baseItems).toEqual(own.baseItems)
  expect((await advice({ baseImage: reference, ignore: 'lower' })).baseItems).toEqual([])
  for (const [format, line] of [
    ['text', '\nOf the base image:\n  3.00 kB  Files that a later layer replaces\n'],
    ['markdown', '\nOf the base image:\n\n- 3.00 kB: Files that a later layer replaces\n'],
  ] as const)
    expect((await ask('/v1/advice', { image, baseImage: 'auto', format })).text).toContain(line)
})

it('each wasted file says whose it is', async () => {
  const image = push('wasting', named(reference))
  const waste = async (query: Record<string, string>) =>
    (await ask('/v1/waste', { image, wait: '20', ...query })).text
  const items = async (query: Record<string, string>) => JSON.parse(await waste(query)).items
  const base = { path: 'lower', bytes: BASE_WASTE, layer: 0, reason: 'replaced', byLayer: 1 }
  const own = { path: 'own', bytes: OWN_WASTE, layer: 2, reason: 'replaced', byLayer: 3 }
  expect(await items({})).toEqual([own, base])
  const told = [
    { ...own, whose: 'own' },
    { ...base, whose: 'base' },
  ]
  for (const baseImage of ['auto', reference]) expect(await items({ baseImage })).toEqual(told)
  const page = JSON.parse(await waste({ baseImage: 'auto', limit: '1' }))
  expect(page.items).toEqual(told.slice(0, 1))
  expect(await items({ baseImage: 'auto', limit: '1', cursor: page.nextCursor })).toEqual(told.slice(1))
  const nameless = push('nameless')
  expect(await items({ image: nameless, baseImage: 'auto' })).toEqual(
    told.map((item) => ({ ...item, whose: 'own' })),
  )
  expect((await waste({ format: 'csv' })).split('\r\n')[0]).not.toContain('whose')
  expect((await waste({ baseImage: 'auto', format: 'csv' })).split('\r\n').slice(0, 2)).toEqual([
    'path,pathBase64,bytes,layer,reason,byLayer,whose',
    `own,,${OWN_WASTE},2,replaced,3,own`,
  ])
  expect(await waste({ baseImage: 'auto', format: 'text' })).toMatch(
    /^Whose +Size .*\nyours +200 kB .* own\nbase +3\.00 kB .* lower$/m,
  )
  const stranger = registry.push('stranger', '2', makeImage([await makeLayer([{ name: 'else' }])]))
  expect(JSON.parse(await waste({ baseImage: stranger }))).toMatchObject({ code: 'not_based_on' })
})

it('the Markdown of a diff says when the base moved, and what part of the change is its', async () => {
  const [one, other, own] = await Promise.all(
    ['one', 'other', 'own'].map((name) => makeLayer([{ name, content: name.repeat(20_000) }])),
  )
  if (one === undefined || other === undefined || own === undefined) throw new Error('no layers')
  const onBase = (tag: string, below: TestLayer, above: readonly TestLayer[]) => {
    const base = registry.push('moving', '1', makeImage([below]))
    const annotations = {
      ...named(base),
      'org.opencontainers.image.base.digest': makeImage([below]).descriptor.digest,
    }
    return registry.push('on', tag, makeImage([below, ...above], { manifest: { annotations } }))
  }
  const [from, to, next] = [onBase('1', one, []), onBase('2', other, [own]), onBase('3', other, [])]
  // On a busy machine a base may not be found in time.
  const saying = (query: Record<string, string>, expected: RegExp) =>
    expect
      .poll(async () => (await ask('/v1/diff', { wait: '60', format: 'markdown', ...query })).text, {
        timeout: 30_000,
      })
      .toMatch(expected)
  await saying(
    { from, to },
    /\nThe base image `127\.\S+\/moving:1` moved: it accounts for [+-]?\d+ B of the compressed size, your own layers for \+\d+ B\.\n/,
  )
  await saying({ from: to, to: next }, /^(?![\s\S]*base image)/)
})

it.each([
  ['/v1/check', 'text', /^The base image does not count: 127\.\S+\/base:1, named by the label$/m],
  ['/v1/check', 'markdown', /^The base image does not count: `127\.\S+\/base:1`, named by the label\.$/m],
  ['/v1/advice', 'text', /^The base image does not count: 127\.\S+\/base:1, named by the label$/m],
  ['/v1/advice', 'markdown', /^The base image does not count: `127\.\S+\/base:1`, named by the label\.$/m],
])('%s says in %s what does not count', async (path, format, line) => {
  const labelled = makeImage(layers, { config: { config: { Labels: named(reference) } } })
  const image = registry.push('labelled', '1', labelled)
  const rules: Record<string, string> = path === '/v1/check' ? { maxWasted: '1' } : {}
  const { text } = await ask(path, { image, baseImage: 'auto', wait: '20', format, ...rules })
  expect(text).toMatch(line)
})
