/** gzip (RFC 1952) with any number of members, and zero bytes after the last, as GNU gzip reads it. */
import { Problem } from '../../problem.ts'
import type { BlobPieces } from '../blob.ts'
import type { BitStart } from './block-start.ts'
import { HandleInflater, handleWorks } from './inflate-handle.ts'
import { StreamInflater } from './inflate-stream.ts'
import type { Inflater, StartSink } from './inflater.ts'
import { refuseTrailing } from './trailing.ts'

let isHandleGood: boolean | undefined

function createInflater(): Inflater {
  return canResumeGzip() ? new HandleInflater() : new StreamInflater()
}

export type GunzipOptions = {
  /** The fastest that works on this runtime, unless a test chooses. */
  readonly inflater?: Inflater
  /** Receives the places where reading can start, if the inflater knows them. */
  readonly places?: StartSink | undefined
}

/**
 * Inflates the rest of `source`. A piece is valid until the next is requested.
 *
 * @throws Problem `invalid_image` with the place in the blob; the source's errors
 */
export async function* gunzip(source: BlobPieces, options: GunzipOptions = {}): AsyncGenerator<Uint8Array> {
  const { inflater = createInflater(), places } = options
  yield* refused(source, inflater, inflater.inflate(source, places))
  await refuseTrailing(source, inflater.rest)
}

/** Whether this runtime can begin in the middle of a gzip stream. */
export function canResumeGzip(): boolean {
  isHandleGood ??= handleWorks()
  return isHandleGood
}

/**
 * Inflates from a block in the middle of a gzip stream. The checksum of its member also covers what precedes the block, so it
 * is not checked.
 *
 * @param source begins with the first byte that has bits of the block
 * @throws Problem `invalid_image` with the place in the source; the source's errors
 */
export async function* resumeGunzip(
  source: BlobPieces,
  start: Omit<BitStart, 'byte'>,
): AsyncGenerator<Uint8Array> {
  const inflater = new HandleInflater()
  yield* refused(source, inflater, resumed(source, inflater, start))
}

async function* resumed(
  source: BlobPieces,
  inflater: HandleInflater,
  start: Omit<BitStart, 'byte'>,
): AsyncGenerator<Uint8Array> {
  const first = await source.read()
  const [byte] = first ?? []
  if (byte === undefined) return
  inflater.resume({ ...start, byte })
  let behind = first?.subarray(1)
  yield* inflater.inflate({
    read: async () => {
      const piece = behind?.length === 0 ? undefined : behind
      behind = undefined
      return piece ?? source.read()
    },
    release: (piece) => source.release(piece),
  })
}

async function* refused(
  source: BlobPieces,
  inflater: Inflater,
  pieces: AsyncGenerator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  try {
    yield* pieces
  } catch (error) {
    throw refusal(error, source.bytes, source.bytes - inflater.rest.length)
  } finally {
    inflater.close()
  }
}

function refusal(error: unknown, read: number, consumed: number): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  switch (code) {
    case 'Z_BUF_ERROR':
      return new Problem('invalid_image', `the gzip stream is truncated: it ends at byte ${read} of the blob`)
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
