/** gzip (RFC 1952) of any number of members, with zero bytes after the last, as GNU gzip reads it. */
import { Problem } from '../../problem.ts'
import type { BlobReader } from '../blob.ts'
import { HandleInflater, handleWorks } from './inflate-handle.ts'
import { StreamInflater } from './inflate-stream.ts'
import { refuseTrailing } from './trailing.ts'

/** One gzip, from a source's first byte to the end of its last member. */
export interface Inflater {
  /**
   * Pieces of output, each valid until the next is asked for.
   *
   * @throws zlib's errors, the source's errors
   */
  inflate(source: BlobReader): AsyncGenerator<Uint8Array>
  /** Input that was read and not taken: after the end, what stands behind the last member. */
  readonly rest: Uint8Array
  close(): void
}

let isHandleGood: boolean | undefined

function createInflater(): Inflater {
  isHandleGood ??= handleWorks()
  return isHandleGood ? new HandleInflater() : new StreamInflater()
}

/**
 * Inflates what `source` has left. A piece is valid until the next is asked for.
 *
 * @param inflater the fastest that works on this runtime, unless a test chooses
 * @throws Problem `invalid_image` with the place in the blob; the source's errors
 */
export async function* gunzip(
  source: BlobReader,
  inflater: Inflater = createInflater(),
): AsyncGenerator<Uint8Array> {
  try {
    yield* inflater.inflate(source)
  } catch (error) {
    throw refusal(error, source.bytes, source.bytes - inflater.rest.length)
  } finally {
    inflater.close()
  }
  await refuseTrailing(source, inflater.rest)
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
