/** Which package each file of an image is of: its databases read again, since nothing of it is stored for each file. */
import { allOf } from '../concurrency.ts'
import type { ObjectStore } from '../host.ts'
import { type Inventory, takeInventory } from '../image/packages/inventory.ts'
import { ShownDatabases } from '../image/packages/shown-databases.ts'
import { readDatabases } from '../index/databases.ts'
import { readLayerFacts, readTableFacts } from '../index/layer-index.ts'
import type { OpenedImage } from './open.ts'
import { filesTable, layerIndexOf, WHOLE_FETCH_BYTES } from './tables.ts'

const COLUMNS = ['key', 'type', 'bytes', 'link', 'layer', 'ordinal', 'offset', 'sha256', 'linked'] as const

/** A layer whose index is gone tells nothing of its packages. */
export async function packageOwners(
  store: ObjectStore,
  image: OpenedImage,
): Promise<Pick<Inventory, 'typeOf'>> {
  const shown = new ShownDatabases()
  const files = await filesTable(store, image)
  for await (const rows of files.rows({ columns: COLUMNS, fetchBytes: WHOLE_FETCH_BYTES })) {
    for (const row of rows) shown.see(row)
  }
  const layers = await allOf(
    image.manifest.layers.map(async (_, layer) => {
      const index = await layerIndexOf(store, image, layer)
      const isContent = index === image.manifest.layers[layer]?.digest
      const facts = await (isContent ? readLayerFacts : readTableFacts)(store, index)
      return { layer, members: readDatabases(store, index, facts?.databases ?? 0) }
    }),
  )
  return takeInventory(layers, shown)
}
