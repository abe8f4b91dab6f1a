/** The references under which images were seen, for a fleet's queries to show instead of digests. */
import type { ImageIdentity } from '../image/report.ts'
import { nameKey } from '../index/keys.ts'
import type { Service } from './service.ts'

/** A folder's file systems have names of 255 bytes, of which the store needs some. */
const MAX_NAME_LENGTH = 230

/**
 * Notes the reference of an image that is about to be analysed: one put, none if it is noted already. Images that are
 * not in a registry have no name that means anything to others.
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
