/** gzip (RFC 1952) of any number of members, with zero bytes after the last, as GNU gzip reads it. */
import { createGunzip, type Gunzip } from 'node:zlib'
import { Problem } from '../problem.ts'
import type { BlobReader } from './blob.ts'
import { refuseTrailing } from './trailing.ts'

/** Of one piece of output, in bytes: measured as the best on both hosts. */
const PIECE = 256 * 1024

/**
 * Inflates what `source` has left. In Node that happens on another thread, one piece ahead of the reader.
 *
 * @throws Problem `invalid_image` with the place in the blob
 */
export async function* gunzip(source: BlobReader): AsyncGenerator<Uint8Array> {
  const inflater = createGunzip({ chunkSize: PIECE })
  const feeder = new Feeder(source, inflater)
  const feeding = feeder.run()
  try {
    for await (const piece of inflater) {
      // Not as a Buffer, whose slice() is no copy.
      yield new Uint8Array(piece.buffer, piece.byteOffset, piece.length)
      free(piece)
    }
  } catch (error) {
    throw refusal(error, source.bytes, inflater.bytesWritten)
  } finally {
    inflater.destroy()
  }
  await feeding
  await refuseTrailing(source, feeder.rest(inflater.bytesWritten))
}

/**
 * zlib takes a new buffer for each piece, and V8 lets some 64 MB of them gather before it looks. A buffer that was filled to
 * its end is used no more, so its memory goes back at once.
 */
function free(piece: Uint8Array): void {
  const { buffer, byteOffset, length } = piece
  const isLast = buffer.byteLength === PIECE && byteOffset + length === PIECE
  if (isLast && buffer instanceof ArrayBuffer) buffer.transfer(0)
}

/** Writes the blob into the inflater, each piece when the one before is taken. */
class Feeder {
  readonly #source: BlobReader
  readonly #inflater: Gunzip
  #piece: Uint8Array = new Uint8Array(0)
  #taken: () => void = () => {}

  constructor(source: BlobReader, inflater: Gunzip) {
    this.#source = source
    this.#inflater = inflater
    // zlib stops at zeros after a member, and then never says that it took them.
    inflater.once('end', () => this.#taken())
    inflater.once('close', () => this.#taken())
    inflater.on('error', () => {})
  }

  /** Never throws: what the source fails with comes out of the inflater. */
  async run(): Promise<void> {
    try {
      for (;;) {
        const piece = await this.#source.read()
        if (this.#isOver) return
        if (piece === undefined) break
        this.#piece = piece
        await new Promise<void>((resolve) => {
          this.#taken = resolve
          this.#inflater.write(piece, () => resolve())
        })
        if (this.#isOver) return
        this.#source.release(piece)
      }
      this.#inflater.end()
    } catch (error) {
      this.#inflater.destroy(error instanceof Error ? error : new Error(String(error)))
    }
  }

  /** What the inflater left of the piece that it was given last. */
  rest(consumed: number): Uint8Array {
    const left = this.#source.bytes - consumed
    return left > 0 ? this.#piece.subarray(this.#piece.length - left) : new Uint8Array(0)
  }

  get #isOver(): boolean {
    return this.#inflater.destroyed || this.#inflater.readableEnded
  }
}

function refusal(error: unknown, read: number, consumed: number): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  switch (code) {
    case 'Z_BUF_ERROR':
      return new Problem('invalid_image', `the gzip stream ends in the middle, at byte ${read} of the blob`)
    case 'Z_DATA_ERROR':
    case 'Z_NEED_DICT': {
      const reason = error instanceof Error ? error.message : ''
      return new Problem(
        'invalid_image',
        `the gzip stream is corrupt (${reason}) between bytes ${consumed} and ${read} of the blob`,
      )
    }
    default:
      return error
  }
}
