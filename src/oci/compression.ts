/** Detects compression from the first bytes. */

/** The compression of a layer's blob, detected from its bytes, never from its media type. */
export type Compression = 'gzip' | 'zstd' | 'none'

/** @param head the first four bytes, or fewer at the end */
export function compressionOf(head: Uint8Array): Compression {
  const [a = 0, b = 0, c = 0, d = 0] = head
  if (a === 0x1f && b === 0x8b) return 'gzip'
  if (a === 0x28 && b === 0xb5 && c === 0x2f && d === 0xfd) return 'zstd'
  // A skippable frame, with which zstd:chunked and some encoders begin.
  if (a >= 0x50 && a <= 0x5f && b === 0x2a && c === 0x4d && d === 0x18) return 'zstd'
  return 'none'
}
