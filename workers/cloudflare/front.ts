/**
 * The HTTP server of `npm start`, before workerd, where Cloudflare has its edge: it knows the address of who asks, which workerd
 * does not tell the Worker in a way that a client could not invent, refuses malformed HTTP, and compresses text.
 */
import { once } from 'node:events'
import { Agent, type IncomingMessage, request as outgoing, type ServerResponse } from 'node:http'
import { isIPv6, Socket } from 'node:net'
import { type Duplex, pipeline } from 'node:stream'
import { createGzip } from 'node:zlib'
import { Problem } from '../../src/problem.ts'
import { TEXT, takesGzip } from '../compressible.ts'
import { answerProblem, createHttpServer } from '../http-server.ts'
import { CLIENT_HEADER } from './client-header.ts'

export type Front = {
  readonly port: number
  stop(): Promise<void>
}

/** Belong to one connection (RFC 9110, section 7.6.1). */
const CONNECTION_HEADERS = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'upgrade',
])
/** Headers that the platform makes, or that Miniflare takes orders from. */
const PLATFORM_HEADER = /^(?:cf-|mf-)/
/** workerd closes a connection that rests for 5 s. */
const RESTING_MILLISECONDS = 3_000

/**
 * A connection whose failed writes say nothing. A Worker that refuses a body answers, and workerd closes while the body still comes:
 * its answer has arrived by then, and is read before the end or the error that follows it.
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

/** @param worker where workerd listens on loopback */
export async function startFront(listen: { host: string; port: number }, worker: URL): Promise<Front> {
  const agent = new HearingAgent({ keepAlive: true, timeout: RESTING_MILLISECONDS })
  // An upload may take longer than any time that is good for all requests; the Worker bounds how long it may rest.
  const server = createHttpServer({ requestTimeout: 0 }, (request, response) =>
    forward(request, response, { agent, worker }),
  )
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
    // Chunks are this connection's own, too.
    const kinds = kept(answer.rawHeaders, (name) => name !== 'transfer-encoding')
    response.writeHead(answer.statusCode ?? 500, kinds)
    if (answer.headers['content-length'] === undefined) response.flushHeaders()
    // A body that is refused is not sent on.
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
    const problem = new Problem('analysis_pending', 'the Worker is starting again; ask again', {
      retryAfter: 1,
    })
    answerProblem(response, problem)
  })
  // What can be refused by its headers is refused before its body comes.
  asked.flushHeaders()
  request.pipe(asked)
}

/** A shorter answer would hardly become smaller. */
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

/** The tag becomes a weak one: it names the text, not these bytes. */
function sendCompressed(response: ServerResponse, answer: IncomingMessage): void {
  const changed = new Set(['transfer-encoding', 'content-length', 'accept-ranges', 'etag'])
  const headers = kept(answer.rawHeaders, (name) => !changed.has(name))
  const { etag } = answer.headers
  if (etag !== undefined) headers.push('ETag', etag.startsWith('W/') ? etag : `W/${etag}`)
  headers.push('Content-Encoding', 'gzip', 'Vary', 'Accept-Encoding')
  response.writeHead(200, headers)
  pipeline(answer, createGzip(), response, () => {})
}

/** Headers as they came, but those of the connection and those that are not wanted. */
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
