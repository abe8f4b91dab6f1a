/**
 * Which package each file of an image belongs to: reads the image's package databases again, since the index does not store
 * this for each file.
 */
import { allOf } from '../../concurrency.ts'
import type { ObjectStore } from '../../host.ts'
import type { MergedEntry } from '../../image/merged-entry.ts'
import { InodeSet } from '../../image/packages/inode-set.ts'
import { type Inventory, takeInventory } from '../../image/packages/inventory.ts'
import { ShownDatabases } from '../../image/packages/shown-databases.ts'
import type { SizedPath } from '../../image/report.ts'
import { readDatabases } from '../../index/databases.ts'
import type { OpenedImage } from '../../open/open-image.ts'
import { Largest } from '../../table/largest.ts'
import { showPath } from '../../text/path.ts'
import { databasesOf, filesTable, forgettingLost, WHOLE_FETCH_BYTES } from './image-tables.ts'

const COLUMNS = ['key', 'type', 'bytes', 'link', 'layer', 'ordinal', 'offset', 'sha256', 'linked'] as const

const SIZED = ['key', 'type', 'bytes', 'layer', 'inode'] as const
const SURVEYED = ['key', 'type', 'bytes', 'layer', 'inode', 'ordinal'] as const

/** @throws LostTable if the index of a layer is missing */
export async function packageOwners(
  store: ObjectStore,
  image: OpenedImage,
): Promise<Pick<Inventory, 'typeOf' | 'packageOf' | 'owns' | 'owning'>> {
  const shown = new ShownDatabases()
  const files = await filesTable(store, image)
  for await (const rows of files.rows({ columns: COLUMNS, fetchBytes: WHOLE_FETCH_BYTES })) {
    for (const row of rows) shown.see(row)
  }
  return inventoryOf(store, image, shown)
}

/**
 * What is inside the files of an image, without the databases of package managers.
 *
 * @throws LostTable if the index of a layer is missing
 */
export function insideFiles(
  store: ObjectStore,
  image: OpenedImage,
): Promise<Pick<Inventory, 'symbolBytes' | 'jdks'>> {
  return inventoryOf(store, image, new ShownDatabases())
}

function inventoryOf(store: ObjectStore, image: OpenedImage, shown: ShownDatabases): Promise<Inventory> {
  return forgettingLost(store, image, async () => {
    const layers = await allOf(
      image.manifest.layers.map(async (_, layer) => {
        const stored = await databasesOf(store, image, layer)
        return { layer, members: readDatabases(store, stored.index, stored) }
      }),
    )
    const inventory = await takeInventory(layers, shown)
    if (!inventory.hasExamined) return inventory
    const files = await filesTable(store, image)
    for await (const rows of files.rows({ columns: SURVEYED, fetchBytes: WHOLE_FETCH_BYTES })) {
      for (const row of rows) inventory.survey(row)
    }
    inventory.finishSurvey()
    return inventory
  })
}

/**
 * Whether some package owns a regular file of the image: one of the paths of its inode.
 *
 * @throws LostTable if the index of a layer is missing
 */
export async function ownedFiles(
  store: ObjectStore,
  image: OpenedImage,
): Promise<(file: Pick<MergedEntry, 'inode'>) => boolean> {
  const owners = await packageOwners(store, image)
  const owned = new InodeSet()
  const files = await filesTable(store, image)
  const columns = ['key', 'type', 'inode'] as const
  for await (const rows of files.rows({ columns, fetchBytes: WHOLE_FETCH_BYTES })) {
    for (const { key, type, inode = 0 } of rows) if (type === 'file' && owners.owns(key)) owned.add(inode)
  }
  return ({ inode = 0 }) => owned.has(inode)
}

/**
 * The largest regular files that no package owns, in descending order, an inode once.
 *
 * @throws LostTable if the index of a layer is missing
 */
export async function largestUnowned(
  store: ObjectStore,
  image: OpenedImage,
  count: number,
): Promise<readonly SizedPath[]> {
  const isOwned = await ownedFiles(store, image)
  const seen = new InodeSet()
  const largest = new Largest<SizedPath>(count)
  let ordinal = 0
  const files = await filesTable(store, image)
  for await (const rows of files.rows({ columns: SIZED, fetchBytes: WHOLE_FETCH_BYTES })) {
    for (const { key, type, bytes, layer, inode = 0 } of rows)
      if (type === 'file' && !isOwned({ inode }) && seen.add(inode))
        largest.add(bytes, ordinal++, () => ({ ...showPath(key), bytes, layer }))
  }
  return largest.sorted().map(({ item }) => item)
}
