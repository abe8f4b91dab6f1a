/** What an image's layers have at one path: each version of a file, whiteouts included. */
import { inParallel } from '../../concurrency.ts'
import type { ObjectStore } from '../../host.ts'
import { ENTRIES } from '../../index/entries.ts'
import type { Entry } from '../../layer/entry.ts'
import type { OpenedImage } from '../../open/open-image.ts'
import { plainRow } from '../../table/table.ts'
import { baseName, type PathKey, parentKey } from '../../text/path.ts'
import { membersTable } from './image-tables.ts'

export type FileVersion = { readonly layer: number; readonly entry: Entry }

const AT_ONCE = 8

/** The lowest layer first; if a layer has several members of that name, the last one, which counts. */
export async function versionsOf(
  store: ObjectStore,
  image: OpenedImage,
  key: PathKey,
): Promise<readonly FileVersion[]> {
  const layers = [...image.manifest.layers.keys()]
  const found = await inParallel(layers, AT_ONCE, async (layer) => {
    const entry = await lastAt(store, image, layer, key)
    return entry === undefined ? [] : [{ layer, entry }]
  })
  return found.flat()
}

async function lastAt(
  store: ObjectStore,
  image: OpenedImage,
  layer: number,
  key: PathKey,
): Promise<Entry | undefined> {
  const above = parentKey(key)
  const whiteout = `${above === '' ? '' : `${above}\0`}.wh.${baseName(key)}`
  const table = await membersTable(store, image, layer)
  let last: Entry | undefined
  // A whiteout sorts at the path that it hides, but has another name.
  for await (const rows of table.rows(table.at(key))) {
    for (const row of rows) if (row.key === key || row.key === whiteout) last = plainRow(ENTRIES, row)
  }
  return last
}
