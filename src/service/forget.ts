/** Forgets what the store knows from one source only, when that source is deleted. */
import { inParallel } from '../concurrency.ts'
import type { ObjectStore } from '../host.ts'
import {
  GIVEN,
  givenKey,
  imageKey,
  imagePrefix,
  layerKey,
  layerPrefix,
  markerOf,
  tableIndexName,
} from '../index/keys.ts'

const DIGESTS_AT_ONCE = 8

/**
 * Forgets that a source gave these bytes, and removes the index if no other source gave them.
 *
 * @param origin as {@link givenKey} has it
 */
export async function forgetOrigin(
  store: ObjectStore,
  origin: string,
  digests: ReadonlySet<string>,
): Promise<void> {
  await inParallel([...digests], DIGESTS_AT_ONCE, async (digest) => {
    // Bytes that this source never gave may just be being indexed from another one.
    const noted = await Promise.all(GIVEN.map((kind) => store.has(givenKey(kind, digest, origin))))
    if (noted.some(Boolean)) await forgetDigest(store, origin, digest)
  })
}

/** Like {@link forgetOrigin}, even if the source is not recorded yet: for the job that was indexing the bytes. */
export async function forgetDigest(store: ObjectStore, origin: string, digest: string): Promise<void> {
  await Promise.all(GIVEN.map((kind) => store.delete(givenKey(kind, digest, origin))))
  if (await isKnownElsewhere(store, digest)) return
  await deleteIndex(store, layerPrefix(digest), layerKey(digest, 'entries.parquet'))
  await deleteIndex(store, imagePrefix(digest), imageKey(digest, 'packages.parquet'))
}

/**
 * The objects that mark others as complete go first: a concurrent reader must not take the rest for complete. They go last, too:
 * meanwhile another source may have given the same bytes, and its analysis may have written them again.
 *
 * @param marker the one of the index itself; there may be others below the prefix, of indexes made from tables of contents
 */
async function deleteIndex(store: ObjectStore, prefix: string, marker: string): Promise<void> {
  const keys = await Array.fromAsync(store.list(prefix))
  const markers = new Set([marker, ...keys.map(markerOf)])
  const others = keys.filter((key) => !markers.has(key))
  for (const key of [...markers, ...others, ...markers]) await store.delete(key)
}

/** A layer known from its table of contents: digests of the table and of the layer's blob. */
export type TabledBlob = { readonly table: string; readonly blob: string }

/** Like {@link forgetOrigin}, for what is known from tables of contents only. */
export async function forgetTables(
  store: ObjectStore,
  origin: string,
  layers: readonly TabledBlob[],
): Promise<void> {
  await inParallel(layers, DIGESTS_AT_ONCE, async (layer) => {
    if (await store.has(givenKey('layer', layer.table, origin))) await forgetTable(store, origin, layer)
  })
}

/** Like {@link forgetDigest}, for a layer known only from its table of contents. */
export async function forgetTable(
  store: ObjectStore,
  origin: string,
  { table, blob }: TabledBlob,
): Promise<void> {
  await store.delete(givenKey('layer', table, origin))
  if (await isKnownElsewhere(store, table)) return
  const index = tableIndexName(blob, table)
  await deleteIndex(store, layerKey(index, ''), layerKey(index, 'entries.parquet'))
}

async function isKnownElsewhere(store: ObjectStore, digest: string): Promise<boolean> {
  for (const kind of GIVEN) for await (const _ of store.list(givenKey(kind, digest, ''))) return true
  return false
}
