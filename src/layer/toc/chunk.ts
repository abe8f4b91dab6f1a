/** Chunks: where a table of contents says that the content of a file stands in the blob. */
import type { ByteString } from '../../text/bytes.ts'

/** A file in more chunks is not read: they are held while it is. 20 GiB in the chunks of containers/storage are fewer. */
export const MAX_FILE_CHUNKS = 262_144

/** One piece of a file's content. */
export type Chunk = {
  readonly bytes: number
  /** Undefined if the table does not say it: then the file's own digest has to do. */
  readonly sha256: ByteString | undefined
}

/** Where a chunk begins. */
export type ChunkStart = {
  /** Of the gzip member or zstd frame that holds it, in the blob. */
  readonly blobOffset: number
  /** Of the chunk in what that member or frame holds. */
  readonly inner: number
  /** Where the member or frame ends, where the table says it; else the next one begins there. */
  readonly blobEnd: number | undefined
}

/** All of a file's content. Its chunks follow each other, also in what the blob's members or frames hold. */
export type FileChunks = Pick<ChunkStart, 'blobOffset' | 'inner'> & {
  readonly blobEnd: number
  readonly chunks: readonly Chunk[]
}

/** Keeps the chunks of a layer's files, each by its number. */
export interface ChunkSink {
  /** How many it has taken. */
  readonly count: number
  add(chunk: Chunk & ChunkStart): void
  /** Called again and again; a slow store holds up the layer. */
  flush(): void | Promise<void>
}

/** For those who want the chunks of a few files alone. */
export class NoChunks implements ChunkSink {
  count = 0

  add(): void {
    this.count++
  }

  flush(): void {}
}
