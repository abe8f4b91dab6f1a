import { gunzipSync } from 'node:zlib'
import { expect, it } from 'vitest'
import { startApp } from '../../test/app.ts'
import { readAsset } from '../assets.ts'
import { compression } from './compression.ts'

const app = startApp({}, { assets: readAsset, first: compression() })

const ask = (path: string, headers: Record<string, string> = {}) =>
  app.ask(path, { headers: { 'Accept-Encoding': 'gzip', ...headers } })

it('a file of the pages is sent compressed, and is the same file', async () => {
  const plain = await app.ask('/assets/swagger-ui-bundle.js')
  expect(plain.headers.get('Content-Encoding')).toBeNull()
  expect(plain.headers.get('Vary')).toContain('Accept-Encoding')
  const bytes = Buffer.from(await plain.arrayBuffer())
  for (const _ of ['first', 'again']) {
    const answer = await ask('/assets/swagger-ui-bundle.js')
    expect(answer.headers.get('Content-Encoding')).toBe('gzip')
    expect(answer.headers.get('Vary')).toContain('Accept-Encoding')
    const compressed = Buffer.from(await answer.arrayBuffer())
    expect(compressed.length).toBeLessThan(bytes.length / 3)
    expect(gunzipSync(compressed).equals(bytes)).toBe(true)
    const tag = answer.headers.get('ETag') ?? ''
    expect(tag).toMatch(/^W\/"/)
    expect((await ask('/assets/swagger-ui-bundle.js', { 'If-None-Match': tag })).status).toBe(304)
  }
})

it('so are answers, which vary by what they varied by before', async () => {
  const answer = await ask('/openapi.json')
  expect(answer.headers.get('Content-Encoding')).toBe('gzip')
  const whole = await (await app.ask('/openapi.json')).text()
  expect(gunzipSync(Buffer.from(await answer.arrayBuffer())).toString()).toBe(whole)
})

it.each(['identity', 'gzip;q=0', 'br', 'gzip; q=0.0'])(
  'who accepts %s gets plain bytes',
  async (accepted) => {
    for (const path of ['/assets/swagger-ui-bundle.js', '/openapi.json']) {
      const answer = await app.ask(path, { headers: { 'Accept-Encoding': accepted } })
      expect(answer.headers.get('Content-Encoding')).toBeNull()
    }
  },
)
