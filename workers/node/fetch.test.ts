import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createFetch } from './fetch.ts'

let server: Server
let port: number
const received: { path: string; headers: Record<string, unknown>; body: string }[] = []

beforeAll(async () => {
  server = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += String(chunk)
    received.push({ path: request.url ?? '', headers: request.headers, body })
    switch (request.url) {
      case '/redirect':
        return response.writeHead(307, { location: '/elsewhere' }).end()
      case '/gzip':
        return response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('text'))
      case '/large':
        return response.writeHead(200).end(Buffer.alloc(3_000_000, 'x'))
      case '/cut':
        response.writeHead(200, { 'content-length': 100 })
        return response.write('part', () => response.socket?.destroySoon())
      case '/endless': {
        const more = () => {
          while (response.write(Buffer.alloc(65_536)));
          response.once('drain', more)
        }
        return more()
      }
      default:
        return response.writeHead(200, { 'x-two': ['a', 'b'] }).end('hello')
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  port = (server.address() as AddressInfo).port
})

afterAll(() => {
  server.close()
  server.closeAllConnections()
})

const url = (path = '/', host = '127.0.0.1') => new URL(`http://${host}:${port}${path}`)
const open = createFetch({ privateRegistries: ['127.0.0.0/8'], insecureRegistries: [] })

const forbidden = (text: string) =>
  expect.objectContaining({ code: 'forbidden_registry', message: expect.stringContaining(text) })

describe('the guard at the socket', () => {
  it('allows a private reach to connect to listed addresses', async () => {
    expect(await (await open(url(), {}, 'private')).text()).toBe('hello')
  })

  it.each(['127.0.0.1', '[::ffff:127.0.0.1]', 'localhost', '0x7f000001'])(
    'refuses %s for a public reach, whether it is an address or a name',
    async (host) => {
      received.length = 0
      await expect(open(url('/', host), {}, 'public')).rejects.toThrow(forbidden('LAMINA_PRIVATE_REGISTRIES'))
      expect(received).toEqual([])
    },
  )

  it('refuses unlisted addresses for a private reach too', async () => {
    const other = createFetch({
      privateRegistries: ['10.0.0.0/8', `127.0.0.1:${port + 1}`],
      insecureRegistries: [],
    })
    for (const host of ['127.0.0.1', 'localhost'])
      await expect(other(url('/', host), {}, 'private')).rejects.toThrow(
        forbidden('add it to LAMINA_PRIVATE_REGISTRIES'),
      )
  })

  it('allows a listed name on its port, whatever its address', async () => {
    const named = createFetch({ privateRegistries: [`localhost:${port}`], insecureRegistries: [] })
    expect((await named(url('/', 'localhost'), {}, 'private')).status).toBe(200)
    const elsewhere = createFetch({ privateRegistries: [`localhost:${port + 1}`], insecureRegistries: [] })
    await expect(elsewhere(url('/', 'localhost'), {}, 'private')).rejects.toThrow(forbidden('localhost'))
  })

  it('does not reuse the connection of one reach for the other', async () => {
    await (await open(url('/', 'localhost'), {}, 'private')).text()
    await expect(open(url('/', 'localhost'), {}, 'public')).rejects.toThrow(forbidden('localhost'))
  })
})

describe('answers', () => {
  it('a redirect is returned without following it', async () => {
    const response = await open(url('/redirect'), {}, 'private')
    expect([response.status, response.headers.get('location')]).toEqual([307, '/elsewhere'])
  })

  it('an encoding is not decoded: digests cover the bytes as sent', async () => {
    const response = await open(url('/gzip'), {}, 'private')
    expect(Buffer.from(await response.arrayBuffer())).toEqual(gzipSync('text'))
    expect(response.headers.get('content-encoding')).toBe('gzip')
  })

  it('repeated headers are joined, and HEAD has no body', async () => {
    const response = await open(url(), { method: 'HEAD' }, 'private')
    expect(response.headers.get('x-two')).toBe('a, b')
    expect(response.body).toBeNull()
  })

  it('a POST is sent with its body', async () => {
    received.length = 0
    await (
      await open(url('/post'), { method: 'POST', body: 'a=b', headers: { 'x-test': '1' } }, 'private')
    ).text()
    expect(received).toMatchObject([{ path: '/post', body: 'a=b', headers: { 'x-test': '1' } }])
  })

  it('a body fills the buffer of its reader', async () => {
    const { body } = await open(url('/large'), {}, 'private')
    const reader = body?.getReader({ mode: 'byob' })
    let buffer = new ArrayBuffer(100_000)
    let count = 0
    for (;;) {
      const read = await reader?.read(new Uint8Array(buffer))
      if (read?.value === undefined || read.done) break
      count += read.value.byteLength
      buffer = read.value.buffer
    }
    expect(count).toBe(3_000_000)
  })

  it('a truncated body fails', async () => {
    const response = await open(url('/cut'), {}, 'private')
    await expect(response.text()).rejects.toThrow()
  })

  it('a body ends when it is cancelled or its caller leaves', async () => {
    const response = await open(url('/endless'), {}, 'private')
    await response.body?.cancel()
    const going = new AbortController()
    const other = await open(url('/endless'), { signal: going.signal }, 'private')
    const reader = other.body?.getReader()
    await reader?.read()
    going.abort(new Error('gone'))
    const rest = async () => {
      for (;;) if ((await reader?.read())?.done) return
    }
    await expect(rest()).rejects.toThrow()
  })
})
