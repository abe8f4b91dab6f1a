/** The tables of an analysed image: rows from any row on, fetched in chunks. */

import type { ObjectStore } from '../host.ts'
import { DIRECTORIES } from '../image/directories.ts'
import { DUPLICATES } from '../image/duplicates.ts'
import { readImageFacts } from '../image/image.ts'
import type { DirectorySum } from '../image/merge.ts'
import type { MergedEntry } from '../image/merged-entry.ts'
import { MERGED_ENTRIES } from '../image/merged-entry.ts'
import { PACKAGES } from '../image/package-table.ts'
import type { DatabaseLayer } from '../image/packages/stored-inventory.ts'
import type { DuplicateGroup, Package } from '../image/report.ts'
import { WASTED_FILES, type WastedRow } from '../image/waste.ts'
import { databasesIn } from '../index/databases.ts'
import { ENTRIES } from '../index/entries.ts'
import { type ImageObject, imageKey, layerKey, markerOf } from '../index/keys.ts'
import { readLayerFacts, readTableFacts } from '../index/layer-index.ts'
import type { Entry } from '../layer/entry.ts'
import { Problem } from '../problem.ts'
import type { Schema } from '../table/schema.ts'
import { LostTable, openTable, type Table } from '../table/table.ts'
import { layerIndexName } from './layers.ts'
import type { OpenedImage } from './open.ts'

/** How many bytes to fetch at once when a whole table is read. */
export const WHOLE_FETCH_BYTES = 512 * 1024

export type TableRows<Row> = (start: number, fetchBytes?: number) => AsyncIterable<readonly Row[]>

export async function filesOf(store: ObjectStore, image: OpenedImage): Promise<TableRows<MergedEntry>> {
  return rowsOf(await filesTable(store, image))
}

/** @throws Problem `invalid_parameter` if the image has no such layer */
export async function membersOf(
  store: ObjectStore,
  image: OpenedImage,
  layer: number,
): Promise<TableRows<Entry>> {
  return rowsOf(await membersTable(store, image, layer))
}

export async function wasteOf(store: ObjectStore, image: OpenedImage): Promise<TableRows<WastedRow>> {
  return rowsOf(await imageTable(store, image, 'waste.parquet', WASTED_FILES))
}

/** @param scope the merged file system, or all layers including what later ones hide */
export async function duplicatesOf(
  store: ObjectStore,
  image: OpenedImage,
  scope: 'image' | 'layers',
): Promise<TableRows<DuplicateGroup>> {
  const object = scope === 'image' ? 'duplicates.parquet' : 'layer-duplicates.parquet'
  return rowsOf(await imageTable(store, image, object, DUPLICATES))
}

export async function packagesOf(store: ObjectStore, image: OpenedImage): Promise<TableRows<Package>> {
  return rowsOf(await imageTable(store, image, 'packages.parquet', PACKAGES))
}

export function filesTable(store: ObjectStore, image: OpenedImage): Promise<Table<MergedEntry>> {
  return imageTable(store, image, 'files.parquet', MERGED_ENTRIES)
}

export function directoriesTable(store: ObjectStore, image: OpenedImage): Promise<Table<DirectorySum>> {
  return imageTable(store, image, 'directories.parquet', DIRECTORIES)
}

/** @throws Problem `invalid_parameter` if the image has no such layer */
export async function membersTable(
  store: ObjectStore,
  image: OpenedImage,
  layer: number,
): Promise<Table<Entry>> {
  const key = layerKey(await layerIndexOf(store, image, layer), 'entries.parquet')
  return present(store, image, { key, schema: ENTRIES })
}

function imageTable<Row>(
  store: ObjectStore,
  image: OpenedImage,
  object: ImageObject,
  schema: Schema<Row>,
): Promise<Table<Row>> {
  return present(store, image, { key: imageKey(image.index, object), schema })
}

/**
 * If a table turns out to be missing or damaged, now or while its rows are read, its image or layer counts as not indexed once
 * the problem is answered (`LostTable.forget`): the next request rebuilds it.
 *
 * @throws LostTable if the table is missing or damaged, though its image is known
 */
async function present<Row>(
  store: ObjectStore,
  image: OpenedImage,
  { key, schema }: { readonly key: string; readonly schema: Schema<Row> },
): Promise<Table<Row>> {
  const onLost = () => forget(store, image, key)
  const table = await openTable(store, key, schema, onLost)
  if (table === undefined) throw new LostTable(key, 'missing', onLost)
  return table
}

/** The same for readers that do not use this file's functions. */
export async function forgettingLost<T>(
  store: ObjectStore,
  image: OpenedImage,
  read: () => Promise<T>,
): Promise<T> {
  try {
    return await read()
  } catch (error) {
    if (!(error instanceof LostTable)) throw error
    const { key } = error
    throw new LostTable(key, 'missing or damaged', () => forget(store, image, key))
  }
}

async function forget(store: ObjectStore, image: OpenedImage, key: string): Promise<void> {
  image.forgetFacts()
  await store.delete(markerOf(key))
  await store.delete(imageKey(image.index, 'image.json'))
}

/**
 * A layer's index as the image uses it, and how many package databases are stored with it.
 *
 * @throws LostTable if it is missing
 */
export async function databasesOf(
  store: ObjectStore,
  image: OpenedImage,
  layer: number,
): Promise<DatabaseLayer> {
  const index = await layerIndexOf(store, image, layer)
  const isContent = index === image.manifest.layers[layer]?.digest
  const facts = await (isContent ? readLayerFacts : readTableFacts)(store, index)
  if (facts === undefined) throw new LostTable(layerKey(index, 'entries.parquet'), 'missing or damaged')
  return { ...databasesIn(facts), index }
}

function rowsOf<Row>(table: Table<Row>): TableRows<Row> {
  // A page usually ends within the first group that it reads.
  return (start, fetchBytes = 0) =>
    table.rows({ start, fetchBytes, ahead: fetchBytes > 0 ? 'next' : 'later' })
}

/**
 * The name of the index that the image uses for this layer.
 *
 * @throws Problem `invalid_parameter` if the image has no such layer
 */
export async function layerIndexOf(
  store: ObjectStore,
  { manifest, index, read }: OpenedImage,
  layer: number,
): Promise<string> {
  const descriptor = manifest.layers[layer]
  if (descriptor !== undefined) {
    if (read === 'full') return descriptor.digest
    const kept = await readImageFacts(store, index)
    const facts = kept !== undefined && 'facts' in kept ? kept.facts : undefined
    return layerIndexName(descriptor, facts?.layers[layer]?.verified)
  }
  const { length } = manifest.layers
  const detail =
    length === 0
      ? 'the image has no layers'
      : `the image has ${length} ${length === 1 ? 'layer (0)' : `layers (0 to ${length - 1})`}`
  throw new Problem('invalid_parameter', `layer ${layer} does not exist; ${detail}`, { parameter: 'layer' })
}
