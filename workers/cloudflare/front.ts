/**
 * The HTTP server of `npm start`, in front of workerd, in the place of Cloudflare's edge: it knows the client's address, which
 * workerd cannot pass to the Worker in a way that clients could not forge, rejects malformed HTTP, and compresses text.
 */
import { once } from 'node:events'
import { Agent, type IncomingMessage, request as outgoing, type ServerResponse } from 'node:http'
import { isIPv6, Socket } from 'node:net'
import { type Duplex, pipeline } from 'node:stream'
import { createGzip } from 'node:zlib'
import { Problem } from '../../src/problem.ts'
import { TEXT, takesGzip } from '../compressible.ts'
import { answerProblem, createHttpServer } from '../http-server.ts'
import { CLIENT_HEADER } from './rate.ts'

export type Front = {
  readonly port: number
  stop(): Promise<void>
}

/** Headers that belong to one connection (RFC 9110, section 7.6.1). */
const CONNECTION_HEADERS = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'upgrade',
])
/** Headers that the platform sets, or that control Miniflare. */
const PLATFORM_HEADER = /^(?:cf-|mf-)/
/** workerd closes a connection that is idle for 5 s. */
const RESTING_MILLISECONDS = 3_000

/**
 * A connection that hides failed writes. If a Worker rejects a body, it answers, and workerd closes while the body is still
 * incoming: the answer has arrived by then, and is read before the end or error that follows it.
 */
class HearingSocket extends Socket {
  override _write(chunk: unknown, encoding: BufferEncoding, callback: () => void): void {
    super._write(chunk, encoding, () => callback())
  }

  override _writev(chunks: { chunk: unknown; encoding: BufferEncoding }[], callback: () => void): void {
    super._writev?.(chunks, () => callback())
  }
}

class HearingAgent extends Agent {
  override createConnection({ host, port }: { host?: string; port?: number | string }): Duplex {
    return new HearingSocket().connect({ host, port: Number(port) })
  }
}

/** @param worker workerd's address on loopback */
export async function startFront(listen: { host: string; port: number }, worker: URL): Promise<Front> {
  const agent = new HearingAgent({ keepAlive: true, timeout: RESTING_MILLISECONDS })
  const server = createHttpServer((request, response) => forward(request, response, { agent, worker }))
  server.listen(listen.port, listen.host)
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server has no port')
  return {
    port: address.port,
    async stop() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      agent.destroy()
      await closed
    },
  }
}

type Way = { readonly agent: Agent; readonly worker: URL }

function forward(request: IncomingMessage, response: ServerResponse, way: Way): void {
  const { method = 'GET', url: path } = request
  const headers = kept(
    request.rawHeaders,
    (name) => !PLATFORM_HEADER.test(name) && name !== CLIENT_HEADER && name !== 'expect',
  )
  headers.push(CLIENT_HEADER, request.socket.remoteAddress ?? '')
  const { hostname, port } = way.worker
  const asked = outgoing({ hostname, port, method, path, headers, agent: way.agent, setHost: false })
  const gone = () => asked.destroy()
  response.once('close', gone)
  asked.once('response', (answer) => {
    if (isCompressible(request, answer)) {
      sendCompressed(response, answer)
      return
    }
    // Chunked encoding belongs to this connection, too.
    const kinds = kept(answer.rawHeaders, (name) => name !== 'transfer-encoding')
    response.writeHead(answer.statusCode ?? 500, kinds)
    if (answer.headers['content-length'] === undefined) response.flushHeaders()
    // The rest of a rejected body is not sent on.
    if (!request.complete) request.unpipe(asked)
    pipeline(answer, response, () => {
      if (!asked.writableFinished) asked.destroy()
    })
  })
  asked.once('error', (error: NodeJS.ErrnoException) => {
    response.off('close', gone)
    if (response.headersSent || response.destroyed) return void response.destroy()
    const isRested = error.code === 'ECONNRESET' && asked.reusedSocket
    if (isRested && (method === 'GET' || method === 'HEAD')) return forward(request, response, way)
    // Miniflare starts workerd again when it dies.
    const problem = new Problem('analysis_pending', 'the Worker is restarting; try again', {
      retryAfter: 1,
    })
    answerProblem(response, problem)
  })
  // Requests that can be rejected by their headers are rejected before their body arrives.
  asked.flushHeaders()
  request.pipe(asked)
}

/** Shorter answers would hardly become smaller. */
const LEAST_BYTES = 1_024

function isCompressible({ method, headers }: IncomingMessage, answer: IncomingMessage): boolean {
  const { 'content-type': type = '', 'content-length': bytes, 'content-encoding': encoding } = answer.headers
  return (
    method === 'GET' &&
    answer.statusCode === 200 &&
    encoding === undefined &&
    TEXT.test(type) &&
    Number(bytes ?? LEAST_BYTES) >= LEAST_BYTES &&
    takesGzip(String(headers['accept-encoding'] ?? ''))
  )
}

/** The tag becomes weak: it identifies the text, not these bytes. */
function sendCompressed(response: ServerResponse, answer: IncomingMessage): void {
  const changed = new Set(['transfer-encoding', 'content-length', 'accept-ranges', 'etag'])
  const headers = kept(answer.rawHeaders, (name) => !changed.has(name))
  const { etag } = answer.headers
  if (etag !== undefined) headers.push('ETag', etag.startsWith('W/') ? etag : `W/${etag}`)
  headers.push('Content-Encoding', 'gzip', 'Vary', 'Accept-Encoding')
  response.writeHead(200, headers)
  pipeline(answer, createGzip(), response, () => {})
}

/** Headers as received, without those of the connection and unwanted ones. */
function kept(raw: readonly string[], wanted: (name: string) => boolean): string[] {
  const headers: string[] = []
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const [name = '', value = ''] = raw.slice(i, i + 2)
    const known = name.toLowerCase()
    if (!CONNECTION_HEADERS.has(known) && wanted(known)) headers.push(name, value)
  }
  return headers
}

/** `http://host:port` of a server on this machine. */
export function urlOf(host: string, port: number): string {
  const reachable = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host
  return `http://${isIPv6(reachable) ? `[${reachable}]` : reachable}:${port}`
}
