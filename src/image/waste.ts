/** Files that a layer stores and the merged file system does not show. */
import type { ObjectStore } from '../host.ts'
import { choice, int32, int64, optional, path } from '../table/column.ts'
import { SortedRows } from '../table/external-sort.ts'
import { type Columns, defineSchema } from '../table/schema.ts'
import { writeTable } from '../table/write-table.ts'
import { showPath } from '../text/path.ts'
import type { HiddenFile } from './merge.ts'
import type { Waste, WastedFile, WasteReason, WasteSum } from './report.ts'

/** A wasted file in its table. */
export type WastedRow = Omit<HiddenFile, 'linked'>

const REASONS: readonly WasteReason[] = ['removed', 'replaced', 'metadataOnly']

const COLUMNS: Columns<WastedRow> = {
  key: path('path'),
  bytes: int64('bytes'),
  layer: int32('layer'),
  reason: choice('reason', REASONS),
  byLayer: int32('by_layer'),
}

/** `waste.parquet`: largest first, then in path order. */
export const WASTED_FILES = defineSchema<WastedRow>(COLUMNS)

const HIDDEN_FILES = defineSchema<HiddenFile>({ ...COLUMNS, linked: optional(int32('linked')) })

export function showWasted({ key, bytes, layer, reason, byLayer }: WastedRow): WastedFile {
  return { ...showPath(key), bytes, layer, reason, byLayer }
}

/** What is wasted, in total and by layer. */
export type WasteTotals = { readonly waste: Waste; readonly bytesByLayer: readonly number[] }

/** Collects the hidden files as they are found, and writes those that are waste when everything is known. */
export class WasteFinder {
  readonly #store: ObjectStore
  readonly #hidden: SortedRows<HiddenFile>

  constructor(store: ObjectStore) {
    this.#store = store
    this.#hidden = new SortedRows(store, {
      schema: HIDDEN_FILES,
      compare: compareHidden,
      weigh: ({ key }) => key.length,
    })
  }

  add(files: readonly HiddenFile[]): Promise<void> {
    return this.#hidden.addAll(files)
  }

  /**
   * @param key of the table
   * @param wasteOf the fate of a hidden file: undefined if a hard link still shows it
   */
  async write(
    key: string,
    layers: number,
    wasteOf: (file: HiddenFile) => WastedRow | undefined,
  ): Promise<WasteTotals> {
    const sums = { removed: sum(), replaced: sum(), metadataOnly: sum() }
    const bytesByLayer = new Array<number>(layers).fill(0)
    async function* wasted(
      hidden: AsyncIterable<readonly HiddenFile[]>,
    ): AsyncGenerator<readonly WastedRow[]> {
      for await (const batch of hidden) {
        const rows = batch.flatMap((file) => wasteOf(file) ?? [])
        for (const { bytes, layer, reason } of rows) {
          sums[reason].bytes += bytes
          sums[reason].files++
          bytesByLayer[layer] = (bytesByLayer[layer] ?? 0) + bytes
        }
        yield rows
      }
    }
    await writeTable(this.#store, key, WASTED_FILES, wasted(this.#hidden.sorted()))
    const { removed, replaced, metadataOnly } = sums
    const bytes = removed.bytes + replaced.bytes + metadataOnly.bytes
    const files = removed.files + replaced.files + metadataOnly.files
    return { waste: { bytes, files, ...sums }, bytesByLayer }
  }

  async delete(): Promise<void> {
    await this.#hidden.delete()
  }
}

function sum(): { -readonly [Name in keyof WasteSum]: number } {
  return { bytes: 0, files: 0 }
}

function compareHidden(a: HiddenFile, b: HiddenFile): number {
  return b.bytes - a.bytes || (a.key < b.key ? -1 : a.key > b.key ? 1 : a.layer - b.layer)
}
