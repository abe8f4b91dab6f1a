/** Decompresses a layer's blob: its first bytes tell the compression. */
import type { WasmModules } from '../../host.ts'
import { type Compression, compressionOf } from '../../oci/compression.ts'
import type { BlobReader } from '../blob.ts'
import { gunzip } from './gzip.ts'
import type { PlaceSink } from './inflater.ts'
import { unzstd } from './zstd.ts'

export type Decoded = {
  readonly compression: Compression
  /** The uncompressed tar. A chunk is valid until the next is requested. */
  readonly chunks: AsyncGenerator<Uint8Array>
}

export type DecodeOptions = {
  readonly wasm: WasmModules
  /** Largest window of a zstd frame, in bytes. */
  readonly zstdWindow: number
  /** Receives the places where reading a compressed blob can begin. */
  readonly places?: PlaceSink | undefined
}

/**
 * Bytes that are neither gzip nor zstd count as a plain tar; no bytes count as an empty one.
 *
 * @throws Problem, as do the chunks: `invalid_image` for a stream that is truncated, corrupt or followed by other than
 *   zeros, `too_large` for a zstd window past the limit; each with the place in the blob
 */
export async function decode(blob: BlobReader, options: DecodeOptions): Promise<Decoded> {
  const compression = compressionOf(await blob.peek(4))
  switch (compression) {
    case 'gzip':
      return { compression, chunks: gunzip(blob, { places: options.places }) }
    case 'zstd': {
      const module = await options.wasm('zstd')
      return {
        compression,
        chunks: unzstd(blob, { module, maxWindow: options.zstdWindow, places: options.places }),
      }
    }
    case 'none':
      return { compression, chunks: plain(blob) }
  }
}

async function* plain(blob: BlobReader): AsyncGenerator<Uint8Array> {
  for (let piece = await blob.read(); piece !== undefined; piece = await blob.read()) {
    yield piece
    blob.release(piece)
  }
}
