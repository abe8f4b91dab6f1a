/** A blob as one stream that survives dropped connections: it continues from the byte where it stopped. */
import { byteStream } from '../byte-stream.ts'
import { BodyReader, SpeedMeter, type Timeouts } from './body.ts'
import type { Patience } from './patience.ts'

/** The part of the blob that one connection sends. */
export type BlobPart = {
  readonly body: ReadableStream<Uint8Array>
  /** Position of the body's first byte in the blob: less than requested if the server ignores ranges. */
  readonly offset: number
}

export type BlobSource = {
  /** Opens the blob from this byte on; undefined if it ends before. */
  open(offset: number): Promise<BlobPart | undefined>
  /**
   * Waits before the blob is opened again after an error.
   *
   * @param cuts how many in a row, from 1
   * @throws the reader's error, if the blob must not be opened again
   */
  recover(error: unknown, cuts: number): Promise<void>
  readonly timeouts: Timeouts
  /** Shared by all connections: one that sends nothing is not opened again and again. */
  readonly patience: Patience
}

/** Which of the blob's bytes are wanted: from `start` to before `end`. */
export type BlobBounds = { readonly start: number; readonly end: number }

/** How much one pull requests at most if the reader brings no buffer. */
const CHUNK_BYTES = 256 * 1024
/** A connection that delivered this many bytes was good: when it breaks, retries count from one again. */
const PROOF_BYTES = 1024 * 1024

class ResumingReader {
  readonly #source: BlobSource
  readonly #limit: number
  readonly #meter: SpeedMeter
  #reader: BodyReader | undefined
  /** Position in the blob of the next byte to deliver. */
  #position: number
  /** Position of the last cut. */
  #cutAt: number
  #cuts = 0
  /** Bytes at the start of the connection that the reader already has. */
  #repeated = 0
  #rest: Uint8Array | undefined
  #cancelled = false

  constructor(source: BlobSource, first: BlobPart, bounds: BlobBounds) {
    this.#source = source
    this.#limit = bounds.end
    this.#position = bounds.start
    this.#cutAt = bounds.start
    this.#meter = new SpeedMeter(source.timeouts)
    this.#use(first)
  }

  /** Fills the beginning of the view. @returns how many bytes; 0 at the end */
  async readInto(view: Uint8Array): Promise<number> {
    const piece = this.#rest ?? (await this.#next())
    if (piece === undefined) return 0
    const count = Math.min(piece.byteLength, view.byteLength, this.#limit - this.#position)
    view.set(piece.subarray(0, count))
    this.#rest = count < piece.byteLength ? piece.subarray(count) : undefined
    this.#position += count
    // Nobody needs what lies beyond the limit.
    if (this.#position >= this.#limit) await this.#letGo()
    return count
  }

  async cancel(): Promise<void> {
    this.#cancelled = true
    await this.#letGo()
  }

  async #letGo(): Promise<void> {
    this.#rest = undefined
    await this.#reader?.cancel()
    this.#reader = undefined
  }

  #use(part: BlobPart): void {
    this.#reader = new BodyReader(part.body, this.#source.timeouts, this.#meter)
    this.#repeated = this.#position - part.offset
  }

  async #next(): Promise<Uint8Array | undefined> {
    while (this.#position < this.#limit && !this.#cancelled) {
      try {
        const { patience, timeouts } = this.#source
        const milliseconds = Math.min(timeouts.idleMilliseconds, Math.max(1, patience.left))
        const piece = await patience.during(async () => this.#reader?.read({ milliseconds }))
        if (piece === undefined) return undefined
        if (piece.byteLength > this.#repeated) {
          patience.renew()
          const fresh = piece.subarray(this.#repeated)
          this.#repeated = 0
          return fresh
        }
        this.#repeated -= piece.byteLength
      } catch (error) {
        await this.#recover(error)
      }
    }
    return undefined
  }

  async #recover(error: unknown): Promise<void> {
    await this.#letGo()
    this.#cuts = this.#position - this.#cutAt >= PROOF_BYTES ? 1 : this.#cuts + 1
    this.#cutAt = this.#position
    const { patience } = this.#source
    await patience.during(() => this.#source.recover(error, this.#cuts))
    // The stream's reader may cancel during the wait; then there is no reason to open the blob.
    if (this.#cancelled) return
    const part = await patience.during(() => this.#source.open(this.#position))
    if (part !== undefined) this.#use(part)
    if (this.#cancelled) await this.#letGo()
  }
}

/**
 * The blob's bytes as they arrive, unverified, and none outside the bounds: a byte stream.
 *
 * @param first already open, so that a refusal is known before there is a stream
 */
export function blobStream(
  source: BlobSource,
  first: BlobPart,
  bounds: BlobBounds,
): ReadableStream<Uint8Array> {
  return byteStream(new ResumingReader(source, first, bounds), CHUNK_BYTES)
}
