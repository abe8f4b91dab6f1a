/** Limits the uncompressed size of a layer, against small blobs that expand without end. */
import type { Limits } from '../configuration.ts'
import { Problem } from '../problem.ts'

/** How many uncompressed bytes a layer may have, and the setting that says so: an image's limit also applies to each layer. */
export type ByteLimit = { readonly bytes: number; readonly setting: string }

export function byteLimit(limits: Limits): ByteLimit {
  return limits.layerBytes <= limits.imageBytes
    ? { bytes: limits.layerBytes, setting: 'LAMINA_MAX_LAYER_BYTES' }
    : { bytes: limits.imageBytes, setting: 'LAMINA_MAX_IMAGE_BYTES' }
}

/** @throws Problem `too_large` */
export function enforce(limit: ByteLimit, uncompressedBytes: number): void {
  if (uncompressedBytes <= limit.bytes) return
  throw new Problem(
    'too_large',
    `the uncompressed layer has more than ${limit.bytes} bytes (${limit.setting}), at byte ${limit.bytes} of the uncompressed tar`,
  )
}
