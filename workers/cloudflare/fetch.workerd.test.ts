/** Outgoing requests from workerd, and how a silent registry is reported there. */
import { gzipSync } from 'node:zlib'
import { describe, expect, inject, it } from 'vitest'
import { parseConfiguration } from '../../src/configuration.ts'
import { RegistryClient } from '../../src/source/registry/client.ts'
import { createFetch } from './fetch.ts'

const server = inject('server')
const open = createFetch({})
const get = (path: string) => open(new URL(`http://${server}${path}`), {}, 'private')

it('does not decode an encoded body: digests cover the bytes as sent', async () => {
  const response = await get('/gzip')
  expect(Buffer.from(await response.arrayBuffer())).toEqual(gzipSync('text'))
})

it('returns a redirect without following it', async () => {
  const response = await get('/redirect')
  expect([response.status, response.headers.get('location')]).toEqual([307, '/elsewhere'])
})

it('refuses a port that is ignored behind Cloudflare\u2019s proxy', async () => {
  await expect(get('/proxied')).rejects.toMatchObject({
    code: 'forbidden_registry',
    message: expect.stringContaining("is behind Cloudflare's proxy"),
  })
})

describe('a registry', () => {
  const configuration = parseConfiguration(
    { LAMINA_PRIVATE_REGISTRIES: '127.0.0.0/8', LAMINA_INSECURE_REGISTRIES: '127.0.0.0/8' },
    'miniflare',
  )
  const ask = (tag: string, options: { readonly idle: number; readonly question: number }) =>
    new RegistryClient({
      configuration,
      fetch: createFetch({}),
      timeouts: { idleMilliseconds: options.idle },
      policy: { questionMilliseconds: options.question, backoffMilliseconds: 1, retries: 1 },
    }).manifest({ registry: server, repository: 'app' }, tag, {})

  it('that stays silent gives a timeout after the retries', async () => {
    await expect(ask('silent', { idle: 100, question: 30_000 })).rejects.toMatchObject({
      code: 'registry_timeout',
      message: expect.stringContaining('did not answer in time'),
    })
  })

  it('that stays silent or drips for longer than a request may take gives a timeout', async () => {
    for (const tag of ['silent', 'drips'])
      await expect(ask(tag, { idle: 30_000, question: 300 })).rejects.toMatchObject({
        code: 'registry_timeout',
        message: expect.stringContaining('within 0.3 s'),
      })
  })
})
