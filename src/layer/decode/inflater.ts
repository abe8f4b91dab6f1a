/** What decompresses a gzip stream; the runtime decides which of the two implementations is used. */
import type { BlobPieces } from '../blob.ts'

/** Size of the largest chunk that a decoder gives, in bytes: measured as the best on both hosts. */
export const CHUNK_BYTES = 256 * 1024

/** A place in a gzip stream at which reading can start. */
export type BlockStart = {
  /** Position in the blob of the first byte with bits of the block. */
  readonly blobOffset: number
  /** Position of the block in that byte, from the lowest bit. */
  readonly bit: number
  /** Position of the block's content in the uncompressed tar. */
  readonly tarOffset: number
  /** The bytes of the tar before it, as many as a block can refer to: a view that is valid during the call. */
  readonly window: Uint8Array
  /** The window has zeros for the bytes to which no block refers; otherwise too little was at hand to tell. */
  readonly isReduced: boolean
}

/** Learns while a blob is decompressed where reading it can begin. Offsets increase from call to call. */
export interface StartSink {
  /** Whether it wants the next start of a block. Called very often, so it must be fast. */
  wantsBlock(blobOffset: number, tarOffset: number): boolean
  block(start: BlockStart): void
  /** A gzip member or a zstd frame begins: nothing before it is needed. */
  start(blobOffset: number, tarOffset: number): void
  /** How many bytes of the blob gave how many of the tar. */
  mark(blobOffset: number, tarOffset: number): void
}

/** One gzip stream, from a source's first byte to the end of its last member. */
export interface Inflater {
  /**
   * Pieces of output, each valid until the next is requested.
   *
   * @param places receives the places where reading can start, if this inflater knows them
   * @throws zlib's errors, the source's errors
   */
  inflate(source: Pick<BlobPieces, 'read' | 'release'>, places?: StartSink): AsyncGenerator<Uint8Array>
  /** Input that was read but not consumed; after the end, what follows the last member. */
  readonly rest: Uint8Array
  close(): void
}
