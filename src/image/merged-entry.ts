/** The merged file system of an image, row by row: the content of a row, and the schema of `files.parquet`. */

import { ENTRY_COLUMNS, SHA256_COLUMN } from '../index/entries.ts'
import type { Entry } from '../layer/entry.ts'
import { flag, int32, optional } from '../table/column.ts'
import { type Columns, defineSchema } from '../table/schema.ts'
import type { PathKey } from '../text/path.ts'
import type { Content } from './linked-members.ts'

/**
 * One path of the merged file system. A hard link is a `file` (or whatever its target is) with its target's bytes, sha256,
 * layer, mode, owner and mtime; `ordinal` and `offset` are the target's, too, so that `layer` and `ordinal` identify the member
 * with the content.
 */
export type MergedEntry = Entry & {
  /** The layer whose member is shown; for an implicit directory the lowest layer that needs it. */
  readonly layer: number
  /** Equal for hard links of one another: a number unique within the image; absent for directories. */
  readonly inode?: number | undefined
  /** Hard links lead to the member with the content, so it can be shown at other paths than its own. */
  readonly linked?: boolean | undefined
  /** A directory that no layer names. */
  readonly implicit?: boolean | undefined
}

/** Properties that the paths of one member share. */
type Links = { readonly inode: number; readonly linked: boolean }

/**
 * One path of the merged file system, made from the member that it shows. Each property is copied once: a member is the view of
 * a table's row, which decodes a value on each access.
 */
export class MergedRow implements MergedEntry {
  readonly key: PathKey
  readonly type: MergedEntry['type']
  readonly bytes: number
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly mtime: number
  readonly sha256: MergedEntry['sha256']
  readonly link: MergedEntry['link']
  readonly device: MergedEntry['device']
  readonly xattrs: MergedEntry['xattrs']
  readonly whiteout: undefined
  readonly ordinal: number
  readonly offset: number
  readonly layer: number
  readonly inode: number | undefined
  readonly linked: true | undefined
  readonly implicit: true | undefined

  /** @param links undefined for directories */
  constructor(key: PathKey, content: Content, layer: number, links: Links | undefined) {
    this.key = key
    this.type = content.type
    this.bytes = content.bytes
    this.mode = content.mode
    this.uid = content.uid
    this.gid = content.gid
    this.mtime = content.mtime
    this.sha256 = content.sha256
    this.link = content.link
    this.device = content.device
    this.xattrs = content.xattrs
    this.whiteout = undefined
    this.ordinal = content.ordinal
    this.offset = content.offset
    this.layer = layer
    this.inode = links?.inode
    this.linked = links?.linked || undefined
    this.implicit = content === UNNAMED ? true : undefined
  }
}

/** A directory that no layer names, as container runtimes create it. */
export const UNNAMED: Content = {
  type: 'directory',
  bytes: 0,
  mode: 0o755,
  uid: 0,
  gid: 0,
  mtime: 0,
  ordinal: 0,
  offset: 0,
}

const COLUMNS: Columns<MergedEntry> = {
  ...ENTRY_COLUMNS,
  layer: int32('layer'),
  inode: optional(int32('inode')),
  linked: optional(flag('linked')),
  implicit: optional(flag('implicit')),
  sha256: SHA256_COLUMN,
}

/** `files.parquet`, sorted by key; each path occurs once. */
export const MERGED_ENTRIES = defineSchema<MergedEntry>(COLUMNS, { sortKey: (row) => row.key })

/** The same rows in another order. */
export const MERGED_ROWS = defineSchema<MergedEntry>(COLUMNS)
