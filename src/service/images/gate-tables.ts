/** What the gate reads about an analysed image. */
import type { GateTables } from '../../gate/tables.ts'
import type { ObjectStore } from '../../host.ts'
import { efficiencyBlamed } from '../../image/efficiency.ts'
import type { ImageFacts } from '../../image/report.ts'
import { storedPaths } from '../../image/stored-paths.ts'
import { showWasted } from '../../image/waste.ts'
import type { OpenedImage } from '../../open/open-image.ts'
import { decodeText } from '../../text/bytes.ts'
import { keyToPath } from '../../text/path.ts'
import { adviceOf } from './advice.ts'
import {
  duplicatesOf,
  filesOf,
  filesTable,
  membersTable,
  type TableRows,
  WHOLE_FETCH_BYTES,
  wasteOf,
} from './image-tables.ts'

type Checked = {
  readonly image: OpenedImage
  readonly facts: ImageFacts
  /** The base image, if one is named. */
  readonly base: OpenedImage | undefined
}

export function gateTables(store: ObjectStore, { image, facts, base }: Checked): GateTables {
  const members = () =>
    Promise.all(image.manifest.layers.map((_, layer) => membersTable(store, image, layer)))
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
    async *stored() {
      yield* storedPaths((await members()).map((table) => table.rows()))
    },
    async isShown(key) {
      const table = await filesTable(store, image)
      for await (const rows of table.rows(table.at(key))) {
        for (const row of rows) if (row.key === key) return row.implicit !== true
      }
      return false
    },
    async efficiency({ ignores, baseLayers }) {
      const tables = await members()
      return efficiencyBlamed(() => tables.map((table) => table.rows()), {
        ignores: (key) => ignores(decodeText(keyToPath(key)).text),
        baseLayers,
      })
    },
    advice: (exclusion) => adviceOf(store, { image, facts }, exclusion, base),
  }
}

function all<Row>(rows: TableRows<Row>): AsyncIterable<readonly Row[]> {
  return rows(0, WHOLE_FETCH_BYTES)
}
