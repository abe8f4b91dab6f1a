/** Malformed requests and the identity of clients: on the wire, on both hosts. */
import { once } from 'node:events'
import { get } from 'node:http'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { FixtureRegistry } from '../registry/fixture.ts'
import { makeImage, makeLayer } from '../support/images.ts'
import { HOSTS, startService, type TestService } from '../support/service.ts'

describe.concurrent.each(HOSTS)('on %s', (host) => {
  let service: TestService
  let registry: FixtureRegistry

  beforeAll(async () => {
    ;[service, registry] = await Promise.all([
      startService(host, { LAMINA_RATE: '1' }),
      FixtureRegistry.start(),
    ])
  })

  afterAll(async () => {
    await Promise.all([service?.stop(), registry?.close()])
  })

  /** Sends bytes as they are. @returns status and body of the answer */
  async function send(bytes: string): Promise<{ status: number; type: string; body: unknown }> {
    const { hostname, port } = new URL(service.url)
    const socket = connect(Number(port), hostname)
    await once(socket, 'connect')
    socket.write(bytes)
    const answer = await text(socket)
    const [head = '', body = ''] = answer.split('\r\n\r\n')
    return {
      status: Number(head.split(' ')[1]),
      type: /^content-type: (.*)$/im.exec(head)?.[1]?.trim() ?? '',
      body: body === '' ? undefined : JSON.parse(body),
    }
  }

  const last = 'Connection: close\r\n\r\n'

  it.each([
    ['a Host with a blank', `GET /healthz HTTP/1.1\r\nHost: a b\r\n${last}`, 400, 'invalid_parameter'],
    ['a Host that is not a name', `GET /healthz HTTP/1.1\r\nHost: [::\r\n${last}`, 400, 'invalid_parameter'],
    [
      'an invalid port',
      `GET /healthz HTTP/1.1\r\nHost: localhost:99999\r\n${last}`,
      400,
      'invalid_parameter',
    ],
    ['no Host', `GET /healthz HTTP/1.1\r\n${last}`, 400, 'invalid_parameter'],
    [
      'a target that is not a URL',
      `GET http://[/ HTTP/1.1\r\nHost: localhost\r\n${last}`,
      400,
      'invalid_parameter',
    ],
    ['something other than HTTP', 'nonsense\r\n\r\n', 400, 'invalid_parameter'],
    [
      'endless headers',
      `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(40_000)}\r\n${last}`,
      431,
      'too_large',
    ],
  ])('%s is a problem', async (_, bytes, status, code) => {
    const answer = await send(bytes)
    expect(answer).toMatchObject({
      status,
      type: 'application/problem+json',
      body: { status, code, type: `urn:lamina:problem:${code}`, detail: expect.any(String) },
    })
    expect(JSON.stringify(answer.body)).not.toContain(' at ')
  })

  it('a body of several MiB is refused with an answer, and the connection stays open', async () => {
    for (let time = 0; time < 10; time++) {
      const body = Buffer.alloc(4 * 2 ** 20, 'a')
      const answer = await fetch(`${service.url}/v1/check`, { method: 'POST', body })
      expect(answer.status).toBe(413)
      expect(await answer.json()).toMatchObject({ code: 'too_large' })
    }
  })

  it.each(['/healthz', '/metrics', '/docs'])('%s answers only to names of loopback', async (path) => {
    const answer = await send(`GET ${path} HTTP/1.1\r\nHost: example.com\r\n${last}`)
    expect(answer).toMatchObject({ status: 403, body: { code: 'forbidden_host' } })
  })

  /** @param from the client's address @returns the status */
  async function report(from: string, headers: Record<string, string> = {}): Promise<number | undefined> {
    const content = crypto.randomUUID()
    const image = registry.push('new', content, makeImage([await makeLayer([{ name: 'a', content }])]))
    const url = `${service.url}/v1/report?${new URLSearchParams({ image })}`
    const [answer] = await once(get(url, { localAddress: from, headers }), 'response')
    answer.resume()
    return answer.statusCode
  }

  it('clients are identified by the address of their socket, not by the headers they send', async () => {
    expect(await report('127.0.0.1')).toBe(202)
    for (const name of ['CF-Connecting-IP', 'X-Lamina-Client', 'X-Forwarded-For', 'X-Real-IP']) {
      expect(await report('127.0.0.1', { [name]: '192.0.2.7' }), name).toBe(429)
    }
    const blob = JSON.stringify({ clientIp: '192.0.2.7:1' })
    expect(await report('127.0.0.1', { 'MF-CF-Blob': blob })).toBe(429)
    expect(await report('127.0.0.2')).toBe(202)
    expect(await report('127.0.0.2')).toBe(429)
  })
})
