import type { ByteString } from '../text/bytes.ts'
import { baseName, type PathKey, parentKey } from '../text/path.ts'

export const ENTRY_TYPES = [
  'file',
  'directory',
  'symlink',
  'hardlink',
  'character',
  'block',
  'fifo',
  'other',
] as const
export type EntryType = (typeof ENTRY_TYPES)[number]

/**
 * What a member hides in the layers below: `file` is `.wh.NAME`, `opaque` is `.wh..wh..opq`; `aufs` is any other
 * `.wh..wh.*`, which hides nothing.
 */
export type Whiteout = 'file' | 'opaque' | 'aufs'

/** One member of a layer's tar. */
export type Entry = {
  /** Where it stands, cleaned: no empty or `.` part, `..` clamped at the root. A whiteout's is its own name (`a/.wh.b`). */
  readonly key: PathKey
  readonly type: EntryType
  /** Size of a regular file's content; 0 for every other type. */
  readonly bytes: number
  /** Permission bits with setuid, setgid and sticky: `0o7777` at most. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** Microseconds since 1970, rounded down; an integer that a double holds exactly. */
  readonly mtime: number
  /** 32 bytes, of a regular file's content. */
  readonly sha256?: ByteString | undefined
  /** Target of a symlink or hard link, exactly as the tar has it. */
  readonly link?: ByteString | undefined
  /** Of a character or block device. */
  readonly device?: readonly [major: number, minor: number] | undefined
  /** Names and values are bytes; names in byte order. */
  readonly xattrs?: ReadonlyMap<ByteString, ByteString> | undefined
  readonly whiteout?: Whiteout | undefined
  /** Position among the members of the tar, from 0. */
  readonly ordinal: number
  /** Of the content, in the uncompressed tar. */
  readonly offset: number
}

const WHITEOUT_PREFIX = '.wh.'
const AUFS_PREFIX = '.wh..wh.'
const OPAQUE_NAME = '.wh..wh..opq'

/** What a member of that name is in the terms of the OCI image specification ("Whiteouts"); undefined for all others. */
export function whiteoutOf(key: PathKey): Whiteout | undefined {
  if (!key.includes(WHITEOUT_PREFIX)) return undefined
  const name = baseName(key)
  if (!name.startsWith(WHITEOUT_PREFIX)) return undefined
  if (name === OPAQUE_NAME) return 'opaque'
  return name.startsWith(AUFS_PREFIX) ? 'aufs' : 'file'
}

/**
 * Where an entry stands in a layer's table, which is sorted by (sortKey, ordinal): a `file` whiteout at the path that it
 * hides (`a/.wh.b` at `a/b`), an `opaque` one at its directory (`a/.wh..wh..opq` at `a`), so that a merge meets a
 * whiteout when it meets what is hidden. Every other entry, an `aufs` whiteout too, stands at its own key.
 */
export function sortKey(entry: Pick<Entry, 'key' | 'whiteout'>): PathKey {
  switch (entry.whiteout) {
    case undefined:
    case 'aufs':
      return entry.key
    case 'opaque':
      return parentKey(entry.key)
    case 'file': {
      const name = baseName(entry.key)
      return entry.key.slice(0, entry.key.length - name.length) + name.slice(WHITEOUT_PREFIX.length)
    }
  }
}
