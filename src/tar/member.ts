/** A member of a tar, as its headers describe it. */
import type { ByteString } from '../text/bytes.ts'
import type { PathKey } from '../text/path.ts'

export const MEMBER_TYPES = [
  'file',
  'directory',
  'symlink',
  'hardlink',
  'character',
  'block',
  'fifo',
  'other',
] as const
export type MemberType = (typeof MEMBER_TYPES)[number]

export type Member = {
  /** The cleaned path: no empty or `.` part, `..` clamped at the root. */
  readonly key: PathKey
  readonly type: MemberType
  /** Size of a regular file's content; 0 for every other type. */
  readonly bytes: number
  /** Permission bits with setuid, setgid and sticky; at most `0o7777`. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** Microseconds since 1970, rounded down to an integer that a double holds exactly. */
  readonly mtime: number
  /** Target of a symlink or hard link, exactly as in the tar. */
  readonly link?: ByteString | undefined
  /** Of a character or block device. */
  readonly device?: readonly [major: number, minor: number] | undefined
  /** Names and values are bytes; names in byte order. */
  readonly xattrs?: ReadonlyMap<ByteString, ByteString> | undefined
  /** Position among the members of the tar, from 0. */
  readonly ordinal: number
  /** Of the content, in the uncompressed tar. */
  readonly offset: number
}
