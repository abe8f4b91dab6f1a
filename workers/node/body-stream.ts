/**
 * The body of a request or a response as a byte stream. In one copy, its reader's buffer gets everything that arrived in one turn
 * of the event loop.
 */
import type { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import { byteStream } from '../../src/source/byte-stream.ts'

/** How much may wait for the reader before the sender is paused. */
const MOST_BYTES = 256 * 1024
/** For a reader without a buffer. */
const CHUNK_BYTES = 16 * 1024
/** Limit on the number of chunks: each may be a single byte. */
const MOST_CHUNKS = 64

/** The chunks waiting for the reader. */
class Arrivals {
  readonly #body: Readable
  readonly #free: (chunk: Uint8Array) => void
  readonly #chunks: Uint8Array[] = []
  /** How much of the first chunk was read. */
  #read = 0
  #bytes = 0
  #end: 'none' | 'whole' | { readonly error: unknown } = 'none'
  /** The waiting reader. */
  #wanted = 0
  #wake: (() => void) | undefined
  #turn: NodeJS.Immediate | undefined

  /** @param free called with each chunk of which nothing is left to read */
  constructor(body: Readable, free: (chunk: Uint8Array) => void = () => {}) {
    this.#body = body
    this.#free = free
    body
      .on('data', this.#add)
      .on('end', () => this.#finish('whole'))
      .on('error', (error) => this.#finish({ error }))
      .on('close', () => this.#finish({ error: new Error('the body ended early') }))
  }

  /** Fills the beginning of the view. @returns how many bytes; 0 at the end. @throws the body's error */
  async readInto(view: Uint8Array): Promise<number> {
    if (this.#bytes < view.byteLength && this.#end === 'none') await this.#more(view.byteLength)
    let filled = 0
    while (filled < view.byteLength) {
      const [chunk] = this.#chunks
      if (chunk === undefined) break
      const taken = chunk.subarray(this.#read, this.#read + view.byteLength - filled)
      view.set(taken, filled)
      filled += taken.byteLength
      this.#read += taken.byteLength
      if (this.#read < chunk.byteLength) break
      this.#chunks.shift()
      this.#free(chunk)
      this.#read = 0
    }
    this.#bytes -= filled
    if (filled === 0 && typeof this.#end === 'object') throw this.#end.error
    if (this.#body.isPaused()) this.#body.resume()
    return filled
  }

  /** Takes no more. What still arrives waits in the body. */
  stop(): void {
    this.#body.off('data', this.#add).pause()
  }

  /**
   * Resolves when this many bytes have arrived, when the event loop has turned after the first of them, or when the body ends.
   */
  #more(bytes: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#wanted = bytes
    this.#wake = resolve
    if (this.#bytes > 0) this.#wakeSoon()
    return promise
  }

  readonly #add = (chunk: Uint8Array): void => {
    this.#chunks.push(chunk)
    this.#bytes += chunk.byteLength
    if (this.#bytes >= MOST_BYTES || this.#chunks.length >= MOST_CHUNKS) this.#body.pause()
    if (this.#wake === undefined) return
    if (this.#bytes >= this.#wanted) this.#wakeNow()
    else this.#wakeSoon()
  }

  #finish(end: 'whole' | { readonly error: unknown }): void {
    if (this.#end === 'none') this.#end = end
    this.#wakeNow()
  }

  /** Includes whatever else arrives in this turn. */
  #wakeSoon(): void {
    this.#turn ??= setImmediate(() => this.#wakeNow())
  }

  #wakeNow(): void {
    clearImmediate(this.#turn)
    this.#turn = undefined
    this.#wake?.()
    this.#wake = undefined
  }
}

/** The body of a response, which ends when it is cancelled. */
export function responseBody(body: Readable): ReadableStream<Uint8Array> {
  return streamOf(new Arrivals(body), () => body.destroy())
}

/**
 * The body of a request. Cancelling it leaves the rest to the server, since the client still waits for an answer.
 *
 * Node copies each chunk out of its parser's buffer for us alone, so its memory is freed at once. Left to V8, which then collects
 * its small heap again and again, it took a quarter of an upload's time.
 */
export function requestBody(request: IncomingMessage): ReadableStream<Uint8Array> {
  const arrivals = new Arrivals(request, (chunk) => {
    const { buffer } = chunk
    const isAlone = chunk.byteLength === buffer.byteLength
    if (isAlone && buffer instanceof ArrayBuffer) buffer.transfer(0)
  })
  return streamOf(arrivals, () => arrivals.stop())
}

function streamOf(arrivals: Arrivals, cancel: () => void): ReadableStream<Uint8Array> {
  return byteStream(
    {
      readInto: (view) => arrivals.readInto(view),
      cancel: async () => cancel(),
    },
    CHUNK_BYTES,
  )
}
