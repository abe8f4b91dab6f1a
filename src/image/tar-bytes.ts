import { Problem } from '../problem.ts'

/**
 * The size of the uncompressed tars, for those who cannot do without.
 *
 * @throws Problem `size_unknown` if a layer is known from a table of contents that does not say it
 */
export function knownTarBytes({ uncompressedBytes }: { readonly uncompressedBytes?: number }): number {
  if (uncompressedBytes !== undefined) return uncompressedBytes
  throw new Problem(
    'size_unknown',
    'the uncompressed size is not known: neither the manifest nor the table of contents says it; ask with read=full',
  )
}
