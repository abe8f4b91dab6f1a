import { expect, test } from 'vitest'
import { startApp } from '../../test/support/app.ts'
import type { LogEvent } from './backend.ts'

test('every answer names its request and says that it is data, not a page', async () => {
  const { ask } = startApp()
  const first = await ask('/healthz')
  expect(await first.json()).toEqual({ status: 'ok' })
  expect(Object.fromEntries(first.headers)).toMatchObject({
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
  })
  const second = await ask('/healthz')
  expect(second.headers.get('x-request-id')).not.toBe(first.headers.get('x-request-id'))
})

test('unknown paths and methods are problems too', async () => {
  const { ask } = startApp()
  const missing = await ask('/v1/nothing')
  expect(missing.status).toBe(404)
  expect(missing.headers.get('content-type')).toBe('application/problem+json')
  expect(await missing.json()).toMatchObject({ code: 'not_found', status: 404 })
  const wrong = await ask('/v1/report', { method: 'DELETE' })
  expect(wrong.status).toBe(405)
  expect(wrong.headers.get('allow')).toBe('GET, HEAD')
  expect(await wrong.json()).toMatchObject({ code: 'method_not_allowed' })
})

test.each([
  ['/v1/report?image=a&plattform=x', 'plattform', /unknown parameter/],
  ['/v1/report', 'image', /missing/],
  ['/v1/report?image=a&image=b', 'image', /only once/],
  ['/v1/report?image=a&wait=301', 'wait', /0 to 300/],
  ['/v1/report?image=a&wait=1e2', 'wait', /whole number/],
  ['/v1/files?image=a&sort=size', 'sort', /path, -bytes/],
  ['/v1/files?image=a&limit=0', 'limit', /1 to 1000/],
  ['/v1/files?image=a&sha256=ABC', 'sha256', /hex digits/],
  ['/v1/files?image=a&cursor=x', 'cursor', /nextCursor of the previous page/],
  ['/v1/tree?image=a&path=b&pathBase64=Yg', 'pathBase64', /cannot be combined with path/],
  ['/v1/file?image=a', 'path', /required/],
  ['/v1/diff?from=a', 'to', /missing/],
  ['/v1/diff?from=a&to=b&format=pdf', 'format', /json, markdown, text, html/],
  ['/v1/check?image=a&maxsize=1', 'maxsize', /did you mean maxSize/],
  ['/v1/check?image=a&maxSize=1&file=../x', 'file', /relative/],
  ['/v1/tags?repository=a:b', 'repository', /without tag/],
  ['/v1/analyses/x?y=z', 'y', /unknown parameter/],
])('%s is refused with the reason', async (path, parameter, why) => {
  const { ask } = startApp()
  const response = await ask(path)
  expect(response.status).toBe(400)
  expect(await response.json()).toMatchObject({
    code: 'invalid_parameter',
    parameter,
    detail: expect.stringMatching(why),
  })
})

test.each([
  ['[', 'application/json'],
  ['{}', 'application/json'],
  ['{"image":"a","plattform":"b"}', 'application/json'],
  ['image: a', 'application/yaml'],
  ['\xff\xfe', 'application/json'],
])('the body %j is refused', async (body, type) => {
  const { ask } = startApp()
  const init = { method: 'POST', body: Buffer.from(body, 'latin1'), headers: { 'Content-Type': type } }
  const response = await ask('/v1/analyses', init)
  expect(response.status).toBe(400)
  expect(await response.json()).toMatchObject({ code: 'invalid_parameter' })
})

test('a body that is too large is not read to its end', async () => {
  const { ask } = startApp()
  let pulled = 0
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      pulled++
      controller.enqueue(new Uint8Array(256 * 1024).fill(0x20))
    },
  })
  const init = {
    method: 'POST',
    body,
    duplex: 'half',
    headers: { 'Content-Type': 'application/json' },
  } as const
  const response = await ask('/v1/analyses', init)
  expect(response.status).toBe(413)
  expect(await response.json()).toMatchObject({ code: 'too_large' })
  expect(pulled).toBeLessThan(70)
})

test('an unexpected error is logged in full but not shown to the caller', async () => {
  const events: LogEvent[] = []
  const { ask, store } = startApp({}, { log: (event) => events.push(event) })
  const failure = new Error('disk /dev/sda1 is on fire')
  store.get = () => Promise.reject(failure)
  const response = await ask('/v1/analyses/5b0e3a52-0f4f-4b8e-9d0c-5f0c1c1f8a11')
  expect(response.status).toBe(500)
  const body = await response.text()
  expect(body).toContain('internal_error')
  expect(body).not.toContain('sda1')
  const requestId = response.headers.get('x-request-id')
  expect(events).toEqual([
    { requestId, method: 'GET', path: '/v1/analyses/5b0e3a52-0f4f-4b8e-9d0c-5f0c1c1f8a11', error: failure },
  ])
})

test('a service whose store does not answer is alive but not ready', async () => {
  const { ask, store } = startApp()
  expect((await ask('/readyz')).status).toBe(200)
  store.has = () => Promise.reject(new Error('no route to host'))
  const response = await ask('/readyz')
  expect(response.status).toBe(503)
  expect(await response.json()).toMatchObject({ code: 'store_error' })
  expect((await ask('/healthz')).status).toBe(200)
})

test.each(['localhost', 'localhost:8080', '127.0.0.1:1', '[::1]:8080', 'LOCALHOST'])(
  'a service on loopback answers to %s',
  async (host) => {
    const { ask } = startApp()
    expect((await ask('/healthz', { headers: { Host: host } })).status).toBe(200)
  },
)

test.each([
  'evil.example',
  'evil.example:8080',
  'localhost.evil.example',
  '127.0.0.1.evil.example',
  '10.0.0.1',
])('a service on loopback does not answer to %s', async (host) => {
  const { ask } = startApp()
  const response = await ask('/healthz', { headers: { Host: host } })
  expect(response.status).toBe(403)
  expect(await response.json()).toMatchObject({ code: 'forbidden_host' })
})

test('a service that listens on another address answers to any name', async () => {
  const { ask } = startApp({ HOST: '0.0.0.0' })
  expect((await ask('/healthz', { headers: { Host: 'lamina.example' } })).status).toBe(200)
})

test('a service with tokens requires one, except for health, description and badges', async () => {
  const { ask } = startApp({ LAMINA_TOKENS: 'abc,def' })
  const refused = await ask('/v1/report?image=UPPER')
  expect(refused.status).toBe(401)
  expect(refused.headers.get('www-authenticate')).toBe('Bearer realm="lamina"')
  expect(await refused.json()).toMatchObject({ code: 'unauthorized' })
  const admitted = await ask('/v1/report?image=UPPER', { headers: { Authorization: 'Bearer def' } })
  expect(await admitted.json()).toMatchObject({ code: 'invalid_reference' })
  for (const path of [
    '/healthz',
    '/readyz',
    '/openapi.json',
    '/openapi.yaml',
    '/docs',
    '/',
    '/badge/size.svg',
  ]) {
    expect([path, (await ask(path)).status]).toEqual([path, 200])
  }
  expect((await ask('/?image=alpine')).status).toBe(401)
})

test('a description that the client already has is not sent again', async () => {
  const { ask } = startApp()
  for (const path of ['/openapi.json', '/openapi.yaml']) {
    const first = await ask(path)
    const headers = { 'If-None-Match': first.headers.get('etag') ?? '' }
    const second = await ask(path, { headers })
    expect([first.status, second.status]).toEqual([200, 304])
    expect(await second.text()).toBe('')
  }
})
