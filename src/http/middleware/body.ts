/**
 * Bodies of requests: text of at most 1 MiB, which must arrive in time. What has arrived of all bodies is bounded as well, so
 * that clients that send most of a body and then stop do not fill the memory. Uploads are bounded elsewhere.
 */
import { Problem } from '../../problem.ts'
import { SharedTimer, waitFor } from '../../timeout.ts'

export type BodyLimits = {
  /** How long a client may send nothing. */
  readonly silentMilliseconds: number
  /** How long a body may take to arrive. */
  readonly wholeMilliseconds: number
  /** How many bytes of incomplete bodies are held, of all clients and of one. */
  readonly heldBytes: number
  readonly heldBytesOfOneClient: number
}

const MIB = 1024 * 1024
const BODY_BYTES = MIB
const FIRST_BYTES = 4 * 1024
/** A body that is too large is read and dropped up to here: a client that is still sending would miss the answer. */
const DROPPED_BYTES = 16 * BODY_BYTES
const RETRY_AFTER_SECONDS = 5

export const BODY_LIMITS: BodyLimits = {
  silentMilliseconds: 20_000,
  wholeMilliseconds: 60_000,
  heldBytes: 16 * MIB,
  heldBytesOfOneClient: 8 * MIB,
}

/** Bodies already read, for requests that another thread then answers. */
const read = new WeakMap<Request, string>()

/** The body's text if `Bodies.text` has read it. */
export function textRead(request: Request): string | undefined {
  return read.get(request)
}

export class Bodies {
  readonly #limits: BodyLimits
  /** How many bytes each client's incomplete bodies hold. */
  readonly #heldBy = new Map<string, number>()
  #held = 0

  constructor(limits = BODY_LIMITS) {
    this.#limits = limits
  }

  /**
   * @param client its address: clients share the memory
   * @throws Problem `too_large` past 1 MiB; `invalid_parameter` if it does not arrive in time or breaks off; `rate_limited` if
   * too much of other bodies is held
   */
  async bytes({ body }: Request, client: string): Promise<Uint8Array> {
    if (body === null) return new Uint8Array(0)
    const reader = body.getReader()
    const incoming = new IncomingBytes((change) => this.#hold(client, change))
    const timer = new SharedTimer()
    const { silentMilliseconds, wholeMilliseconds } = this.#limits
    const end = performance.now() + wholeMilliseconds
    try {
      while (incoming.length <= DROPPED_BYTES) {
        const milliseconds = Math.min(silentMilliseconds, end - performance.now())
        const limit = { milliseconds: Math.max(0, milliseconds), error: () => late(incoming.length) }
        const { value } = await waitFor(readFrom(reader), { limit, timer })
        if (value === undefined) break
        incoming.add(value)
      }
      return incoming.whole()
    } finally {
      timer.clear()
      incoming.clear()
      reader.cancel().catch(() => {})
    }
  }

  /** @throws Problem as `bytes`; `invalid_parameter` if it is not UTF-8 */
  async text(request: Request, client: string): Promise<string> {
    const bytes = await this.bytes(request, client)
    try {
      const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
      read.set(request, text)
      return text
    } catch {
      throw fault('the body is not UTF-8')
    }
  }

  /** @throws Problem as `text`; `invalid_parameter` if it is not JSON */
  async json(request: Request, client: string): Promise<unknown> {
    const type = request.headers.get('Content-Type') ?? 'application/json'
    if (!/^\s*application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i.test(type))
      throw fault('the body must be application/json')
    const text = await this.text(request, client)
    try {
      return JSON.parse(text)
    } catch {
      throw fault('the body is not JSON')
    }
  }

  /** @throws Problem `rate_limited` */
  #hold(client: string, change: number): void {
    const held = (this.#heldBy.get(client) ?? 0) + change
    const isMore = change > 0
    if (isMore && (this.#held + change > this.#limits.heldBytes || held > this.#limits.heldBytesOfOneClient))
      throw new Problem('rate_limited', 'too many bodies are incoming at once; try again later', {
        retryAfter: RETRY_AFTER_SECONDS,
      })
    this.#held += change
    if (held === 0) this.#heldBy.delete(client)
    else this.#heldBy.set(client, held)
  }
}

/** Collects a body in one buffer: kept as chunks, a body sent byte by byte would take hundreds of times its size. */
class IncomingBytes {
  readonly #hold: (change: number) => void
  #buffer = new Uint8Array(0)
  #length = 0

  /** @param hold hears how the memory that it takes changes; what it throws, `add` throws */
  constructor(hold: (change: number) => void) {
    this.#hold = hold
  }

  get length(): number {
    return this.#length
  }

  add(chunk: Uint8Array): void {
    const length = this.#length + chunk.length
    if (length > BODY_BYTES) this.clear()
    else {
      if (length > this.#buffer.length) this.#grow(length)
      this.#buffer.set(chunk, this.#length)
    }
    this.#length = length
  }

  /** @throws Problem `too_large` past 1 MiB */
  whole(): Uint8Array {
    if (this.#length > BODY_BYTES)
      throw new Problem('too_large', 'the body is larger than 1 MiB', { parameter: 'body' })
    return this.#buffer.subarray(0, this.#length)
  }

  clear(): void {
    this.#hold(-this.#buffer.length)
    this.#buffer = new Uint8Array(0)
  }

  #grow(length: number): void {
    const capacity = Math.min(BODY_BYTES, Math.max(FIRST_BYTES, length, 2 * this.#buffer.length))
    this.#hold(capacity - this.#buffer.length)
    const larger = new Uint8Array(capacity)
    larger.set(this.#buffer.subarray(0, this.#length))
    this.#buffer = larger
  }
}

/** A client that leaves is no error of ours. */
async function readFrom(reader: ReadableStreamDefaultReader<Uint8Array>) {
  try {
    return await reader.read()
  } catch {
    throw fault('the body broke off')
  }
}

function late(bytes: number): Problem {
  return fault(`the body did not arrive in time: the request stalled after ${bytes} bytes`)
}

function fault(detail: string): Problem {
  return new Problem('invalid_parameter', detail, { parameter: 'body' })
}
