/** The references of images that were seen, so that queries over a fleet can show them instead of digests. */
import type { ImageIdentity } from '../image/report.ts'
import { nameKey } from '../index/keys.ts'
import type { Service } from './service.ts'

/** File systems limit names to 255 bytes, some of which the store needs. */
const MAX_NAME_LENGTH = 230

/**
 * Records the reference of an image that is about to be analysed: one put, or none if it is already recorded. Images outside
 * registries have no name that means anything to others.
 */
export async function noteName(
  { host, memory }: Service,
  { transport, digest, reference }: Pick<ImageIdentity, 'transport' | 'digest' | 'reference'>,
): Promise<void> {
  if (transport !== 'docker' || encodeURIComponent(reference).length > MAX_NAME_LENGTH) return
  const key = nameKey(digest, reference)
  if (memory.noted.get(key)) return
  if (!(await host.store.has(key))) await host.store.put(key, new Uint8Array(0))
  memory.noted.set(key, true)
}
