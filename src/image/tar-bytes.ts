/** Refuses an image whose uncompressed size is unknown, where that size is required. */
import { Problem } from '../problem.ts'

/**
 * The size of the uncompressed tars, for callers that cannot do without it.
 *
 * @throws Problem `size_unknown` if a layer is known from a table of contents that does not say it
 */
export function knownTarBytes({ uncompressedBytes }: { readonly uncompressedBytes?: number }): number {
  if (uncompressedBytes !== undefined) return uncompressedBytes
  throw new Problem(
    'size_unknown',
    'the uncompressed size is unknown: neither the manifest nor the table of contents has it; use read=full',
  )
}
