import type { ByteString } from '../../text/bytes.ts'
import { type PathKey, parentKey } from '../../text/path.ts'
import type { MergedEntry } from '../merged-entry.ts'
import { databaseKind, resolvePath } from './database.ts'

/**
 * What a merge notes in passing for those who read the package databases after it: where the image shows one, and which
 * directories at the root are links to others.
 */
export class ShownDatabases {
  /** By member; a hard link shows one at several paths. */
  readonly #keys = new Map<string, PathKey[]>()
  readonly #shown = new Set<PathKey>()
  readonly #links = new Map<ByteString, PathKey>()

  /** To be called with every row of the merged file system, in any order. */
  see(entry: Pick<MergedEntry, 'key' | 'type' | 'link' | 'layer' | 'ordinal'>): void {
    if (entry.type === 'symlink' && parentKey(entry.key) === '') {
      this.#links.set(entry.key, resolvePath('', entry.link ?? ''))
    }
    if (entry.type !== 'file' || databaseKind(entry.key) === undefined) return
    const member = memberName(entry.layer, entry.ordinal)
    const keys = this.#keys.get(member)
    if (keys === undefined) this.#keys.set(member, [entry.key])
    else keys.push(entry.key)
    this.#shown.add(entry.key)
  }

  /** No layer's databases need be read where there are none. */
  get size(): number {
    return this.#shown.size
  }

  /** Where the image shows that member of a layer; empty where later layers hide it. */
  keysOf(layer: number, ordinal: number): readonly PathKey[] {
    return this.#keys.get(memberName(layer, ordinal)) ?? []
  }

  /** Whether there is a database at that path, of whichever layer. */
  has(key: PathKey): boolean {
    return this.#shown.has(key)
  }

  /**
   * Where a path of a database really is: Debian's lists say `/bin/ls` though `/bin` has long been a link to `usr/bin`.
   * Links at the root only, which is what the merged `/usr` is about.
   */
  resolve(path: PathKey): PathKey {
    const cut = path.indexOf('\0')
    const target = cut < 0 ? undefined : this.#links.get(path.slice(0, cut))
    return target === undefined ? path : `${target}${path.slice(cut)}`
  }
}

function memberName(layer: number, ordinal: number): string {
  return `${layer}/${ordinal}`
}
