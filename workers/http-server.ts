/** An HTTP server on Node that answers malformed requests with a problem, as routes do. */
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
  STATUS_CODES,
} from 'node:http'
import type { Duplex } from 'node:stream'
import { problemBody } from '../src/http/problems.ts'
import { Problem } from '../src/problem.ts'

/** A name, an IPv4 or bracketed IPv6 address, with or without a port (RFC 9110, section 7.2). */
const HOST = /^(?:[\w.~%!$&'()*+,;=-]+|\[[\da-f:.]+\])(?::\d{0,5})?$/i

/**
 * Proxies and load balancers reuse a connection for up to a minute. If we closed it first, a request just being sent on it
 * would fail.
 */
const KEEP_ALIVE_MILLISECONDS = 75_000

/** How long a request may take until its headers have arrived; Node has no such limit if bodies have none. */
const HEADERS_MILLISECONDS = 30_000
/** How long the rest of a body is awaited once the request is answered: a client that is still sending would miss the answer. */
const LINGER_MILLISECONDS = 20_000

const REQUEST_TIMEOUT = 408
const HEADERS_TOO_LARGE = 431

export type HttpServerOptions = {
  /** How long the rest of a body is awaited once the request is answered. */
  readonly lingerMilliseconds?: number
}

/**
 * A server that does not limit how long bodies take to arrive: whoever reads them does.
 *
 * @param listener only receives requests whose `Host` and target make a URL
 */
export function createHttpServer(
  listener: RequestListener,
  { lingerMilliseconds = LINGER_MILLISECONDS }: HttpServerOptions = {},
): Server {
  const answering = new WeakSet<Duplex>()
  const own = {
    // An archive may take longer to arrive than any sensible limit for requests.
    requestTimeout: 0,
    headersTimeout: HEADERS_MILLISECONDS,
    keepAliveTimeout: KEEP_ALIVE_MILLISECONDS,
    requireHostHeader: false,
  }
  const server = createServer(own, (request, response) => {
    const { socket } = request
    answering.add(socket)
    response.once('close', () => answering.delete(socket))
    response.once('finish', () => linger(request, lingerMilliseconds))
    const problem = faultOf(request)
    if (problem === undefined) listener(request, response)
    else answerProblem(response, problem)
  })
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    // In the middle of an answer, a second one would look like its rest.
    if (socket.writable && error.code !== 'ECONNRESET' && !answering.has(socket)) socket.end(refusal(error))
    else socket.destroy()
  })
  return server
}

/** Ends the connection of an answered request if its body does not end. */
function linger(request: IncomingMessage, milliseconds: number): void {
  if (request.complete) return
  const timer = setTimeout(() => request.socket.destroy(), milliseconds)
  timer.unref()
  request.once('close', () => clearTimeout(timer))
}

/** Answers outside of any route. */
export function answerProblem(response: ServerResponse, problem: Problem): void {
  const body = JSON.stringify(problemBody(problem))
  const { retryAfter } = problem.fields
  const later = retryAfter === undefined ? {} : { 'Retry-After': String(retryAfter) }
  response.writeHead(problem.status, { ...headersOf(body), ...later }).end(body)
}

function headersOf(body: string): Record<string, string> {
  return {
    'Content-Type': 'application/problem+json',
    'Content-Length': String(Buffer.byteLength(body)),
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
    Connection: 'close',
  }
}

function faultOf({ headers: { host }, url = '' }: IncomingMessage): Problem | undefined {
  if (host === undefined) return new Problem('invalid_parameter', 'the request has no `Host` header')
  if (!HOST.test(host) || !URL.canParse(`http://${host}/`)) {
    const shown = JSON.stringify(host.slice(0, 100))
    return new Problem(
      'invalid_parameter',
      `the \`Host\` header ${shown} is not a host with an optional port`,
    )
  }
  const isTarget = url.startsWith('/')
    ? URL.canParse(`http://${host}${url}`)
    : /^https?:/i.test(url) && URL.canParse(url)
  return isTarget
    ? undefined
    : new Problem('invalid_parameter', 'the target of the request is not a path or a URL')
}

/** The answer if the parser gave up, with the status from RFC 9110 and 6585. */
function refusal({ code }: NodeJS.ErrnoException): string {
  const { problem, status } = refused(code)
  const body = JSON.stringify({ ...problemBody(problem), status })
  const lines = Object.entries(headersOf(body)).map(([name, value]) => `${name}: ${value}\r\n`)
  return `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${body}`
}

function refused(code: string | undefined): { readonly problem: Problem; readonly status: number } {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return {
        problem: new Problem('too_large', 'the headers of the request are larger than 16 KiB'),
        status: HEADERS_TOO_LARGE,
      }
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return {
        problem: new Problem('invalid_parameter', 'the request did not arrive in time'),
        status: REQUEST_TIMEOUT,
      }
    default: {
      const problem = new Problem('invalid_parameter', 'the request is not valid HTTP/1.1')
      return { problem, status: problem.status }
    }
  }
}
