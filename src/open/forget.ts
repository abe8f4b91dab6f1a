/** Forgets what the store knows from one source only, when that source is deleted. */
import type { ObjectStore } from '../host.ts'
import {
  CONTENT,
  imageKey,
  imagePrefix,
  layerKey,
  markerOf,
  measuredPrefix,
  provenanceKey,
  tableIndexName,
} from '../index/keys.ts'

/**
 * Forgets that a source gave these bytes, and removes the index if no other source gave them. It does so even if this source is
 * not recorded: an analysis or an earlier removal may have been killed between the record and the index. An analysis of another
 * source that has just written the index, and not yet its record, reads the layer again.
 *
 * @param origin as {@link provenanceKey} has it
 */
export async function forgetDigest(store: ObjectStore, origin: string, digest: string): Promise<void> {
  await Promise.all(CONTENT.map((kind) => store.delete(provenanceKey(kind, digest, origin))))
  if (await isKnownElsewhere(store, digest)) return
  // What is known from the layer's tables of contents, another source may have given: see `forgetTable`.
  await store.delete(layerKey(digest, 'entries.parquet'))
  for await (const key of store.list(measuredPrefix(digest))) await store.delete(key)
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
export type TocBlob = { readonly table: string; readonly blob: string }

/** Like {@link forgetDigest}, for a layer known only from its table of contents. */
export async function forgetTable(
  store: ObjectStore,
  origin: string,
  { table, blob }: TocBlob,
): Promise<void> {
  await store.delete(provenanceKey('layer', table, origin))
  if (await isKnownElsewhere(store, table)) return
  const index = tableIndexName(blob, table)
  await deleteIndex(store, layerKey(index, ''), layerKey(index, 'entries.parquet'))
}

async function isKnownElsewhere(store: ObjectStore, digest: string): Promise<boolean> {
  for (const kind of CONTENT) for await (const _ of store.list(provenanceKey(kind, digest, ''))) return true
  return false
}
