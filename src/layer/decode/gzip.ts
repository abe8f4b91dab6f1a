/** gzip (RFC 1952) of any number of members, with zero bytes after the last, as GNU gzip reads it. */
import { constants, createGunzip, type Gunzip } from 'node:zlib'
import { Problem } from '../../problem.ts'
import type { BlobReader } from '../blob.ts'
import { refuseTrailing } from './trailing.ts'

/** Of one piece of output, in bytes: measured as the best on both hosts. */
const PIECE = 256 * 1024
const NOTHING = new Uint8Array(0)

/** Inflates what `source` has left. A piece is valid until the next is asked for. */
export async function* gunzip(source: BlobReader): AsyncGenerator<Uint8Array> {
  const inflater = new Inflater()
  try {
    for (;;) {
      const input = await source.read()
      inflater.take(input)
      for (let piece = inflater.next(); piece.length > 0; piece = inflater.next()) yield piece
      if (input === undefined) return
      if (inflater.rest.length > 0) break
      source.release(input)
    }
  } catch (error) {
    throw refusal(error, source.bytes, source.bytes - inflater.rest.length)
  } finally {
    inflater.close()
  }
  await refuseTrailing(source, inflater.rest)
}

/**
 * What a stream of zlib works with. Neither Node nor workerd documents it, both have it and call it like this for their
 * synchronous functions. The stream around it takes new memory for each piece of output, which costs a fifth of all the time.
 */
type Handle = {
  writeSync(
    flush: number,
    input: Uint8Array,
    inputAt: number,
    inputBytes: number,
    output: Uint8Array,
    outputAt: number,
    outputBytes: number,
  ): void
}
type Insides = {
  readonly _handle: Handle
  /** After a write: the bytes of output that are free, those of input that are left. */
  readonly _writeState: readonly [number, number]
}

/** zlib, into one buffer again and again. */
class Inflater {
  readonly #stream: Gunzip & Insides = withInsides(createGunzip())
  readonly #output = new Uint8Array(PIECE)
  #flush: number = constants.Z_NO_FLUSH
  #rest: Uint8Array = NOTHING
  /** Whether the last piece of output had room for more. */
  #isHungry = false

  constructor() {
    // What goes wrong is thrown by `next`.
    this.#stream.on('error', () => {})
  }

  /** Input that was given and not taken: after `next` gave nothing, what stands behind the last member. */
  get rest(): Uint8Array {
    return this.#rest
  }

  /** @param input undefined at the end: nothing may be missing then */
  take(input: Uint8Array | undefined): void {
    if (input === undefined) this.#flush = constants.Z_FINISH
    this.#rest = input ?? NOTHING
    this.#isHungry = false
  }

  /**
   * The next piece of output; empty when more input is wanted, or the gzip has ended.
   *
   * @throws zlib's error
   */
  next(): Uint8Array {
    if (this.#isHungry) return NOTHING
    const { _handle, _writeState } = this.#stream
    const input = this.#rest
    _handle.writeSync(this.#flush, input, 0, input.length, this.#output, 0, PIECE)
    if (this.#stream.errored) throw this.#stream.errored
    const [free, left] = _writeState
    this.#rest = input.subarray(input.length - left)
    this.#isHungry = free > 0
    return this.#output.subarray(0, PIECE - free)
  }

  close(): void {
    this.#stream.destroy()
  }
}

function withInsides(stream: Gunzip): Gunzip & Insides {
  if (!hasInsides(stream)) throw new Error('zlib works in another way here')
  return stream
}

function hasInsides(stream: Gunzip): stream is Gunzip & Insides {
  return '_handle' in stream && '_writeState' in stream
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
