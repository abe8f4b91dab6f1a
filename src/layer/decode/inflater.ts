/** What decompresses a gzip; which of the two that do depends on the runtime. */
import type { BlobReader } from '../blob.ts'

/** A place in a gzip at which reading can start. */
export type BlockStart = {
  /** Of the first byte with bits of the block, in the blob. */
  readonly blobOffset: number
  /** Of that byte's bits, from the lowest. */
  readonly bit: number
  /** Of the block's content, in the uncompressed tar. */
  readonly tarOffset: number
  /** The bytes of the tar before it, as many as the block can refer to: a view that is valid during the call. */
  readonly window: Uint8Array
}

/** Learns while a blob is decompressed where its reading can begin. Offsets grow from call to call. */
export interface PlaceSink {
  /** Whether it wants the next start of a block. Asked again and again, so it takes no time. */
  wantsBlock(blobOffset: number, tarOffset: number): boolean
  block(start: BlockStart): void
  /** A member of a gzip or a frame of zstd begins: nothing before it is needed. */
  start(blobOffset: number, tarOffset: number): void
  /** How many bytes of the blob yielded how many of the tar. */
  mark(blobOffset: number, tarOffset: number): void
}

/** One gzip, from a source's first byte to the end of its last member. */
export interface Inflater {
  /**
   * Pieces of output, each valid until the next is asked for.
   *
   * @param places receives the places where reading can start, if this inflater knows them
   * @throws zlib's errors, the source's errors
   */
  inflate(source: Pick<BlobReader, 'read' | 'release'>, places?: PlaceSink): AsyncGenerator<Uint8Array>
  /** Input that was read but not consumed; after the end, what follows the last member. */
  readonly rest: Uint8Array
  close(): void
}
