/** gzip (RFC 1952) of any number of members, with zero bytes after the last, as GNU gzip reads it. */
import { Problem } from '../../problem.ts'
import type { BlobReader } from '../blob.ts'
import { HandleInflater, handleWorks } from './inflate-handle.ts'
import { StreamInflater } from './inflate-stream.ts'
import type { Inflater } from './inflater.ts'
import { refuseTrailing } from './trailing.ts'

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
