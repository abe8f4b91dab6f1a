/** `files.parquet`: the merged file system of an image. */

import { ENTRY_COLUMNS, SHA256_COLUMN } from '../index/entries.ts'
import { defineSchema } from '../index/schema.ts'
import { flag, int32, optional } from '../table/column.ts'
import type { MergedEntry } from './merged-entry.ts'

/** Sorted by key; each path stands there once. */
export const MERGED_ENTRIES = defineSchema<MergedEntry>(
  {
    ...ENTRY_COLUMNS,
    layer: int32('layer'),
    inode: optional(int32('inode')),
    implicit: optional(flag('implicit')),
    sha256: SHA256_COLUMN,
  },
  { sortKey: (row) => row.key },
)
