/** Decompresses a layer's blob: its first bytes tell the compression. */
import type { WasmModules } from '../../host.ts'
import { type Compression, compressionOf } from '../../oci/compression.ts'
import type { BlobPieces, BlobReader } from '../blob.ts'
import { CheckpointRecorder, type CheckpointSink } from './checkpoints.ts'
import { gunzip } from './gzip.ts'
import { unzstd } from './zstd.ts'
import type { ZstdMemory } from './zstd-memory.ts'

export type Decoded = {
  readonly compression: Compression
  /** The uncompressed tar. A chunk is valid until the next is requested. */
  readonly chunks: AsyncGenerator<Uint8Array>
}

export type DecodeOptions = {
  readonly wasm: WasmModules
  /** Largest window of a zstd frame, in bytes. */
  readonly zstdWindow: number
  /** What zstd may take; by default that of layers and their files. */
  readonly zstdMemory?: ZstdMemory
  /** Receives the checkpoints of a compressed blob; it has all of them when the chunks have ended. */
  readonly checkpoints?: Pick<CheckpointSink, 'add'> | undefined
}

/** {@link decode}, or something that does the same elsewhere. */
export type Decode = (blob: BlobReader, options: DecodeOptions) => Promise<Decoded>

/**
 * Bytes that are neither gzip nor zstd count as a plain tar; no bytes count as an empty one.
 *
 * @throws Problem, as do the chunks: `invalid_image` for a stream that is truncated, corrupt or followed by other than
 *   zeros, `too_large` for a zstd window past the limit; each with the place in the blob
 */
export async function decode(blob: BlobReader, options: DecodeOptions): Promise<Decoded> {
  const compression = compressionOf(await blob.peek(4))
  const chunks = compression === 'none' ? plainChunks(blob) : decompress(blob, compression, options)
  return { compression, chunks }
}

/** The chunks of {@link decode}, if the compression is known. */
export async function* decompress(
  blob: BlobPieces,
  compression: Exclude<Compression, 'none'>,
  { wasm, zstdWindow, zstdMemory: memory, checkpoints }: DecodeOptions,
): AsyncGenerator<Uint8Array> {
  const places = checkpoints && new CheckpointRecorder(checkpoints)
  if (compression === 'gzip') yield* gunzip(blob, { places })
  else yield* unzstd(blob, { module: await wasm('zstd'), maxWindow: zstdWindow, memory, places })
  places?.finish()
}

/** The chunks of an uncompressed blob. */
export async function* plainChunks(blob: BlobPieces): AsyncGenerator<Uint8Array> {
  for (let piece = await blob.read(); piece !== undefined; piece = await blob.read()) {
    yield piece
    blob.release(piece)
  }
}
