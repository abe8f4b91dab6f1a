/** What people paste instead of a reference is understood wherever a reference is expected. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { FixtureRegistry } from '../registry/fixture.ts'
import { startApp } from '../support/app.ts'
import { makeImage, makeLayer } from '../support/images.ts'

let registry: FixtureRegistry
let reference: string
const { ask } = startApp()

beforeAll(async () => {
  registry = await FixtureRegistry.start()
  const image = makeImage([await makeLayer([{ name: 'usr/bin/app', content: 'app' }])])
  reference = registry.push('pasted/app', 'v1', image)
})

afterAll(() => registry?.close())

const PASTED: readonly ((name: string) => string)[] = [
  (name) => `$ docker pull -q --platform linux/amd64 ${name} `,
]

/** A path, and its query for the name of an image or repository. */
type Asked = readonly [path: string, query: (name: string) => Record<string, string>]

const IMAGES: readonly Asked[] = [
  ['/v1/report', (image) => ({ image })],
  ['/v1/files', (image) => ({ image })],
  ['/v1/config', (image) => ({ image })],
  ['/v1/platforms', (image) => ({ image })],
  ['/v1/advice', (image) => ({ image })],
  ['/v1/check', (image) => ({ image, baseline: image, baseImage: image, maxGrowth: '1MB' })],
  ['/v1/diff', (image) => ({ from: image, to: image })],
  ['/badge/size.json', (image) => ({ image })],
  ['/badge/delta.json', (image) => ({ image, baseline: image })],
  ['/', (image) => ({ image })],
  ['/files', (image) => ({ image })],
  ['/', (image) => ({ from: image, to: image })],
]

async function answerOf(path: string, query: Record<string, string>, init?: RequestInit): Promise<string> {
  const answer = await ask(`${path}?${new URLSearchParams({ ...query })}`, init)
  return `${answer.status} ${await answer.text()}`
}

test.each(IMAGES)('%s', async (path, query) => {
  const wait = /check|report|files|advice|diff$/.test(path) && path.startsWith('/v1') ? { wait: '60' } : {}
  await answerOf('/v1/report', { image: reference, wait: '60' })
  const right = await answerOf(path, { ...query(reference), ...wait })
  expect(right).toMatch(/^200 /)
  for (const paste of PASTED) {
    const said = await answerOf(path, { ...query(paste(reference)), ...wait })
    if (path.startsWith('/v1')) expect(said).toBe(right)
    else expect(said.slice(0, 3)).toBe('200')
  }
})

test.each(['/v1/tags', '/v1/images', '/tags'])('the repository of %s', async (path) => {
  const repository = reference.replace(/:v1$/, '')
  const right = await answerOf(path, { repository })
  expect(right).toMatch(/^200 /)
  for (const paste of PASTED) expect(await answerOf(path, { repository: paste(repository) })).toBe(right)
})

test.each([
  ['/v1/check', (image: string) => ({ image, policy: { maxFiles: 1, baseline: image } })],
  ['/v1/advice', (image: string) => ({ image, baseImage: image })],
  ['/v1/analyses', (image: string) => ({ image })],
  ['/v1/analyses', (image: string) => ({ images: [{ image }] })],
] as const)('in a body of %s', async (path, body) => {
  const asked = (image: string) => {
    const headers = { 'content-type': 'application/json' }
    return answerOf(path, {}, { method: 'POST', headers, body: JSON.stringify(body(image)) })
  }
  expect(await asked(reference)).toMatch(/^20\d /)
  for (const paste of PASTED) expect(await asked(paste(reference))).toMatch(/^20\d (?!.*invalid)/)
})
