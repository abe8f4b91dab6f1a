/** A proxy between a service and its S3: forwards requests, or fails the way storage and networks do. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pipeline } from 'node:stream/promises'

export type StorageFault =
  /** Answers with a status and an S3 error. */
  | { readonly kind: 'refuse'; readonly status: number; readonly code: string }
  /** Accepts the request and never answers. */
  | { readonly kind: 'hang' }
  /** The connection is cut after this many bytes of the request's body. */
  | { readonly kind: 'cutRequest'; readonly bytes: number }
  /** The connection is cut, or stalls, after this many bytes of the answer's body. */
  | { readonly kind: 'cutAnswer' | 'stallAnswer'; readonly bytes: number }

/** The request: `GET /bucket/key?query`. */
export type StorageRequest = { readonly method: string; readonly path: string }

type Matches = (request: StorageRequest) => boolean
type ArmedFault = { readonly matches: Matches; readonly fault: StorageFault; times: number }

const ERROR = (code: string) =>
  `<?xml version="1.0"?><Error><Code>${code}</Code><Message>no</Message></Error>`

export class S3Proxy {
  /** In the order of arrival. */
  readonly requests: StorageRequest[] = []
  readonly #target: URL
  readonly #server: Server
  #faults: ArmedFault[] = []

  private constructor(target: URL) {
    this.#target = target
    this.#server = createServer((incoming, outgoing) => {
      this.#answer(incoming, outgoing).catch(() => outgoing.destroy())
    })
  }

  /** @param endpoint of the S3 behind it */
  static async start(endpoint: string): Promise<S3Proxy> {
    const proxy = new S3Proxy(new URL(endpoint))
    proxy.#server.listen(0, '127.0.0.1')
    await once(proxy.#server, 'listening')
    return proxy
  }

  get endpoint(): string {
    const { port } = this.#server.address() as AddressInfo
    return `http://127.0.0.1:${port}${this.#target.pathname}`
  }

  /** Makes the next `times` matching requests fail this way. */
  fault(matches: Matches, fault: StorageFault, times = Number.POSITIVE_INFINITY): void {
    this.#faults.push({ matches, fault, times })
  }

  clearFaults(): void {
    this.#faults = []
  }

  async close(): Promise<void> {
    this.#server.close()
    this.#server.closeAllConnections()
  }

  async #answer(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const asked = {
      method: incoming.method ?? '',
      path: (incoming.url ?? '').slice(this.#target.pathname.length),
    }
    this.requests.push(asked)
    const armed = this.#faults.find(({ matches, times }) => times > 0 && matches(asked))
    if (armed === undefined) return this.#handOn(incoming, outgoing)
    armed.times--
    const { fault } = armed
    switch (fault.kind) {
      case 'refuse':
        incoming.resume()
        outgoing.writeHead(fault.status, { 'content-type': 'application/xml' }).end(ERROR(fault.code))
        return
      case 'hang':
        incoming.resume()
        return
      case 'cutRequest': {
        let left = fault.bytes
        for await (const chunk of incoming) {
          left -= chunk.length
          if (left <= 0) break
        }
        incoming.socket.resetAndDestroy()
        return
      }
      case 'cutAnswer':
      case 'stallAnswer': {
        const answer = await this.#ask(incoming)
        const body = Buffer.concat(await Array.fromAsync(answer))
        outgoing.writeHead(answer.statusCode ?? 0, answer.headers)
        await new Promise((written) => outgoing.write(body.subarray(0, fault.bytes), written))
        if (fault.kind === 'cutAnswer') outgoing.socket?.destroySoon()
      }
    }
  }

  async #handOn(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const answer = await this.#ask(incoming)
    outgoing.writeHead(answer.statusCode ?? 0, answer.headers)
    await pipeline(answer, outgoing)
  }

  /** The headers unchanged: they are signed, including `Host`. */
  async #ask(incoming: IncomingMessage): Promise<IncomingMessage> {
    const { method, url, headers } = incoming
    const asked = request({
      host: this.#target.hostname,
      port: this.#target.port,
      method,
      path: url,
      headers,
    })
    const answered = once(asked, 'response')
    const [[answer]] = await Promise.all([answered, pipeline(incoming, asked)])
    return answer
  }
}
