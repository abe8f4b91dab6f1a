/** What decompresses a gzip; which of the two that do depends on the runtime. */
import type { BlobReader } from '../blob.ts'

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
