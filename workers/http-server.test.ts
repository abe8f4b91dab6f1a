import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { expect, it } from 'vitest'
import { createHttpServer } from './http-server.ts'

/** Nginx, AWS and Azure keep a connection to the server behind them for a minute. */
const LONGEST_REUSE_SECONDS = 60

it('an idle connection is closed by the proxy in front, not by the server', async () => {
  const server = createHttpServer({}, (_, response) => response.end('answered'))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const { headers } = await fetch(`http://127.0.0.1:${port}/`)
  server.close()
  const kept = /timeout=(\d+)/.exec(headers.get('keep-alive') ?? '')?.[1]
  expect(Number(kept)).toBeGreaterThan(LONGEST_REUSE_SECONDS)
})
