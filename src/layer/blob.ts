/** A blob's bytes in large pieces, reading one ahead, so that the network is busy while we compute. */

/** Size of one read, in bytes: smaller only at the end, and for streams that are not byte streams. */
export const PIECE_BYTES = 256 * 1024

export type BlobOptions = {
  /** Sees each piece as it arrives, in order. An error it throws ends reading. */
  readonly observe?: (piece: Uint8Array) => void
  /** Hears of each time that the reader waits for the stream, because no piece is there yet. */
  readonly wait?: (<T>(promise: Promise<T>) => Promise<T>) | undefined
  readonly signal?: AbortSignal | undefined
}

type Reading = { readonly done: boolean; readonly value?: Uint8Array | undefined }

/** What a decoder needs of a blob. */
export type BlobPieces = Pick<BlobReader, 'read' | 'release' | 'bytes'>

/** Reads at least a given number of bytes from a byte stream: the standard's way, newer than its types, or workerd's older one. */
type ByteReader = {
  read(view: Uint8Array, options: { readonly min: number }): Promise<Reading>
  readAtLeast?(bytes: number, view: Uint8Array): Promise<Reading>
  cancel(reason?: unknown): Promise<void>
}

type PieceReader =
  | { readonly bytes: ByteReader }
  | { readonly chunks: ReadableStreamDefaultReader<Uint8Array> }

export class BlobReader {
  readonly #reader: PieceReader
  readonly #observe: (piece: Uint8Array) => void
  readonly #wait: <T>(promise: Promise<T>) => Promise<T>
  readonly #signal: AbortSignal | undefined
  readonly #onAbort: () => void
  /** Buffers free for the next read. */
  readonly #spare: ArrayBuffer[] = []
  #ahead: Promise<Uint8Array | undefined> | undefined
  #peeked: Uint8Array | undefined
  #bytes = 0

  constructor(stream: ReadableStream<Uint8Array>, options: BlobOptions = {}) {
    this.#reader = readerOf(stream)
    this.#observe = options.observe ?? (() => {})
    this.#wait = options.wait ?? ((promise) => promise)
    this.#signal = options.signal
    this.#onAbort = () => void this.cancel(options.signal?.reason)
    this.#signal?.addEventListener('abort', this.#onAbort, { once: true })
  }

  /** Bytes that `read` has returned. */
  get bytes(): number {
    return this.#bytes
  }

  /**
   * The next piece; undefined at the end. It belongs to the caller until `release`.
   *
   * @throws what the stream fails with, what `observe` throws, the signal's reason
   */
  async read(): Promise<Uint8Array | undefined> {
    const piece = await this.#next()
    if (piece === undefined) return undefined
    this.#bytes += piece.length
    return piece
  }

  /** Looks at the first bytes without consuming them: `count` or more, fewer only at the end. Call it before `read`. */
  async peek(bytes: number): Promise<Uint8Array> {
    let head = (await this.#next()) ?? new Uint8Array(0)
    while (head.length < bytes) {
      const piece = await this.#next()
      if (piece === undefined) break
      head = Buffer.concat([head, piece])
    }
    this.#peeked = head
    return head
  }

  /** Releases a piece: its memory is reused. */
  release(piece: Uint8Array): void {
    const { buffer } = piece
    if (buffer instanceof ArrayBuffer && buffer.byteLength === PIECE_BYTES) this.#spare.push(buffer)
  }

  /** Reads to the end, only for the observer. */
  async drain(): Promise<void> {
    for (let piece = await this.read(); piece !== undefined; piece = await this.read()) this.release(piece)
  }

  /** Stops the stream at any point; never throws. */
  async cancel(reason?: unknown): Promise<void> {
    this.#signal?.removeEventListener('abort', this.#onAbort)
    const reader = 'chunks' in this.#reader ? this.#reader.chunks : this.#reader.bytes
    await reader.cancel(reason).catch(() => {})
  }

  async #next(): Promise<Uint8Array | undefined> {
    if (this.#peeked !== undefined) {
      const peeked = this.#peeked
      this.#peeked = undefined
      if (peeked.length > 0) return peeked
    }
    const piece = await this.#wait(this.#ahead ?? this.#fetch())
    this.#ahead = piece && this.#fetch()
    // The next read, if there is one, awaits it.
    this.#ahead?.catch(() => {})
    return piece
  }

  async #fetch(): Promise<Uint8Array | undefined> {
    for (;;) {
      this.#signal?.throwIfAborted()
      const { done, value } = await this.#readOnce()
      this.#signal?.throwIfAborted()
      // A byte stream that ends within a read is done and has a value at once.
      if (value !== undefined && value.length > 0) {
        this.#observe(value)
        return value
      }
      if (done) return undefined
    }
  }

  #readOnce(): Promise<Reading> {
    if ('chunks' in this.#reader) return this.#reader.chunks.read()
    const reader = this.#reader.bytes
    const view = new Uint8Array(this.#spare.pop() ?? new ArrayBuffer(PIECE_BYTES))
    return reader.readAtLeast?.(PIECE_BYTES, view) ?? reader.read(view, { min: PIECE_BYTES })
  }
}

function readerOf(stream: ReadableStream<Uint8Array>): PieceReader {
  try {
    return { bytes: stream.getReader({ mode: 'byob' }) }
  } catch {
    return { chunks: stream.getReader() }
  }
}
