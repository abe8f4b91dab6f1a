import type { Host } from '../host.ts'
import type { FoundFile } from '../image/lookup.ts'
import { openMember } from '../layer/member.ts'
import { Problem } from '../problem.ts'
import type { OpenedImage } from './open.ts'

/**
 * A file's bytes, read from its layer's blob at the registry again; the stream fails before its end where they are not
 * those that the index knows.
 */
export async function openContent(
  { configuration, wasm }: Host,
  { source, manifest }: OpenedImage,
  { layer, offset, bytes, sha256 }: FoundFile,
): Promise<ReadableStream<Uint8Array>> {
  const descriptor = manifest.layers[layer]
  if (descriptor === undefined)
    throw new Problem('internal_error', 'the index refers to a layer that does not exist')
  const blob = await source.blob(descriptor)
  return openMember(blob, { offset, bytes, sha256, limits: configuration.limits, wasm })
}
