/** Each directory of an image with the sums of its subtree, sorted so that siblings are adjacent. */
import type { ObjectStore } from '../host.ts'
import { int32, int64, path } from '../table/column.ts'
import { SortedRows } from '../table/external-sort.ts'
import { type Columns, defineSchema } from '../table/schema.ts'
import { compareText } from '../text/bytes.ts'
import { parentKey } from '../text/path.ts'
import { encodeSmallTable } from './image.ts'
import { LargestPaths } from './largest.ts'
import type { DirectorySum } from './merge.ts'
import type { SizedPath } from './report.ts'

const COLUMNS: Columns<DirectorySum> = {
  key: path('path'),
  bytes: int64('bytes'),
  files: int32('files'),
  start: int32('start_row'),
  end: int32('end_row'),
}

/** By parent, then by path; the root, which is its own parent, comes first. */
export const DIRECTORIES = defineSchema<DirectorySum>(COLUMNS, { sortKey: ({ key }) => parentKey(key) })

const UNSORTED = defineSchema<DirectorySum>(COLUMNS)

/** Collects the directories with their sums, and writes their table. */
export class DirectoryFinder {
  readonly #sums: SortedRows<DirectorySum>
  readonly #largest = new LargestPaths()

  constructor(store: ObjectStore) {
    this.#sums = new SortedRows(store, {
      schema: UNSORTED,
      compare: compareByParent,
      weigh: ({ key }) => key.length,
    })
  }

  add(sums: readonly DirectorySum[]): Promise<void> {
    for (const { key, bytes } of sums) if (key !== '') this.#largest.add({ key, bytes })
    return this.#sums.addAll(sums)
  }

  /** The table. @param index name of the image's index */
  table(index: string): AsyncGenerator<Uint8Array> {
    return encodeSmallTable(index, { name: 'directories', schema: DIRECTORIES }, this.#sums.sorted())
  }

  largest(): readonly SizedPath[] {
    return this.#largest.list()
  }

  async delete(): Promise<void> {
    await this.#sums.delete()
  }
}

function compareByParent(a: DirectorySum, b: DirectorySum): number {
  return compareText(parentKey(a.key), parentKey(b.key)) || compareText(a.key, b.key)
}
