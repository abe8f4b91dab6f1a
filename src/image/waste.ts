/** Files that a layer stores and the merged file system does not show. */
import type { ObjectStore } from '../host.ts'
import { choice, int32, int64, optional, path } from '../table/column.ts'
import { SortedRows } from '../table/external-sort.ts'
import { type Columns, defineSchema } from '../table/schema.ts'
import { showPath } from '../text/path.ts'
import { encodeSmallTable } from './image.ts'
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

/** Largest first, then in path order. */
export const WASTED_FILES = defineSchema<WastedRow>(COLUMNS)

const HIDDEN_FILES = defineSchema<HiddenFile>({ ...COLUMNS, linked: optional(int32('linked')) })

export function showWasted({ key, bytes, layer, reason, byLayer }: WastedRow): WastedFile {
  return { ...showPath(key), bytes, layer, reason, byLayer }
}

/** What is wasted, in total and by layer. */
export type WasteTotals = { readonly waste: Waste; readonly bytesByLayer: readonly number[] }

/** Collects the hidden files as they are found, and writes those that are waste when everything is known. */
export class WasteFinder {
  readonly #hidden: SortedRows<HiddenFile>
  readonly #sums = { removed: sum(), replaced: sum(), metadataOnly: sum() }
  readonly #bytesByLayer: number[]

  /** @param layers how many there are */
  constructor(store: ObjectStore, layers: number) {
    this.#bytesByLayer = new Array<number>(layers).fill(0)
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
   * The table; when it is made the totals are known.
   *
   * @param index name of the image's index
   * @param wasteOf the fate of a hidden file: undefined if a hard link still shows it
   */
  table(index: string, wasteOf: (file: HiddenFile) => WastedRow | undefined): AsyncGenerator<Uint8Array> {
    return encodeSmallTable(index, { name: 'waste', schema: WASTED_FILES }, this.#wasted(wasteOf))
  }

  get totals(): WasteTotals {
    const { removed, replaced, metadataOnly } = this.#sums
    const bytes = removed.bytes + replaced.bytes + metadataOnly.bytes
    const files = removed.files + replaced.files + metadataOnly.files
    return { waste: { bytes, files, ...this.#sums }, bytesByLayer: this.#bytesByLayer }
  }

  async delete(): Promise<void> {
    await this.#hidden.delete()
  }

  async *#wasted(wasteOf: (file: HiddenFile) => WastedRow | undefined): AsyncGenerator<readonly WastedRow[]> {
    for await (const batch of this.#hidden.sorted()) {
      const rows = batch.flatMap((file) => wasteOf(file) ?? [])
      for (const { bytes, layer, reason } of rows) {
        this.#sums[reason].bytes += bytes
        this.#sums[reason].files++
        this.#bytesByLayer[layer] = (this.#bytesByLayer[layer] ?? 0) + bytes
      }
      yield rows
    }
  }
}

function sum(): { -readonly [Name in keyof WasteSum]: number } {
  return { bytes: 0, files: 0 }
}

function compareHidden(a: HiddenFile, b: HiddenFile): number {
  return b.bytes - a.bytes || (a.key < b.key ? -1 : a.key > b.key ? 1 : a.layer - b.layer)
}
