/** Both hosts compress text, as clients ask for it. */
import { get } from 'node:http'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { HOSTS, startService, type TestService } from '../support/service.ts'

type Answer = {
  readonly status: number | undefined
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly body: Buffer
}

/** The bytes as sent: `fetch` would decode them. */
function ask(url: string, headers: Record<string, string> = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    get(url, { headers }, async (answer) => {
      const chunks: Buffer[] = []
      for await (const chunk of answer) chunks.push(Buffer.from(chunk))
      resolve({ status: answer.statusCode, headers: answer.headers, body: Buffer.concat(chunks) })
    }).once('error', reject)
  })
}

describe.each(HOSTS)('on %s', (host) => {
  let service: TestService

  beforeAll(async () => {
    service = await startService(host)
  })

  afterAll(() => service?.stop())

  it.each(['/assets/swagger-ui-bundle.js', '/assets/swagger-ui.css', '/openapi.json', '/'])(
    '%s',
    async (path) => {
      const plain = await ask(service.url + path)
      expect(plain.headers['content-encoding']).toBeUndefined()
      const packed = await ask(service.url + path, { 'Accept-Encoding': 'gzip' })
      expect(packed.status).toBe(200)
      expect(packed.headers['content-encoding']).toBe('gzip')
      expect(String(packed.headers.vary)).toContain('Accept-Encoding')
      expect(packed.body.length).toBeLessThan(plain.body.length)
      expect(gunzipSync(packed.body).equals(plain.body)).toBe(true)
      const tag = packed.headers.etag
      if (tag === undefined) return
      expect(tag).toMatch(/^W\/"/)
      const again = await ask(service.url + path, { 'Accept-Encoding': 'gzip', 'If-None-Match': String(tag) })
      expect(again.status).toBe(304)
    },
  )

  it('not for a client that refuses it', async () => {
    const refused = await ask(`${service.url}/openapi.json`, { 'Accept-Encoding': 'gzip;q=0, br' })
    expect(refused.headers['content-encoding']).toBeUndefined()
  })
})
