import { Agent, createServer, type IncomingMessage, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'
import { getRequestListener } from '@hono/node-server'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { requestBody, responseBody } from './body-stream.ts'

/** Reads all of it into a reused buffer of this size. */
async function readInto(stream: ReadableStream<Uint8Array>, size: number): Promise<Buffer> {
  const reader = stream.getReader({ mode: 'byob' })
  const pieces: Buffer[] = []
  let buffer = new ArrayBuffer(size)
  for (;;) {
    const { value, done } = await reader.read(new Uint8Array(buffer))
    if (value === undefined || done) return Buffer.concat(pieces)
    pieces.push(Buffer.from(value.slice()))
    buffer = value.buffer
  }
}

/** A body that goes on as long as it is read. */
function endless(chunkBytes: number) {
  const given = { bytes: 0 }
  const body = new Readable({
    read() {
      given.bytes += chunkBytes
      this.push(Buffer.alloc(chunkBytes))
    },
  })
  return { body, given }
}

describe('a body as a byte stream', () => {
  it('has the same bytes, however they arrive and are read', async () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 300_000 }), { maxLength: 12 })
    await fc.assert(
      fc.asyncProperty(sizes, fc.integer({ min: 1_000, max: 300_000 }), async (chunkSizes, size) => {
        const chunks = chunkSizes.map((bytes, i) => Buffer.alloc(bytes, i + 1))
        async function* arrive() {
          for (const [i, chunk] of chunks.entries()) {
            if (i % 3 === 0) await turn()
            yield chunk
          }
        }
        const read = await readInto(responseBody(Readable.from(arrive(), { objectMode: false })), size)
        expect(read.equals(Buffer.concat(chunks))).toBe(true)
      }),
      { numRuns: 30 },
    )
  })

  it.each([1, 100, 65_536])(
    'holds up a sender of chunks of %i bytes while there is no reader',
    async (bytes) => {
      const { body, given } = endless(bytes)
      const stream = responseBody(body)
      for (let i = 0; i < 1_000; i++) await turn()
      expect(given.bytes).toBeLessThanOrEqual(512 * 1024)
      await stream.cancel()
      expect(body.destroyed).toBe(true)
    },
  )

  it('delivers what arrived before it fails', async () => {
    async function* failing() {
      yield Buffer.from('first')
      await turn()
      throw new Error('cut')
    }
    const reader = responseBody(Readable.from(failing(), { objectMode: false })).getReader()
    expect(Buffer.from((await reader.read()).value ?? []).toString()).toBe('first')
    await expect(reader.read()).rejects.toThrow('cut')
  })

  it('fails if it is closed in the middle', async () => {
    const { body } = endless(10)
    const reader = responseBody(body).getReader()
    await reader.read()
    body.destroy()
    const rest = async () => {
      for (;;) if ((await reader.read()).done) return
    }
    await expect(rest()).rejects.toThrow('ended early')
  })
})

describe('the body of a request', () => {
  it.each([10, 100_000, 1_000_000])('of %i bytes is read, and its memory is freed', async (bytes) => {
    const sent = Buffer.alloc(bytes, 'abc')
    const chunks: Uint8Array[] = []
    const { made } = await received([sent], (incoming) => {
      incoming.on('data', (chunk: Uint8Array) => chunks.push(chunk))
      return readInto(requestBody(incoming), 64 * 1024)
    })
    expect(made[0]?.equals(sent)).toBe(true)
    expect(chunks.map((chunk) => chunk.byteLength)).toEqual(chunks.map(() => 0))
  })

  it.each([0, 1, 100_000])('cancelled after %i bytes leaves the rest to the server', async (bytes) => {
    const sent = [Buffer.alloc(500_000), Buffer.alloc(10)]
    const { made, sockets } = await received(sent, async (incoming) => {
      const body = requestBody(incoming)
      const reader = body.getReader({ mode: 'byob' })
      if (bytes > 0) await reader.read(new Uint8Array(bytes))
      // With a read that waits.
      void reader.read(new Uint8Array(1_000_000)).catch(() => undefined)
      await reader.cancel()
      return bytes
    })
    expect(made).toEqual([bytes, bytes])
    expect(sockets).toBe(1)
  })
})

/** Sends bodies one after the other on one connection. @returns what the server made of them */
async function received<T>(bodies: readonly Buffer[], receive: (incoming: IncomingMessage) => Promise<T>) {
  const made: T[] = []
  const listener = getRequestListener(async (_, { incoming }) => {
    made.push(await receive(incoming as IncomingMessage))
    return new Response('answer')
  })
  const server = createServer(listener)
  let sockets = 0
  server.on('connection', () => sockets++)
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const { port } = server.address() as AddressInfo
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  for (const body of bodies) {
    await new Promise((resolve, reject) => {
      const asked = request({ port, agent, method: 'POST' }, (answer) => answer.resume().on('end', resolve))
      asked.on('error', reject).end(body)
    })
  }
  agent.destroy()
  server.close()
  return { made, sockets }
}
