import { hash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { expect, it, onTestFinished } from 'vitest'
import { startApp } from '../../test/support/app.ts'
import { assetNames, readAsset } from '../assets.ts'
import { compressedIn, writeCompressed } from '../compressed-assets.ts'
import { compression } from './compression.ts'

const app = startApp({}, { assets: readAsset, first: compression() })

const ask = (path: string, headers: Record<string, string> = {}) =>
  app.ask(path, { headers: { 'Accept-Encoding': 'gzip', ...headers } })

it('a file of the pages is sent compressed and decodes to the same file', async () => {
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

it('uses files that the build has compressed, and compresses the others', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'lamina-compressed-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  await writeCompressed(folder)
  const built = compressedIn(folder)
  for (const name of assetNames()) {
    const bytes = (await readAsset(name)) ?? new Uint8Array(0)
    const compressed = await built(hash('sha256', bytes))
    expect(gunzipSync(compressed ?? new Uint8Array(0)).equals(bytes)).toBe(true)
  }
  const told = gzipSync('what the build made')
  const other = startApp({}, { assets: readAsset, first: compression(async () => Uint8Array.from(told)) })
  const answer = await other.ask('/assets/lamina.css', { headers: { 'Accept-Encoding': 'gzip' } })
  expect(told.equals(Buffer.from(await answer.arrayBuffer()))).toBe(true)
  expect(await built('0'.repeat(64))).toBeUndefined()
})

it('compressing a file is retried after a failure', async () => {
  let failures = 1
  const failing = startApp(
    {},
    {
      assets: readAsset,
      first: compression(async () => {
        if (failures-- > 0) throw new Error('the disk is gone')
        return undefined
      }),
    },
  )
  const once = () => failing.ask('/assets/lamina.css', { headers: { 'Accept-Encoding': 'gzip' } })
  expect((await once()).status).toBe(500)
  expect((await once()).status).toBe(200)
})

it('answers are compressed too, and keep their Vary header', async () => {
  const answer = await ask('/openapi.json')
  expect(answer.headers.get('Content-Encoding')).toBe('gzip')
  const whole = await (await app.ask('/openapi.json')).text()
  expect(gunzipSync(Buffer.from(await answer.arrayBuffer())).toString()).toBe(whole)
})

it.each(['identity', 'gzip;q=0', 'br', 'gzip; q=0.0'])(
  'a client that accepts %s gets uncompressed bytes',
  async (accepted) => {
    for (const path of ['/assets/swagger-ui-bundle.js', '/openapi.json']) {
      const answer = await app.ask(path, { headers: { 'Accept-Encoding': accepted } })
      expect(answer.headers.get('Content-Encoding')).toBeNull()
    }
  },
)
