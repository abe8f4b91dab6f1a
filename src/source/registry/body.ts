/** Reading bodies from the network: in large pieces, with limits on bytes, on silence and on slowness. */
import { Problem } from '../../problem.ts'
import { StalledError, waitFor } from './wait.ts'

/** How patient a reader is. */
export type Timeouts = {
  /** Milliseconds without a byte. */
  readonly idleMilliseconds: number
  /** Below `floorBytesPerSecond` for so many milliseconds of waiting. */
  readonly floorMilliseconds: number
  readonly floorBytesPerSecond: number
}

/** Measured as enough in both runtimes: larger reads gain nothing. */
const BUFFER_BYTES = 256 * 1024

const MAX_DRAINED_BYTES = 16 * 1024
const DRAIN: Timeouts = { idleMilliseconds: 1_000, floorMilliseconds: 1_000, floorBytesPerSecond: 1_024 }

/** Speed over the time spent waiting for the network: a reader that rests between reads is not held against the sender. */
export class SpeedMeter {
  readonly #timeouts: Timeouts
  #waited = 0
  #bytes = 0

  constructor(timeouts: Timeouts) {
    this.#timeouts = timeouts
  }

  /** @throws StalledError where the floor was missed */
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
        `less than ${floorBytesPerSecond / 1024} KiB/s came over ${floorMilliseconds / 1000} s`,
        { tooSlow: true },
      )
  }
}

type Source =
  | { readonly kind: 'bytes'; readonly reader: ReadableStreamBYOBReader; buffer: ArrayBuffer }
  | { readonly kind: 'chunks'; readonly reader: ReadableStreamDefaultReader<Uint8Array> }

/** Bodies are byte streams on both runtimes; other streams come from tests and proxies. */
function open(body: ReadableStream<Uint8Array>): Source {
  try {
    return { kind: 'bytes', reader: body.getReader({ mode: 'byob' }), buffer: new ArrayBuffer(BUFFER_BYTES) }
  } catch {
    return { kind: 'chunks', reader: body.getReader() }
  }
}

async function readSome(source: Source): Promise<Uint8Array | undefined> {
  if (source.kind === 'chunks') return (await source.reader.read()).value
  const { value } = await source.reader.read(new Uint8Array(source.buffer))
  // The buffer came back under another name: what was handed in is detached.
  if (value !== undefined) source.buffer = value.buffer
  return value?.byteLength ? value : undefined
}

export class BodyReader {
  readonly #source: Source
  readonly #timeouts: Timeouts
  readonly #meter: SpeedMeter

  /** @param meter counts on over several bodies of one blob */
  constructor(body: ReadableStream<Uint8Array>, timeouts: Timeouts, meter = new SpeedMeter(timeouts)) {
    this.#source = open(body)
    this.#timeouts = timeouts
    this.#meter = meter
  }

  /**
   * The next piece, good until the next call; undefined at the end.
   *
   * @throws StalledError where the sender is silent or slow; whatever the network's error is
   */
  async read(): Promise<Uint8Array | undefined> {
    const began = performance.now()
    for (;;) {
      const piece = await waitFor(readSome(this.#source), { milliseconds: this.#timeouts.idleMilliseconds })
      this.#meter.add(piece?.byteLength ?? 0, performance.now() - began)
      if (piece === undefined || piece.byteLength > 0) return piece
    }
  }

  /** Lets the connection go. Never fails: there is nothing left to do about it. */
  async cancel(): Promise<void> {
    await this.#source.reader.cancel().catch(() => undefined)
  }
}

/**
 * The whole body, which must not be longer than `limit` bytes, whatever its `Content-Length` says.
 *
 * @param what names it in the problem: `the manifest`
 * @throws Problem `too_large` as soon as it is; StalledError; the network's errors
 */
export async function readAll(
  response: Response,
  limit: number,
  what: string,
  timeouts: Timeouts,
): Promise<Uint8Array> {
  const tooLarge = () => new Problem('too_large', `${what} is larger than the limit of ${limit} bytes`)
  if (Number(response.headers.get('content-length') ?? 0) > limit) {
    await response.body?.cancel().catch(() => undefined)
    throw tooLarge()
  }
  if (response.body === null) return new Uint8Array(0)
  const reader = new BodyReader(response.body, timeouts)
  const pieces: Uint8Array[] = []
  let bytes = 0
  try {
    for (let piece = await reader.read(); piece !== undefined; piece = await reader.read()) {
      bytes += piece.byteLength
      if (bytes > limit) throw tooLarge()
      pieces.push(piece.slice())
    }
  } catch (error) {
    await reader.cancel()
    throw error
  }
  return Buffer.concat(pieces, bytes)
}

/**
 * Lets a body go that nobody will read. A short one is read to its end, after which its connection serves the next
 * request; to let go of a long one costs less than to read it.
 */
export async function discard(response: Response): Promise<void> {
  const bytes = Number(response.headers.get('content-length') ?? Number.POSITIVE_INFINITY)
  const drained =
    bytes <= MAX_DRAINED_BYTES
      ? readAll(response, MAX_DRAINED_BYTES, 'the body', DRAIN)
      : response.body?.cancel()
  await drained?.catch(() => undefined)
}
