import type { PathKey } from '../text/path.ts'
import type { Content } from './linked-members.ts'
import type { MergedEntry } from './merged-entry.ts'

/**
 * One path of the merged file system, out of the member that it shows. All is copied, each once: a member is the view of a
 * table's row, which decodes a value whenever it is asked for it.
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
  readonly implicit: true | undefined

  constructor(key: PathKey, content: Content, layer: number, inode: number | undefined) {
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
    this.inode = inode
    this.implicit = content === UNNAMED ? true : undefined
  }
}

/** A directory that no layer names: what container runtimes make of it. */
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
