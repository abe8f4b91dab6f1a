/** How an image's layers are stored, which decides whether what a pull transfers is known. */
import type { Compression } from '../oci/compression.ts'

export type Stored = 'compressed' | 'uncompressed' | 'mixed'

export function storedAs(layers: readonly { readonly compression: Compression }[]): Stored {
  const plain = layers.filter(({ compression }) => compression === 'none').length
  if (plain === 0) return 'compressed'
  return plain === layers.length ? 'uncompressed' : 'mixed'
}

/**
 * Whether the compressed size is what a pull transfers: a registry sends its layers as they are, but what an archive or an
 * engine stores uncompressed is compressed only by a push.
 */
export function isPullKnown(image: { readonly transport: string }, stored: Stored): boolean {
  return stored === 'compressed' || image.transport === 'docker'
}

/** In place of a size to pull that is not known. */
export const UNKNOWN_PULL = 'unknown until it is pushed'
