/** A member of a layer's tar in the terms of the OCI image specification: whiteouts, and where they sort. */
import type { Member } from '../tar/member.ts'
import type { ByteString } from '../text/bytes.ts'
import { baseName, type PathKey, parentKey } from '../text/path.ts'

/**
 * What a member hides in the layers below: `file` is `.wh.NAME`, `opaque` is `.wh..wh..opq`; `aufs` is any other
 * `.wh..wh.*`, which hides nothing.
 */
export type Whiteout = 'file' | 'opaque' | 'aufs'

/** One member of a layer's tar, with what it means for the layers below. A whiteout's key is its own name (`a/.wh.b`). */
export type Entry = Member & {
  /** 32 bytes, for a regular file's content. */
  readonly sha256?: ByteString | undefined
  readonly whiteout?: Whiteout | undefined
}

/** The columns that say what a regular file is, apart from its time. */
export const FILE_COLUMNS = [
  'key',
  'type',
  'mode',
  'uid',
  'gid',
  'xattrs',
  'sha256',
] as const satisfies readonly (keyof Entry)[]

/** The columns that say what any member is, apart from its time. */
export const IDENTITY_COLUMNS = [
  ...FILE_COLUMNS,
  'link',
  'device',
] as const satisfies readonly (keyof Entry)[]

/** An entry whose `sha256` is filled in when the content was read. */
export type UnreadEntry = { -readonly [Field in keyof Entry]: Entry[Field] }

/** The entry that a member becomes. */
export function entryOf(member: Member): UnreadEntry {
  // Copied property by property, so that all entries have the same shape: a million of them are read.
  return {
    key: member.key,
    type: member.type,
    bytes: member.bytes,
    mode: member.mode,
    uid: member.uid,
    gid: member.gid,
    mtime: member.mtime,
    sha256: undefined,
    link: member.link,
    device: member.device,
    xattrs: member.xattrs,
    whiteout: whiteoutOf(member.key),
    ordinal: member.ordinal,
    offset: member.offset,
  }
}

const WHITEOUT_PREFIX = '.wh.'
const AUFS_PREFIX = '.wh..wh.'
const OPAQUE_NAME = '.wh..wh..opq'

/** The meaning of a member's name in the OCI image specification ("Whiteouts"); undefined for ordinary names. */
export function whiteoutOf(key: PathKey): Whiteout | undefined {
  if (!key.includes(WHITEOUT_PREFIX)) return undefined
  const name = baseName(key)
  if (!name.startsWith(WHITEOUT_PREFIX)) return undefined
  if (name === OPAQUE_NAME) return 'opaque'
  return name.startsWith(AUFS_PREFIX) ? 'aufs' : 'file'
}

/**
 * The position of an entry in a layer's table, which is sorted by (sortKey, ordinal): a `file` whiteout at the path that it
 * hides (`a/.wh.b` at `a/b`), an `opaque` one at its directory (`a/.wh..wh..opq` at `a`), so that a merge meets a whiteout when
 * it meets what is hidden. Every other entry, including `aufs` whiteouts, is at its own key.
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
