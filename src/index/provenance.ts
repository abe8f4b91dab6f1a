/** Manifests and configs in the store. */
import type { ObjectStore } from '../host.ts'
import { digestOf } from '../oci/digest.ts'
import { provenanceKey, type SourceContent } from './keys.ts'

export type ContentProvenance = {
  readonly kind: Exclude<SourceContent, 'layer'>
  readonly digest: string
  /** The origin, as in {@link provenanceKey}. */
  readonly origin: string
}

/**
 * The bytes that a source gave.
 *
 * @param limit in bytes: a larger object counts as missing, and so does one with another digest
 */
export async function readSourceContent(
  store: ObjectStore,
  { kind, digest, origin }: ContentProvenance,
  limit: number,
): Promise<Uint8Array | undefined> {
  const object = await store.get(provenanceKey(kind, digest, origin))
  if (object === undefined) return undefined
  if (object.size > limit) {
    await object.body.cancel()
    return undefined
  }
  const bytes = new Uint8Array(await new Response(object.body).arrayBuffer())
  return digestOf(bytes) === digest ? bytes : undefined
}
