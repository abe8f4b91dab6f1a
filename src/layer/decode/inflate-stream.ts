/** Inflates gzip through zlib's public stream: slower than its handle, but the same on every runtime. */
import { createGunzip } from 'node:zlib'
import type { BlobPieces } from '../blob.ts'
import { CHUNK_BYTES, type Inflater } from './inflater.ts'

const NOTHING = new Uint8Array(0)

export class StreamInflater implements Inflater {
  readonly #stream = createGunzip({ chunkSize: CHUNK_BYTES })
  /** Bytes of input before the current piece. */
  #before = 0
  #piece: Uint8Array = NOTHING

  get rest(): Uint8Array {
    return this.#piece.subarray(this.#stream.bytesWritten - this.#before)
  }

  async *inflate(source: Pick<BlobPieces, 'read' | 'release'>): AsyncGenerator<Uint8Array> {
    const fed = this.#feed(source)
    for await (const piece of this.#stream) yield piece
    await fed
  }

  close(): void {
    this.#stream.destroy()
  }

  /** Feeds the stream, as fast as it accepts input. Never rejects: the source's error goes to the stream. */
  async #feed(source: Pick<BlobPieces, 'read' | 'release'>): Promise<void> {
    try {
      for (let piece = await source.read(); piece !== undefined; piece = await source.read()) {
        this.#piece = piece
        await this.#write(piece)
        // The gzip has ended, and zlib accepts no more. Whatever follows is not for this stream.
        if (this.rest.length > 0 || this.#stream.destroyed) return
        this.#before += piece.length
        this.#piece = NOTHING
        source.release(piece)
      }
      this.#stream.end()
    } catch (error) {
      this.#stream.destroy(error instanceof Error ? error : new Error(String(error)))
    }
  }

  /** Resolves when the stream has consumed the piece, has ended within it, or was closed. */
  #write(piece: Uint8Array): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const settle = () => resolve()
    this.#stream.once('close', settle).once('end', settle)
    this.#stream.write(piece, settle)
    return promise.finally(() => this.#stream.off('close', settle).off('end', settle))
  }
}
