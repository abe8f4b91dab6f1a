import type { ByteString } from '../bytes.ts'
import type { PathKey } from '../path.ts'

export type EntryType =
  | 'file'
  | 'directory'
  | 'symlink'
  | 'hardlink'
  | 'character'
  | 'block'
  | 'fifo'
  | 'other'

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
