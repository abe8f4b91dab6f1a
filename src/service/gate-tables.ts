import type { GateTables } from '../gate/tables.ts'
import type { ObjectStore } from '../host.ts'
import { efficiencyBlamed } from '../image/efficiency.ts'
import { showWasted } from '../image/waste.ts'
import { decodeText } from '../text/bytes.ts'
import { keyToPath } from '../text/path.ts'
import type { OpenedImage } from './open.ts'
import { duplicatesOf, filesOf, membersTable, type TableRows, WHOLE_FETCH_BYTES, wasteOf } from './tables.ts'

/** What the gate reads of an analysed image. */
export function gateTables(store: ObjectStore, image: OpenedImage): GateTables {
  return {
    async *waste() {
      for await (const rows of all(await wasteOf(store, image))) yield rows.map(showWasted)
    },
    async *duplicates() {
      yield* all(await duplicatesOf(store, image, 'image'))
    },
    async *files() {
      yield* all(await filesOf(store, image))
    },
    async efficiency({ ignores, baseLayers }) {
      const indexes = image.manifest.layers.map((_, layer) => layer)
      const tables = await Promise.all(indexes.map((layer) => membersTable(store, image, layer)))
      return efficiencyBlamed(() => tables.map((table) => table.rows()), {
        ignores: (key) => ignores(decodeText(keyToPath(key)).text),
        baseLayers,
      })
    },
  }
}

function all<Row>(rows: TableRows<Row>): AsyncIterable<readonly Row[]> {
  return rows(0, WHOLE_FETCH_BYTES)
}
