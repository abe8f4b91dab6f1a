import { Hono } from 'hono'
import { expect, test } from 'vitest'
import { parseConfiguration } from '../configuration.ts'
import type { Env } from './backend.ts'
import { callerCredentials } from './caller.ts'

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
const anna = { username: 'anna', password: 'a' }
const bert = { username: 'bert', password: 'b' }

const lent = encode({ auths: { 'ghcr.io': { username: 'lent', password: 'l' } } })
const configuration = parseConfiguration(
  { LAMINA_CREDENTIALS: Buffer.from(lent, 'base64url').toString() },
  'node',
)

/** The credentials presented to two registries by a request that names these references. */
async function presented(headers: Record<string, string>, references: readonly string[]) {
  const app = new Hono<Env>()
  app.onError((error) => new Response(error.message, { status: 400 }))
  app.get('/', (c) => {
    const credentials = callerCredentials(configuration, c, references)
    return c.json(['ghcr.io', 'docker.io'].map((registry) => credentials.for(registry) ?? null))
  })
  const response = await app.request('/', { headers })
  return response.ok ? response.json() : response.text()
}

test("a caller without credentials is lent the service's", async () => {
  expect(await presented({}, ['nginx'])).toEqual([{ username: 'lent', password: 'l' }, null])
})

test("a credential goes to the request's only registry, and to no other", async () => {
  expect(await presented({ 'X-Registry-Auth': encode(anna) }, ['ghcr.io/o/r'])).toEqual([anna, null])
  expect(await presented({ 'X-Registry-Auth': encode(anna) }, ['ghcr.io/o/r:1', 'ghcr.io/o/r:2'])).toEqual([
    anna,
    null,
  ])
})

test('with two registries it goes to the one that it names', async () => {
  const references = ['ghcr.io/o/r', 'nginx']
  const named = { ...anna, serveraddress: 'https://index.docker.io/v1/' }
  expect(await presented({ 'X-Registry-Auth': encode(named) }, references)).toEqual([
    { username: 'lent', password: 'l' },
    anna,
  ])
  expect(await presented({ 'X-Registry-Auth': encode(anna) }, references)).toMatch(
    /^X-Registry-Auth .*serveraddress/,
  )
})

test('it never goes to a registry other than the one it names', async () => {
  const named = { ...anna, serveraddress: 'quay.io' }
  expect(await presented({ 'X-Registry-Auth': encode(named) }, ['nginx'])).toMatch(
    /^X-Registry-Auth is for quay.io/,
  )
})

test("a map has one for each registry, and the service's credentials fill its gaps", async () => {
  expect(await presented({ 'X-Registry-Config': encode({ 'ghcr.io': anna }) }, ['nginx'])).toEqual([
    anna,
    null,
  ])
  expect(await presented({ 'X-Registry-Config': encode({ 'docker.io': bert }) }, ['nginx'])).toEqual([
    { username: 'lent', password: 'l' },
    bert,
  ])
})

test('a header that cannot be read is refused', async () => {
  expect(await presented({ 'X-Registry-Auth': '!' }, ['nginx'])).toMatch(/^X-Registry-Auth/)
  expect(await presented({ 'X-Registry-Config': encode([]) }, ['nginx'])).toMatch(/^X-Registry-Config/)
})
