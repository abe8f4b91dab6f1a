/** Where an image shows package databases: recorded while its layers are merged, to read the databases afterwards. */
import { databaseKind, isUnreadDatabase } from '../../layer/database.ts'
import type { WantedMember } from '../../layer/members.ts'
import type { ByteString } from '../../text/bytes.ts'
import { type PathKey, parentKey } from '../../text/path.ts'
import type { MergedEntry } from '../merged-entry.ts'
import { resolvePath } from './paths.ts'
import { UnreadDatabases } from './unread-databases.ts'

/** Limit on the records, in bytes: 200,000 databases at paths of typical length. */
const MAX_NOTED_BYTES = 32 * 1024 * 1024
/** Bytes of a record besides its path. */
const NOTE_BYTES = 100
/** The merged `/usr` needs ten. */
const MAX_LINKS = 100

type Shown = Pick<MergedEntry, 'key' | 'type' | 'bytes' | 'link' | 'layer' | 'ordinal'> &
  Partial<Pick<MergedEntry, 'offset' | 'sha256' | 'linked'>>

type Noted = {
  readonly keys: PathKey[]
  /** The member has another name in its layer, which did not keep its content. */
  readonly linked: WantedMember | undefined
}

/** Also records which directories at the root are links to others. */
export class ShownDatabases {
  /** Databases that are not read. */
  readonly unread = new UnreadDatabases()
  /** By layer and member, until the member is read; hard links show one at several paths. */
  readonly #noted = new Map<string, Noted>()
  readonly #shown = new Set<PathKey>()
  readonly #links = new Map<ByteString, PathKey>()
  #notedBytes = 0

  /** Call this with every row of the merged file system, in any order. */
  see(entry: Shown): void {
    const { key, type, layer, ordinal } = entry
    if (type === 'symlink' && parentKey(key) === '' && this.#links.size < MAX_LINKS) {
      this.#links.set(key, resolvePath('', entry.link ?? ''))
    }
    if (type !== 'file') return
    const kind = databaseKind(key)
    if (kind === undefined) return
    if (isUnreadDatabase(kind)) {
      if (entry.bytes > 0) this.unread.add(layer, key)
      return
    }
    this.#notedBytes += NOTE_BYTES + key.length
    if (this.#notedBytes > MAX_NOTED_BYTES) {
      this.unread.add(layer, key)
      return
    }
    const member = memberName(layer, ordinal)
    const noted = this.#noted.get(member)
    if (noted === undefined) this.#noted.set(member, { keys: [key], linked: wantedOf(entry) })
    else noted.keys.push(key)
    this.#shown.add(key)
  }

  /** If there are none, no layer's databases are read. */
  get size(): number {
    return this.#shown.size
  }

  /** Where the image shows that member of a layer; empty if later layers hide it, and on the second call. */
  take(layer: number, ordinal: number): readonly PathKey[] {
    const member = memberName(layer, ordinal)
    const keys = this.#noted.get(member)?.keys ?? []
    this.#noted.delete(member)
    return keys
  }

  /** Those that were not taken: no layer has kept their content. */
  *left(): Generator<{ readonly layer: number; readonly key: PathKey }> {
    for (const [member, { keys }] of this.#noted) {
      for (const key of keys) yield { layer: Number.parseInt(member, 10), key }
    }
  }

  /**
   * Of those that were not taken, the ones that only hard links of other layers name as databases, in the order of the layer's
   * tar.
   *
   * @param room for their content, in bytes: those that do not fit are left out
   */
  linked(layer: number, room: number): readonly WantedMember[] {
    const members: WantedMember[] = []
    for (const [name, { linked }] of this.#noted) {
      if (linked !== undefined && Number.parseInt(name, 10) === layer) members.push(linked)
    }
    members.sort((a, b) => a.ordinal - b.ordinal)
    let left = room
    return members.filter(({ bytes }) => {
      if (bytes > left) return false
      left -= bytes
      return true
    })
  }

  /** Whether any layer has a database at that path. */
  has(key: PathKey): boolean {
    return this.#shown.has(key)
  }

  /**
   * The real path of a path in a database: Debian's lists say `/bin/ls`, though `/bin` has long been a link to `usr/bin`. Only
   * follows links at the root, for the merged `/usr`.
   */
  resolve(path: PathKey): PathKey {
    const cut = path.indexOf('\0')
    const target = cut < 0 ? undefined : this.#links.get(path.slice(0, cut))
    return target === undefined ? path : `${target}${path.slice(cut)}`
  }
}

function wantedOf({ key, ordinal, offset, bytes, sha256, linked }: Shown): WantedMember | undefined {
  return linked === true && offset !== undefined ? { key, ordinal, offset, bytes, sha256 } : undefined
}

function memberName(layer: number, ordinal: number): string {
  return `${layer}/${ordinal}`
}
