/** The references of images that were seen, so that queries over a fleet can show them, and so that bases are known. */
import { chainIds } from '../../base/layers.ts'
import { baseKey, nameKey } from '../../index/keys.ts'
import type { OpenedImage } from '../../open/open-image.ts'
import type { Service } from '../../open/service.ts'

/** File systems limit names to 255 bytes, some of which the store needs. */
const MAX_NAME_LENGTH = 230

/**
 * Records the reference of an image that is about to be analysed, if it is not recorded yet; of a public one also by its layers.
 * Images outside registries have no name that means anything to others.
 */
export async function recordName(service: Service, image: OpenedImage): Promise<void> {
  const { transport, reference } = image.identity
  if (transport !== 'docker' || encodeURIComponent(reference).length > MAX_NAME_LENGTH) return
  await recordReference(service, image)
  if (image.source.isPublic) await recordBase(service, image)
}

async function recordReference({ host, memory }: Service, { identity }: OpenedImage): Promise<void> {
  const key = nameKey(identity.digest, identity.reference)
  if (memory.recorded.get(key)) return
  if (!(await host.store.has(key))) await host.store.put(key, new Uint8Array(0))
  memory.recorded.set(key, true)
}

async function recordBase({ host, memory }: Service, { identity, config }: OpenedImage): Promise<void> {
  const chain = chainIds(config.diffIds).at(-1)
  if (chain === undefined) return
  const { reference, digest, indexDigest = digest } = identity
  const key = baseKey(chain, indexDigest, reference)
  if (memory.recorded.get(key)) return
  await host.store.put(key, new Uint8Array(0))
  memory.recorded.set(key, true)
}
