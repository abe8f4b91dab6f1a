/** Reads bodies from the network: in large pieces, with limits on size, silence and slowness. */
import { Problem } from '../../problem.ts'
import { SharedTimer, waitFor } from '../../timeout.ts'
import { StalledError } from './stalled.ts'

/** How patiently a reader waits for a sender. */
export type Timeouts = {
  /** How many milliseconds may pass without a byte. */
  readonly idleMilliseconds: number
  /** The period, in milliseconds of waiting, over which a sender must average `floorBytesPerSecond`. */
  readonly floorMilliseconds: number
  readonly floorBytesPerSecond: number
}

/** Measured in both runtimes: larger reads gain nothing. */
const BUFFER_BYTES = 256 * 1024

const MAX_DRAINED_BYTES = 16 * 1024
const DRAIN: Timeouts = { idleMilliseconds: 1_000, floorMilliseconds: 1_000, floorBytesPerSecond: 1_024 }

/** Measures speed over the time spent waiting for the network: the time between a reader's reads does not count. */
export class SpeedMeter {
  readonly #timeouts: Timeouts
  #waited = 0
  #bytes = 0

  constructor(timeouts: Timeouts) {
    this.#timeouts = timeouts
  }

  /** @throws StalledError if the sender was slower than the floor */
  add(bytes: number, waitedMilliseconds: number): void {
    this.#bytes += bytes
    this.#waited += waitedMilliseconds
    const { floorMilliseconds, floorBytesPerSecond } = this.#timeouts
    if (this.#waited < floorMilliseconds) return
    const slow = this.#bytes * 1000 < floorBytesPerSecond * this.#waited
    this.#bytes = 0
    this.#waited = 0
    if (slow)
      throw new StalledError(
        `less than ${floorBytesPerSecond / 1024} KiB/s over ${floorMilliseconds / 1000} s`,
        { tooSlow: true },
      )
  }
}

type BodySource =
  | { readonly kind: 'bytes'; readonly reader: ReadableStreamBYOBReader; buffer: ArrayBuffer }
  | { readonly kind: 'chunks'; readonly reader: ReadableStreamDefaultReader<Uint8Array> }

/** Bodies are byte streams on both runtimes; other streams come from tests and proxies. */
function open(body: ReadableStream<Uint8Array>): BodySource {
  try {
    return { kind: 'bytes', reader: body.getReader({ mode: 'byob' }), buffer: new ArrayBuffer(BUFFER_BYTES) }
  } catch {
    return { kind: 'chunks', reader: body.getReader() }
  }
}

async function readSome(source: BodySource): Promise<Uint8Array | undefined> {
  if (source.kind === 'chunks') return (await source.reader.read()).value
  const { value } = await source.reader.read(new Uint8Array(source.buffer))
  // The read returned another buffer; the one passed in is detached.
  if (value !== undefined) source.buffer = value.buffer
  return value?.byteLength ? value : undefined
}

export type BodyWait = {
  readonly signal?: AbortSignal | undefined
  /** How long the sender may be silent, if not as long as usual. */
  readonly milliseconds?: number
}

export class BodyReader {
  readonly #source: BodySource
  readonly #timeouts: Timeouts
  readonly #meter: SpeedMeter
  readonly #timer = new SharedTimer()

  /** @param meter shared by several bodies of one blob */
  constructor(body: ReadableStream<Uint8Array>, timeouts: Timeouts, meter = new SpeedMeter(timeouts)) {
    this.#source = open(body)
    this.#timeouts = timeouts
    this.#meter = meter
  }

  /**
   * The next piece, valid until the next call; undefined at the end.
   *
   * @throws StalledError if the sender is silent or slow; the signal's reason; the network's error
   */
  async read({
    signal,
    milliseconds = this.#timeouts.idleMilliseconds,
  }: BodyWait = {}): Promise<Uint8Array | undefined> {
    const error = () => new StalledError(`no data for ${milliseconds / 1000} s`)
    const limit = { milliseconds, error }
    for (;;) {
      const began = performance.now()
      const piece = await waitFor(readSome(this.#source), { limit, timer: this.#timer, signal })
      this.#meter.add(piece?.byteLength ?? 0, performance.now() - began)
      if (piece === undefined) this.#timer.clear()
      if (piece === undefined || piece.byteLength > 0) return piece
    }
  }

  /** Releases the connection. Never fails, since nothing could be done about it. */
  async cancel(): Promise<void> {
    this.#timer.clear()
    await this.#source.reader.cancel().catch(() => undefined)
  }
}

export type WholeBody = {
  /** Size in bytes, regardless of `Content-Length`. */
  readonly limit: number
  /** Its name in problems: `the manifest`. */
  readonly what: string
  readonly timeouts: Timeouts
  readonly signal?: AbortSignal | undefined
}

/** Initial size of the buffer that collects a body. */
const FIRST_BYTES = 16 * 1024

/**
 * The whole body. It is collected in one buffer, so that a body in pieces of one byte takes no more memory than any other.
 *
 * @throws Problem `too_large` as soon as it is over the limit; StalledError; the signal's reason; the network's errors
 */
export async function readAll(response: Response, options: WholeBody): Promise<Uint8Array> {
  const { limit, what, timeouts, signal } = options
  const tooLarge = () => new Problem('too_large', `${what} is larger than the limit of ${limit} bytes`)
  const declared = Number(response.headers.get('content-length') ?? 0)
  if (declared > limit) {
    await response.body?.cancel().catch(() => undefined)
    throw tooLarge()
  }
  if (response.body === null) return new Uint8Array(0)
  const reader = new BodyReader(response.body, timeouts)
  let whole = new Uint8Array(Math.min(limit, FIRST_BYTES))
  let bytes = 0
  try {
    for (;;) {
      const piece = await reader.read({ signal })
      if (piece === undefined) break
      const end = bytes + piece.byteLength
      if (end > limit) throw tooLarge()
      if (end > whole.byteLength) whole = grown(whole, Math.min(Math.max(end, 2 * whole.byteLength), limit))
      whole.set(piece, bytes)
      bytes = end
    }
  } catch (error) {
    await reader.cancel()
    throw error
  }
  // A copy if much of the buffer is empty, since a view would keep the whole buffer.
  return bytes * 2 < whole.byteLength ? whole.slice(0, bytes) : whole.subarray(0, bytes)
}

function grown(bytes: Uint8Array, size: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(size)
  larger.set(bytes)
  return larger
}

/**
 * Discards a body that is not needed. A short one is read to its end, after which its connection serves the next request;
 * dropping a long one costs less than reading it.
 */
export async function discard(response: Response): Promise<void> {
  const bytes = Number(response.headers.get('content-length') ?? Number.POSITIVE_INFINITY)
  const drained =
    bytes <= MAX_DRAINED_BYTES
      ? readAll(response, { limit: MAX_DRAINED_BYTES, what: 'the body', timeouts: DRAIN })
      : response.body?.cancel()
  await drained?.catch(() => undefined)
}
