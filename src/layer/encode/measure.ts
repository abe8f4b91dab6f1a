/** What a layer would have in other compressions: one pass over its blob, for all settings. Nothing of it is kept. */
import { yieldToRequests } from '../../concurrency.ts'
import type { Limits } from '../../configuration.ts'
import type { WasmModules } from '../../host.ts'
import type { LayerMeasurement, MeasuredSetting } from '../../job.ts'
import { compressionOf } from '../../oci/compression.ts'
import { type CompressionSetting, parseSetting } from '../../oci/compression-setting.ts'
import type { Descriptor } from '../../oci/manifest.ts'
import { Problem } from '../../problem.ts'
import { type BlobPieces, BlobReader } from '../blob.ts'
import { decompress, plainChunks } from '../decode/decode.ts'
import { byteLimit, enforce } from '../limits.ts'
import { BlobVerifier } from '../verify.ts'
import { Encoder } from './encoder.ts'

/** How long this thread computes before it looks for a cancellation. */
const YIELD_MILLISECONDS = 50

export type MeasureOptions = {
  /** The manifest's size and digest of the blob; both are verified. */
  readonly descriptor: Pick<Descriptor, 'digest' | 'size'>
  readonly settings: readonly CompressionSetting[]
  readonly limits: Limits
  readonly wasm: WasmModules
  readonly signal?: AbortSignal | undefined
  /** Milliseconds. */
  readonly now?: (() => number) | undefined
  /** Called after each piece, with the uncompressed bytes so far. */
  readonly onBytes?: ((uncompressedBytes: number) => void) | undefined
}

/**
 * @throws Problem `invalid_image`, `too_large`; what the blob's stream fails with, or the signal's reason
 */
export async function measureLayer(
  stream: ReadableStream<Uint8Array>,
  options: MeasureOptions,
): Promise<LayerMeasurement> {
  const { descriptor, signal } = options
  const verifier = new BlobVerifier(descriptor)
  const blob = new BlobReader(stream, { observe: (piece) => verifier.take(piece), signal })
  try {
    const measurement = await measure(blob, options)
    const wrong = verifier.wrongDigest() ?? verifier.wrongSize()
    if (wrong !== undefined) throw wrong
    return measurement
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== 'invalid_image') throw error
    // The fault may be another blob than the manifest names.
    await blob.drain()
    throw verifier.wrongDigest() ?? error
  } finally {
    await blob.cancel()
  }
}

async function measure(
  blob: BlobReader,
  { settings, limits, wasm, signal, onBytes, now = () => performance.now() }: MeasureOptions,
): Promise<LayerMeasurement> {
  const limit = byteLimit(limits)
  const compression = compressionOf(await blob.peek(4))
  const decoding = { wasm, zstdWindow: limits.zstdWindow }
  const watch = new Stopwatch(now)
  const pieces = timed(blob, watch)
  const trials: (readonly [CompressionSetting, Trial])[] = []
  let uncompressedBytes = 0
  let yielded = performance.now()
  try {
    for (const setting of settings) trials.push([setting, new Trial(setting, wasm, now)])
    const chunks = compression === 'none' ? plainChunks(pieces) : decompress(pieces, compression, decoding)
    for await (const chunk of watch.of(chunks)) {
      uncompressedBytes += chunk.length
      enforce(limit, uncompressedBytes)
      for (const [, trial] of trials) {
        await trial.write(chunk)
        // At a high level one chunk takes tens of milliseconds.
        if (performance.now() - yielded < YIELD_MILLISECONDS) continue
        await yieldToRequests()
        yielded = performance.now()
        signal?.throwIfAborted()
      }
      onBytes?.(uncompressedBytes)
    }
    const measured: [string, MeasuredSetting][] = []
    for (const [setting, trial] of trials) measured.push([setting, await trial.finish(uncompressedBytes)])
    return {
      compression,
      uncompressedBytes,
      decompressSeconds: watch.seconds,
      measured: Object.fromEntries(measured),
    }
  } finally {
    for (const [, trial] of trials) await trial.close()
  }
}

/** One setting: compresses what it is given, and decompresses it again, as a client would. */
class Trial {
  readonly #encoder: Encoder
  readonly #encoding: Stopwatch
  readonly #decoding: Stopwatch
  readonly #pipe = new Pipe()
  /** Bytes that came out again. */
  readonly #decoded: Promise<number>
  #bytes = 0

  constructor(setting: CompressionSetting, wasm: WasmModules, now: () => number) {
    this.#encoding = new Stopwatch(now)
    this.#decoding = new Stopwatch(now)
    const parsed = parseSetting(setting)
    if (parsed === undefined) throw new Error(`no compression: ${setting}`)
    this.#encoder = new Encoder(parsed)
    const decoding = { wasm, zstdWindow: Number.POSITIVE_INFINITY }
    this.#decoded = countBytes(
      this.#decoding.of(decompress(timed(this.#pipe, this.#decoding), parsed.format, decoding)),
    )
    // Awaited at the end, or by who waits for the pipe.
    this.#decoded.catch((error) => this.#pipe.fail(error))
  }

  write(chunk: Uint8Array): Promise<void> {
    return this.#send(this.#encoder.write(chunk))
  }

  async finish(uncompressedBytes: number): Promise<MeasuredSetting> {
    await this.#send(this.#encoder.finish())
    this.#pipe.end()
    if ((await this.#decoded) !== uncompressedBytes)
      throw new Error('what was compressed does not decompress to the same bytes')
    return {
      bytes: this.#bytes,
      compressSeconds: this.#encoding.seconds,
      decompressSeconds: this.#decoding.seconds,
    }
  }

  async close(): Promise<void> {
    this.#pipe.end()
    await this.#decoded.catch(() => {})
    this.#encoder.close()
  }

  async #send(pieces: Generator<Uint8Array>): Promise<void> {
    for (;;) {
      this.#encoding.start()
      const { done, value } = pieces.next()
      this.#encoding.stop()
      if (done) return
      this.#bytes += value.length
      await this.#pipe.send(value)
    }
  }
}

async function countBytes(chunks: AsyncIterable<Uint8Array>): Promise<number> {
  let bytes = 0
  for await (const chunk of chunks) bytes += chunk.length
  return bytes
}

/** Pieces from an encoder to a decoder: each is used before the next is made. */
class Pipe implements BlobPieces {
  bytes = 0
  #offered: Uint8Array | undefined
  #hasEnded = false
  #failure: { readonly error: unknown } | undefined
  #onOffer = () => {}
  #onHunger = () => {}

  /** Resolves when the decoder has used the piece. */
  async send(piece: Uint8Array): Promise<void> {
    this.#offered = piece
    const used = new Promise<void>((resolve) => {
      this.#onHunger = resolve
    })
    this.#onOffer()
    if (this.#failure === undefined) await used
    if (this.#failure !== undefined) throw this.#failure.error
  }

  end(): void {
    this.#hasEnded = true
    this.#onOffer()
  }

  fail(error: unknown): void {
    this.#failure = { error }
    this.#onHunger()
  }

  async read(): Promise<Uint8Array | undefined> {
    if (this.#offered === undefined) this.#onHunger()
    while (this.#offered === undefined && !this.#hasEnded) {
      await new Promise<void>((resolve) => {
        this.#onOffer = resolve
      })
    }
    const piece = this.#offered
    this.#offered = undefined
    this.bytes += piece?.length ?? 0
    return piece
  }

  release(): void {}
}

/** Time that work takes, without what it waits for. */
class Stopwatch {
  readonly #now: () => number
  #milliseconds = 0
  #began = 0

  constructor(now: () => number) {
    this.#now = now
  }

  get seconds(): number {
    return this.#milliseconds / 1000
  }

  start(): void {
    this.#began = this.#now()
  }

  stop(): void {
    this.#milliseconds += this.#now() - this.#began
  }

  /** The chunks; runs while the next one is made. */
  async *of(chunks: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        this.start()
        const { done, value } = await chunks.next()
        this.stop()
        if (done) return
        yield value
      }
    } finally {
      await chunks.return(undefined)
    }
  }
}

/** The pieces; the watch stops while one is waited for. */
function timed(pieces: BlobPieces, watch: Stopwatch): BlobPieces {
  return {
    get bytes() {
      return pieces.bytes
    },
    async read() {
      watch.stop()
      try {
        return await pieces.read()
      } finally {
        watch.start()
      }
    },
    release: (piece) => pieces.release(piece),
  }
}
