/** What the store knows from one source alone goes with that source. */
import { inParallel } from '../concurrency.ts'
import type { ObjectStore } from '../host.ts'
import { configKey, imagePrefix, layerPrefix, manifestKey, sourceKey } from '../index/keys.ts'

const DIGESTS_AT_ONCE = 8

/**
 * Forgets that a source gave these bytes, and removes the index of what no other source gave.
 *
 * @param origin as `sources/` names it
 */
export async function forgetOrigin(
  store: ObjectStore,
  origin: string,
  digests: ReadonlySet<string>,
): Promise<void> {
  await inParallel([...digests], DIGESTS_AT_ONCE, async (digest) => {
    const mark = sourceKey(digest, origin)
    if (!(await store.has(mark))) return
    await store.delete(mark)
    if (await isKnownElsewhere(store, digest)) return
    for (const prefix of [layerPrefix(digest), imagePrefix(digest)])
      for await (const key of store.list(prefix)) await store.delete(key)
    await store.delete(manifestKey(digest))
    await store.delete(configKey(digest))
  })
}

async function isKnownElsewhere(store: ObjectStore, digest: string): Promise<boolean> {
  for await (const _ of store.list(sourceKey(digest, ''))) return true
  return false
}
