import type { Entry } from '../layer/entry.ts'

/**
 * One path of the merged file system. A hard link is a `file` (or whatever its target is) with its target's bytes,
 * sha256, layer, mode, owner and mtime; `ordinal` and `offset` then are the target's too, so that `layer` and `ordinal`
 * name the member that holds the content.
 */
export type MergedEntry = Entry & {
  /** The layer whose member is shown; of an implicit directory the lowest layer that needs it. */
  readonly layer: number
  /** Paths that share one are hard links of each other: a number unique within the image; absent for directories. */
  readonly inode?: number | undefined
  /** A directory that no layer names. */
  readonly implicit?: boolean | undefined
}
