/** One path that differs between two images: as the join finds it, and as the API shows it. */
import type { MergedEntry } from '../image/merged-entry.ts'
import { IDENTITY_COLUMNS } from '../layer/entry.ts'
import { type PathKey, showPath } from '../text/path.ts'

/** What can differ between two members at one path. `content` is included if only one of them is a regular file. */
export type ChangedField = 'content' | 'type' | 'mode' | 'uid' | 'gid' | 'link' | 'xattrs' | 'device'

export type ChangeKind = 'added' | 'removed' | 'modified'

/** The columns of a merged file system that the join needs. */
export const JOINED_COLUMNS = [...IDENTITY_COLUMNS, 'bytes', 'mtime', 'implicit'] as const

export type JoinedRow = Pick<MergedEntry, (typeof JOINED_COLUMNS)[number]>

/** One path that differs between the images. */
export type Change = {
  readonly key: PathKey
  /** How many rows of the two tables the join had passed after this one: where it can resume. */
  readonly fromRow: number
  readonly toRow: number
} & (
  | { readonly kind: 'added'; readonly to: JoinedRow }
  | { readonly kind: 'removed'; readonly from: JoinedRow }
  | {
      readonly kind: 'modified'
      readonly from: JoinedRow
      readonly to: JoinedRow
      readonly fields: readonly ChangedField[]
    }
)

/** A change as in `/v1/diff/files`. Bytes are those of a regular file, 0 for everything else. */
export type FileChange = {
  readonly path: string
  readonly pathBase64?: string
  readonly change: ChangeKind
  /** Present if the path was modified. */
  readonly fields?: readonly ChangedField[]
  readonly fromBytes: number
  readonly toBytes: number
  readonly delta: number
}

export function fromBytes(change: Change): number {
  return change.kind === 'added' ? 0 : change.from.bytes
}

export function toBytes(change: Change): number {
  return change.kind === 'removed' ? 0 : change.to.bytes
}

export function showChange(change: Change): FileChange {
  const [before, after] = [fromBytes(change), toBytes(change)]
  return {
    ...showPath(change.key),
    change: change.kind,
    ...(change.kind === 'modified' ? { fields: change.fields } : {}),
    fromBytes: before,
    toBytes: after,
    delta: after - before,
  }
}

/** Whether the path is a directory on either side; its subtree follows it. */
export function isDirectoryChange(change: Change): boolean {
  return (
    (change.kind !== 'added' && change.from.type === 'directory') ||
    (change.kind !== 'removed' && change.to.type === 'directory')
  )
}
