import type { PathKey } from '../path.ts'
import type { Content } from './linked-members.ts'
import type { MergedEntry } from './merged-entry.ts'

/** A `MergedEntry` that looks at the member it shows instead of copying it. */
export class MergedRow implements MergedEntry {
  readonly key: PathKey
  readonly layer: number
  readonly inode: number | undefined
  readonly implicit: true | undefined
  readonly #content: Content

  constructor(key: PathKey, content: Content, layer: number, inode: number | undefined) {
    this.key = key
    this.layer = layer
    this.inode = inode
    this.implicit = content === UNNAMED ? true : undefined
    this.#content = content
  }

  get type() {
    return this.#content.type
  }
  get bytes() {
    return this.#content.bytes
  }
  get mode() {
    return this.#content.mode
  }
  get uid() {
    return this.#content.uid
  }
  get gid() {
    return this.#content.gid
  }
  get mtime() {
    return this.#content.mtime
  }
  get sha256() {
    return this.#content.sha256
  }
  get link() {
    return this.#content.link
  }
  get device() {
    return this.#content.device
  }
  get xattrs() {
    return this.#content.xattrs
  }
  get ordinal() {
    return this.#content.ordinal
  }
  get offset() {
    return this.#content.offset
  }
  get whiteout() {
    return undefined
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
