/** Chunks: where in the blob a table of contents places the content of a file. */
import type { ByteString } from '../../text/bytes.ts'

/**
 * A file with more chunks is not read: they are held in memory while it is. 20 GiB in the chunks of containers/storage are
 * fewer.
 */
export const MAX_FILE_CHUNKS = 262_144

/** One piece of a file's content. */
export type Chunk = {
  readonly bytes: number
  /** Undefined if the table does not have it: then only the file's own digest is checked. */
  readonly sha256: ByteString | undefined
}

/** Where a chunk begins. */
export type ChunkStart = {
  /** Position in the blob of the gzip member or zstd frame that contains it. */
  readonly blobOffset: number
  /** Position of the chunk in the content of that member or frame. */
  readonly inner: number
  /** Where the member or frame ends, if the table says so; else the next one begins there. */
  readonly blobEnd: number | undefined
}

/** All of a file's content. Its chunks are contiguous, also in the content of the blob's members or frames. */
export type FileChunks = Pick<ChunkStart, 'blobOffset' | 'inner'> & {
  readonly blobEnd: number
  readonly chunks: readonly Chunk[]
}

/** Keeps the chunks of a layer's files, each by its number. */
export interface ChunkSink {
  /** How many it has stored. */
  readonly count: number
  add(chunk: Chunk & ChunkStart): void
  /** Called repeatedly; a slow store slows down the layer. */
  flush(): void | Promise<void>
}

/** For readers that need the chunks of only a few files. */
export class NoChunks implements ChunkSink {
  count = 0

  add(): void {
    this.count++
  }

  flush(): void {}
}
