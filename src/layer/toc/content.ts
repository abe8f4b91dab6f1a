/** The content of a file, read from the chunks that a table of contents lists. */
import { createHash } from 'node:crypto'
import { WorkBudget } from '../../concurrency.ts'
import type { Limits } from '../../configuration.ts'
import type { WasmModules } from '../../host.ts'
import type { ByteString } from '../../text/bytes.ts'
import { BlobReader } from '../blob.ts'
import { decode } from '../decode/decode.ts'
import type { Chunk, FileChunks } from './chunk.ts'
import { invalidTable } from './verified-toc.ts'

export type ChunkedFile = Pick<FileChunks, 'inner' | 'chunks'> & {
  /** The blob from the first chunk on. */
  readonly stream: ReadableStream<Uint8Array>
  readonly limits: Limits
  readonly wasm: WasmModules
  readonly signal?: AbortSignal | undefined
}

/**
 * Copies of the content's pieces; the stream is cancelled after the last one. Each chunk with a digest is verified before its
 * last piece is delivered.
 *
 * @throws Problem `invalid_image` if the blob is not what the table says
 */
export async function* readChunks(file: ChunkedFile): AsyncGenerator<Uint8Array> {
  const { stream, wasm, limits, signal, inner, chunks } = file
  const source = new BlobReader(stream, { signal })
  const work = new WorkBudget()
  const verifier = new ChunkVerifier(chunks)
  let before = inner
  try {
    const decoded = await decode(source, { wasm, zstdWindow: limits.zstdWindow })
    for await (const chunk of decoded.chunks) {
      if (work.isDue(chunk.length)) await work.yield()
      const passed = Math.min(before, chunk.length)
      before -= passed
      for (let rest = chunk.subarray(passed); rest.length > 0; ) {
        const piece = verifier.take(rest)
        yield piece.slice()
        if (verifier.isDone) return
        rest = rest.subarray(piece.length)
      }
    }
    throw invalidTable('the blob ends before the content that it lists for a file').with({ permanent: false })
  } finally {
    await source.cancel()
  }
}

/** Splits the input into chunks, and verifies each. */
class ChunkVerifier {
  readonly #chunks: readonly Chunk[]
  #index = 0
  #left: number
  #hash = createHash('sha256')

  constructor(chunks: readonly Chunk[]) {
    this.#chunks = chunks
    this.#left = chunks[0]?.bytes ?? 0
  }

  get isDone(): boolean {
    return this.#index >= this.#chunks.length
  }

  /** @returns as many bytes as belong to the current chunk */
  take(bytes: Uint8Array): Uint8Array {
    const piece = bytes.subarray(0, this.#left)
    const { sha256 } = this.#chunks[this.#index] ?? {}
    if (sha256 !== undefined) this.#hash.update(piece)
    this.#left -= piece.length
    if (this.#left === 0) this.#next(sha256)
    return piece
  }

  #next(sha256: ByteString | undefined): void {
    if (sha256 !== undefined && this.#hash.digest('binary') !== sha256)
      throw invalidTable(`chunk ${this.#index} of a file has another digest than it lists`).with({
        permanent: false,
      })
    if (sha256 !== undefined) this.#hash = createHash('sha256')
    this.#index++
    this.#left = this.#chunks[this.#index]?.bytes ?? 0
  }
}
