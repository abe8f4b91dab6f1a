/** Files with the same content: of the merged file system, or of all layers. */

import { z } from 'zod'
import type { ObjectStore } from '../host.ts'
import { int32, int64, json, mapped, path, sha256 } from '../table/column.ts'
import { SortedRows } from '../table/external-sort.ts'
import { defineSchema } from '../table/schema.ts'
import { type ByteString, compareText, toHex } from '../text/bytes.ts'
import { type PathKey, showPath } from '../text/path.ts'
import { encodeSmallTable, type SmallTable } from './image.ts'
import type { DuplicateGroup } from './report.ts'

const PATHS_OF_A_GROUP = 50

type ShownPaths = DuplicateGroup['paths']

const shownPaths: z.ZodType<ShownPaths> = z.array(
  z.object({ path: z.string(), pathBase64: z.string().exactOptional() }),
)

/** Of the merged file system, and of all layers: the largest waste first, then by digest. */
export const DUPLICATES = defineSchema<DuplicateGroup>({
  sha256: mapped(sha256('sha256'), fromHex, toHex),
  bytes: int64('bytes'),
  count: int32('count'),
  wastedBytes: int64('wasted_bytes'),
  paths: json('paths', (value) => shownPaths.parse(value)),
})

/** A file whose content may occur more than once. */
export type Copy = { readonly sha256: ByteString; readonly bytes: number; readonly key: PathKey }

export type DuplicateTotals = { readonly groups: number; readonly wastedBytes: number }

const COPIES = defineSchema<Copy>({ sha256: sha256('sha256'), bytes: int64('bytes'), key: path('path') })

/** Collects the files that may be duplicates according to `RepeatedContents`, and writes the actual groups. */
export class Duplicates {
  readonly #store: ObjectStore
  readonly #copies: SortedRows<Copy>
  #groups = 0
  #wastedBytes = 0

  constructor(store: ObjectStore) {
    this.#store = store
    this.#copies = new SortedRows(store, {
      schema: COPIES,
      compare: compareCopies,
      weigh: ({ key }) => key.length,
    })
  }

  /** @param copies each inode, or each member, once; in any order */
  add(copies: readonly Copy[]): Promise<void> {
    return this.#copies.addAll(copies)
  }

  /**
   * The table; when it is made the totals are known.
   *
   * @param index name of the image's index
   */
  async *table(
    index: string,
    name: Extract<SmallTable, 'duplicates' | 'layerDuplicates'>,
  ): AsyncGenerator<Uint8Array> {
    const found = new SortedRows(this.#store, {
      schema: DUPLICATES,
      compare: compareGroups,
      weigh: weighGroup,
    })
    try {
      for await (const groups of groupsOf(this.#copies.sorted())) {
        this.#groups += groups.length
        for (const group of groups) this.#wastedBytes += group.wastedBytes
        await found.addAll(groups)
      }
      yield* encodeSmallTable(index, { name, schema: DUPLICATES }, found.sorted())
    } finally {
      await found.delete()
    }
  }

  get totals(): DuplicateTotals {
    return { groups: this.#groups, wastedBytes: this.#wastedBytes }
  }

  async delete(): Promise<void> {
    await this.#copies.delete()
  }
}

/** @param batches by digest, then in path order */
async function* groupsOf(batches: AsyncIterable<readonly Copy[]>): AsyncGenerator<readonly DuplicateGroup[]> {
  let open: { first: Copy; count: number; paths: PathKey[] } | undefined
  const close = (): DuplicateGroup[] => {
    if (open === undefined || open.count < 2) return []
    const { count, paths } = open
    const { sha256, bytes } = open.first
    return [
      { sha256: toHex(sha256), bytes, count, wastedBytes: bytes * (count - 1), paths: paths.map(showPath) },
    ]
  }
  for await (const batch of batches) {
    const groups: DuplicateGroup[] = []
    for (const copy of batch) {
      if (open?.first.sha256 === copy.sha256) {
        open.count++
        if (open.paths.length < PATHS_OF_A_GROUP) open.paths.push(copy.key)
        continue
      }
      groups.push(...close())
      open = { first: copy, count: 1, paths: [copy.key] }
    }
    yield groups
  }
  yield close()
}

function compareCopies(a: Copy, b: Copy): number {
  return compareText(a.sha256, b.sha256) || compareText(a.key, b.key)
}

function weighGroup({ paths }: DuplicateGroup): number {
  return paths.reduce((bytes, { path }) => bytes + path.length, 0)
}

function compareGroups(a: DuplicateGroup, b: DuplicateGroup): number {
  return b.wastedBytes - a.wastedBytes || compareText(a.sha256, b.sha256)
}

function fromHex(hex: string): ByteString {
  return Buffer.from(hex, 'hex').toString('latin1')
}
