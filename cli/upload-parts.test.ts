/** The command sends large archives in parts, and goes on where it was when the connection breaks. */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ociLayout, packArchive } from '../test/support/archives.ts'
import { makeImage, makeLayer } from '../test/support/images.ts'
import { runLamina } from '../test/support/lamina.ts'
import { HOSTS, startService, type TestService } from '../test/support/service.ts'

const LARGE_BYTES = 52_000_000
const PART_BYTES = 4 * 2 ** 20

let folder: string
let archive: Uint8Array

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lamina-cli-parts-'))
  const content = randomBytes(LARGE_BYTES)
  const image = makeImage([await makeLayer([{ name: 'large', content }], { compression: 'none' })])
  archive = packArchive(ociLayout([{ image }]))
  await writeFile(join(folder, 'large.tar'), archive)
})

afterAll(() => rm(folder, { recursive: true, force: true }))

/** A way to the service that breaks all connections each time that this many bytes were sent. */
async function startBreaking(target: string, cuts: readonly number[]) {
  const left = [...cuts]
  const open = new Set<Socket>()
  let bytes = 0
  let requests = 0
  const server = createServer((client) => {
    const upstream = connect(Number(new URL(target).port), '127.0.0.1')
    for (const socket of [client, upstream]) {
      open.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        open.delete(socket)
        client.destroy()
        upstream.destroy()
      })
    }
    client.on('data', (chunk) => {
      bytes += chunk.length
      if (/^P(?:UT|OST) /.test(chunk.toString('latin1', 0, 5))) requests++
      if (left.length === 0 || bytes < (left[0] ?? 0)) return
      left.shift()
      for (const socket of open) socket.destroy()
    })
    client.pipe(upstream).pipe(client)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    sent: () => ({ bytes, requests, cutsLeft: left.length }),
    close: () => server.close(),
  }
}

describe.each(HOSTS)('to %s', (host) => {
  let service: TestService

  beforeAll(async () => {
    service = await startService(host)
  })

  afterAll(() => service?.stop())

  it.each([
    ['a file', 'docker-archive:large.tar'],
    ['a pipe', 'docker-archive:-'],
  ])('%s, although the connection breaks twice', async (_, image) => {
    const way = await startBreaking(service.url, [LARGE_BYTES / 3, LARGE_BYTES])
    const path = image.replace('large.tar', join(folder, 'large.tar'))
    const words = ['report', path, '--server', way.url, '--format', 'json']
    const { code, out, err } = await runLamina(words, { HOME: folder, TMPDIR: folder }, archive)
    expect({ code, err }).toEqual({ code: 0, err: expect.not.stringContaining('server_unreachable') })
    expect(JSON.parse(out).size.rootfsBytes).toBe(LARGE_BYTES)
    const { bytes, requests, cutsLeft } = way.sent()
    expect(cutsLeft).toBe(0)
    expect(requests).toBeGreaterThan(LARGE_BYTES / PART_BYTES)
    // Only the parts that were under way are sent again.
    expect(bytes).toBeLessThan(archive.length + 2 * 4 * PART_BYTES + 1_000_000)
    const store = await service.store()
    expect(await Array.fromAsync(store.list('archives/'))).toEqual([])
    way.close()
  })
})
