/** Unpacks a layer's blob: its first bytes tell how it is packed. */
import type { WasmModules } from '../../host.ts'
import type { BlobReader } from '../blob.ts'
import { gunzip } from './gzip.ts'
import { unzstd } from './zstd.ts'

/** How a layer's blob is packed, told by its bytes and never by its media type. */
export type Compression = 'gzip' | 'zstd' | 'none'

export type Decoded = {
  readonly compression: Compression
  /** The uncompressed tar. A chunk is valid until the next is asked for. */
  readonly chunks: AsyncGenerator<Uint8Array>
}

export type DecodeOptions = {
  readonly wasm: WasmModules
  /** Largest window of a zstd frame, in bytes. */
  readonly zstdWindow: number
}

/**
 * Bytes that are neither gzip's nor zstd's are taken for a plain tar; no bytes at all are an empty one.
 *
 * @throws Problem, as do the chunks: `invalid_image` for a stream that is truncated, corrupt or followed by other than
 *   zeros, `too_large` for a zstd window past the limit; each with the place in the blob
 */
export async function decode(blob: BlobReader, options: DecodeOptions): Promise<Decoded> {
  const compression = compressionOf(await blob.peek(4))
  switch (compression) {
    case 'gzip':
      return { compression, chunks: gunzip(blob) }
    case 'zstd': {
      const module = await options.wasm('zstd')
      return { compression, chunks: unzstd(blob, { module, maxWindow: options.zstdWindow }) }
    }
    case 'none':
      return { compression, chunks: plain(blob) }
  }
}

function compressionOf(head: Uint8Array): Compression {
  const [a = 0, b = 0, c = 0, d = 0] = head
  if (a === 0x1f && b === 0x8b) return 'gzip'
  if (a === 0x28 && b === 0xb5 && c === 0x2f && d === 0xfd) return 'zstd'
  // A skippable frame, as zstd:chunked and some encoders begin with.
  if (a >= 0x50 && a <= 0x5f && b === 0x2a && c === 0x4d && d === 0x18) return 'zstd'
  return 'none'
}

async function* plain(blob: BlobReader): AsyncGenerator<Uint8Array> {
  for (let piece = await blob.read(); piece !== undefined; piece = await blob.read()) {
    yield piece
    blob.release(piece)
  }
}
