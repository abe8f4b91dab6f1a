import { createServer, type Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { afterEach, expect, it, vi } from 'vitest'
import { rehearseAnalysis, type Stage } from '../../src/service/rehearsal.ts'
import { compiledWasm } from '../wasm.ts'
import { rehearse } from './rehearsal.ts'

const options = { packages: 1, rounds: 3, wasm: compiledWasm(), signal: new AbortController().signal }

afterEach(() => vi.unstubAllEnvs())

/** Whether something listens there. */
function listens(place: string): Promise<boolean> {
  const { hostname: host, port } = new URL(`http://${place}`)
  return new Promise((resolve) => {
    const socket = connect({ host, port: Number(port) })
    socket.on('connect', () => resolve(true)).on('error', () => resolve(false))
    socket.on('close', () => socket.destroy())
  })
}

it('has a registry, which is closed afterwards', async () => {
  const stages: Stage[] = []
  await rehearse(options, async (stage) => {
    stages.push(stage)
    expect(await listens(stage.registry)).toBe(true)
  })
  expect(stages.length).toBe(3)
  expect(await listens(stages[0]?.registry ?? '')).toBe(false)
})

it('closes its registry after a failure, too', async () => {
  let registry = ''
  const failing = rehearse(options, async (stage) => {
    registry = stage.registry
    throw new Error('broken')
  })
  await expect(failing).rejects.toThrow('broken')
  expect(await listens(registry)).toBe(false)
})

it('plays no further round when it has been ended', async () => {
  const ended = new AbortController()
  let rounds = 0
  const early = rehearse({ ...options, signal: ended.signal }, async () => {
    rounds++
    ended.abort()
  })
  await expect(early).rejects.toMatchObject({ name: 'AbortError' })
  expect(rounds).toBe(1)
})

it('reaches its registry only', async () => {
  const other = createServer((_, response) => response.end()).listen(0, '127.0.0.1')
  await new Promise((resolve) => other.once('listening', resolve))
  await rehearse(options, async ({ fetch, registry }) => {
    expect((await fetch(new URL(`http://${registry}/v2/`), {}, 'private')).status).toBe(404)
    await expect(fetch(new URL(`http://127.0.0.1:${portOf(other)}/`), {}, 'private')).rejects.toMatchObject({
      code: 'forbidden_registry',
    })
  })
  other.close()
})

it('asks no proxy', async () => {
  const asked: string[] = []
  const proxy = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`)
    response.writeHead(502).end()
  })
  proxy.on('connect', (request, socket) => {
    asked.push(`CONNECT ${request.url}`)
    socket.destroy()
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  for (const name of ['http_proxy', 'https_proxy', 'HTTP_PROXY', 'HTTPS_PROXY'])
    vi.stubEnv(name, `http://127.0.0.1:${portOf(proxy)}`)
  for (const name of ['no_proxy', 'NO_PROXY']) vi.stubEnv(name, '')
  await rehearse(options, rehearseAnalysis)
  proxy.close()
  expect(asked).toEqual([])
})

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port
}
