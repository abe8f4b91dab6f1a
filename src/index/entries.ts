/** `entries.parquet`: the members of a layer. */

import { type Entry, sortKey, type Whiteout } from '../layer/entry.ts'
import {
  type Column,
  choice,
  int32,
  int64,
  mapped,
  optional,
  path,
  sha256,
  sha256Start,
  string,
  text,
  timestamp,
} from '../table/column.ts'
import { type Columns, defineSchema } from '../table/schema.ts'
import { MEMBER_TYPES } from '../tar/member.ts'
import type { ByteString } from '../text/bytes.ts'
import { formatXattrs, parseXattrs } from './xattrs.ts'

const WHITEOUTS: readonly Whiteout[] = ['file', 'opaque', 'aufs']

/** As `major:minor`. */
const device: Column<readonly [major: number, minor: number]> = mapped(
  string('device'),
  ([major, minor]) => `${major}:${minor}`,
  (stored) => {
    const [major = 0, minor = 0] = stored.split(':').map(Number)
    return [major, minor]
  },
)

const xattrs: Column<ReadonlyMap<ByteString, ByteString>> = mapped(
  string('xattrs'),
  formatXattrs,
  parseXattrs,
)

/**
 * All columns of an entry except `sha256`, then that one: it takes most of the bytes, and is last so that readers can skip it.
 * Numbers that a tar can give more than 32 bits are 64 bits wide.
 */
export const ENTRY_COLUMNS: Columns<Omit<Entry, 'sha256'>> = {
  key: path('path'),
  type: choice('type', MEMBER_TYPES),
  bytes: int64('bytes'),
  mode: int32('mode'),
  uid: int64('uid'),
  gid: int64('gid'),
  mtime: timestamp('mtime'),
  link: optional(text('link')),
  device: optional(device),
  xattrs: optional(xattrs),
  whiteout: optional(choice('whiteout', WHITEOUTS)),
  ordinal: int32('ordinal'),
  offset: int64('offset'),
}
export const SHA256_COLUMN: Column<ByteString | undefined> = optional(sha256('sha256'))

/** Sorted by (`sortKey`, `ordinal`): a whiteout sorts at what it hides. */
export const ENTRIES = defineSchema<Entry>({ ...ENTRY_COLUMNS, sha256: SHA256_COLUMN }, { sortKey })

/** An entry with only the start of its digest, which tells most contents apart. */
export type BriefEntry = Omit<Entry, 'sha256'> & { readonly sha256Start: number | undefined }

/** The same table, read in less time. */
export const BRIEF_ENTRIES = defineSchema<BriefEntry>(
  { ...ENTRY_COLUMNS, sha256Start: optional(sha256Start('sha256')) },
  { sortKey },
)
