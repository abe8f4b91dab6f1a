import { once } from 'node:events'
import { type AddressInfo, connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { expect, it } from 'vitest'
import { createHttpServer } from './http-server.ts'

/** Nginx, AWS and Azure keep a connection to the server behind them for a minute. */
const LONGEST_REUSE_SECONDS = 60

it('an idle connection is closed by the proxy in front, not by the server', async () => {
  const server = createHttpServer((_, response) => response.end('answered'))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const { headers } = await fetch(`http://127.0.0.1:${port}/`)
  server.close()
  const kept = /timeout=(\d+)/.exec(headers.get('keep-alive') ?? '')?.[1]
  expect(Number(kept)).toBeGreaterThan(LONGEST_REUSE_SECONDS)
})

// An idle connection is kept for longer than this test may take.
it('a connection whose request is answered before its body has arrived is closed after a while', {
  timeout: 45_000,
}, async () => {
  const server = createHttpServer((_, response) => response.end('refused'), { lingerMilliseconds: 50 })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const socket = connect(port, '127.0.0.1')
  socket.write('POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nthe beginning')
  expect(await text(socket)).toMatch(/^HTTP\/1\.1 200.*refused/s)
  server.close()
})

it('headers must arrive in time, though bodies need not', () => {
  const { headersTimeout, requestTimeout } = createHttpServer(() => {})
  expect([headersTimeout, requestTimeout]).toEqual([30_000, 0])
})
