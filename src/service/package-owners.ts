/**
 * Which package each file of an image belongs to: reads the image's package databases again, since the index does not store
 * this for each file.
 */
import { allOf } from '../concurrency.ts'
import type { ObjectStore } from '../host.ts'
import { type Inventory, takeInventory } from '../image/packages/inventory.ts'
import { ShownDatabases } from '../image/packages/shown-databases.ts'
import { readDatabases } from '../index/databases.ts'
import type { OpenedImage } from './open.ts'
import { databasesOf, filesTable, forgettingLost, WHOLE_FETCH_BYTES } from './tables.ts'

const COLUMNS = ['key', 'type', 'bytes', 'link', 'layer', 'ordinal', 'offset', 'sha256', 'linked'] as const

/** @throws LostTable if the index of a layer is missing */
export async function packageOwners(
  store: ObjectStore,
  image: OpenedImage,
): Promise<Pick<Inventory, 'typeOf' | 'packageOf'>> {
  const shown = new ShownDatabases()
  const files = await filesTable(store, image)
  for await (const rows of files.rows({ columns: COLUMNS, fetchBytes: WHOLE_FETCH_BYTES })) {
    for (const row of rows) shown.see(row)
  }
  return forgettingLost(store, image, async () => {
    const layers = await allOf(
      image.manifest.layers.map(async (_, layer) => {
        const stored = await databasesOf(store, image, layer)
        return { layer, members: readDatabases(store, stored.index, stored) }
      }),
    )
    return takeInventory(layers, shown)
  })
}
