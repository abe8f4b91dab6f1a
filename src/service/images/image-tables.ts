/** The tables of an analysed image: rows from any row on, fetched in chunks. */

import type { ObjectStore } from '../../host.ts'
import { DIRECTORIES } from '../../image/directories.ts'
import { DUPLICATES } from '../../image/duplicates.ts'
import { openSmallTable, type SmallTable, smallTableKey } from '../../image/image.ts'
import type { DirectorySum } from '../../image/merge.ts'
import type { MergedEntry } from '../../image/merged-entry.ts'
import { MERGED_ENTRIES } from '../../image/merged-entry.ts'
import { PACKAGES } from '../../image/package-table.ts'
import type { DatabaseLayer } from '../../image/packages/stored-inventory.ts'
import type { DuplicateGroup, Package } from '../../image/report.ts'
import { WASTED_FILES, type WastedRow } from '../../image/waste.ts'
import { databasesIn } from '../../index/databases.ts'
import { ENTRIES } from '../../index/entries.ts'
import { imageKey, layerKey, markerOf } from '../../index/keys.ts'
import { readLayerFacts, readTocFacts } from '../../index/layer-index.ts'
import type { Entry } from '../../layer/entry.ts'
import { layerIndexName } from '../../open/layer-indexes.ts'
import type { OpenedImage } from '../../open/open-image.ts'
import { Problem } from '../../problem.ts'
import type { Schema } from '../../table/schema.ts'
import { LostTable, openTable, type Table } from '../../table/table.ts'

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
  return rowsOf(await smallTable(store, image, 'waste', WASTED_FILES))
}

/** @param scope the merged file system, or all layers including what later ones hide */
export async function duplicatesOf(
  store: ObjectStore,
  image: OpenedImage,
  scope: 'image' | 'layers',
): Promise<TableRows<DuplicateGroup>> {
  const name = scope === 'image' ? 'duplicates' : 'layerDuplicates'
  return rowsOf(await smallTable(store, image, name, DUPLICATES))
}

export async function packagesOf(store: ObjectStore, image: OpenedImage): Promise<TableRows<Package>> {
  const key = imageKey(image.index, 'packages.parquet')
  return rowsOf(await present(store, image, { key, schema: PACKAGES }))
}

export function filesTable(store: ObjectStore, image: OpenedImage): Promise<Table<MergedEntry>> {
  return present(store, image, { key: imageKey(image.index, 'files.parquet'), schema: MERGED_ENTRIES })
}

export function directoriesTable(store: ObjectStore, image: OpenedImage): Promise<Table<DirectorySum>> {
  return smallTable(store, image, 'directories', DIRECTORIES)
}

/** @throws Problem `invalid_parameter` if the image has no such layer */
export async function membersTable(
  store: ObjectStore,
  image: OpenedImage,
  layer: number,
): Promise<Table<Entry>> {
  const key = layerKey(await layerIndexOf(image, layer), 'entries.parquet')
  return present(store, image, { key, schema: ENTRIES })
}

/** @throws LostTable as {@link present} */
async function smallTable<Row>(
  store: ObjectStore,
  image: OpenedImage,
  name: SmallTable,
  schema: Schema<Row>,
): Promise<Table<Row>> {
  const { index } = image
  const key = smallTableKey(index, name)
  const onLost = () => forget(store, image, key)
  const part = (await image.analysed(index))?.tables[name]
  const table = part && (await openSmallTable(store, index, { name, part, schema }, onLost))
  if (table === undefined) throw new LostTable(key, 'missing', onLost)
  return table
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
  await store.delete(imageKey(image.index, 'packages.parquet'))
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
  const index = await layerIndexOf(image, layer)
  const isContent = index === image.manifest.layers[layer]?.digest
  const facts = await (isContent ? readLayerFacts : readTocFacts)(store, index)
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
  { manifest, index, read, analysed }: OpenedImage,
  layer: number,
): Promise<string> {
  const descriptor = manifest.layers[layer]
  if (descriptor !== undefined) {
    if (read === 'full') return descriptor.digest
    const known = await analysed(index)
    return layerIndexName(descriptor, known?.facts.layers[layer]?.verified)
  }
  const { length } = manifest.layers
  const detail =
    length === 0
      ? 'the image has no layers'
      : `the image has ${length} ${length === 1 ? 'layer (0)' : `layers (0 to ${length - 1})`}`
  throw new Problem('invalid_parameter', `layer ${layer} does not exist; ${detail}`, { parameter: 'layer' })
}
