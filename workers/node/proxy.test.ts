/** The guard when requests go through a proxy, which connects by name. */
import { createServer, type Server, request as send } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { createFetch } from './fetch.ts'

let proxy: Server
let target: Server
/** Requests to the proxy: `CONNECT host:port`, or the URL of a plain request. */
const asked: string[] = []

const portOf = (server: Server) => (server.address() as AddressInfo).port
const listen = (server: Server) => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))

beforeAll(async () => {
  target = createServer((_, response) => response.end('inside'))
  proxy = createServer((request, response) => {
    asked.push(request.url ?? '')
    const onward = send(request.url ?? '', { method: request.method ?? 'GET' }, (answer) => {
      response.writeHead(answer.statusCode ?? 502)
      answer.pipe(response)
    })
    onward.on('error', () => response.writeHead(502).end())
    request.pipe(onward)
  })
  proxy.on('connect', (request, socket) => {
    asked.push(`CONNECT ${request.url}`)
    const [host = '', port = ''] = (request.url ?? '').split(':')
    const onward = connect(Number(port), host, () => {
      socket.write('HTTP/1.1 200 Connection Established\r\n\r\n')
      onward.pipe(socket)
      socket.pipe(onward)
    })
    onward.on('error', () => socket.destroy())
    socket.on('error', () => onward.destroy())
  })
  await Promise.all([listen(target), listen(proxy)])
  for (const name of ['http_proxy', 'https_proxy']) vi.stubEnv(name, `http://127.0.0.1:${portOf(proxy)}`)
  for (const name of ['no_proxy', 'NO_PROXY']) vi.stubEnv(name, '')
})

afterAll(() => {
  vi.unstubAllEnvs()
  for (const server of [proxy, target]) {
    server.close()
    server.closeAllConnections()
  }
})

describe('behind a proxy', () => {
  it.each(['https', 'http'])(
    'a name that resolves to a private address is refused before the proxy sees it: %s',
    async (scheme) => {
      asked.length = 0
      const fetch = createFetch({ privateRegistries: [], insecureRegistries: [] })
      const url = new URL(`${scheme}://localhost:${portOf(target)}/`)
      await expect(fetch(url, {}, 'public')).rejects.toMatchObject({ code: 'forbidden_registry' })
      expect(asked).toEqual([])
    },
  )

  it('a name without an address is not passed to the proxy to resolve', async () => {
    asked.length = 0
    const fetch = createFetch({ privateRegistries: [], insecureRegistries: [] })
    await expect(fetch(new URL('https://registry.invalid/'), {}, 'public')).rejects.toMatchObject({
      code: expect.stringMatching(/^(ENOTFOUND|EAI_AGAIN)$/),
    })
    expect(asked).toEqual([])
  })

  it('what the list allows goes through the proxy', async () => {
    asked.length = 0
    const fetch = createFetch({
      privateRegistries: ['127.0.0.0/8', '[::1]/128', 'localhost'],
      insecureRegistries: [],
    })
    const plain = new URL(`http://localhost:${portOf(target)}/`)
    expect(await (await fetch(plain, {}, 'private')).text()).toBe('inside')
    expect(asked).toEqual([plain.href])
    const tunnelled = new URL(`https://localhost:${portOf(target)}/`)
    await expect(fetch(tunnelled, {}, 'private')).rejects.toThrow()
    expect(asked).toEqual([plain.href, `CONNECT localhost:${portOf(target)}`])
  })
})
