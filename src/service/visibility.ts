/**
 * Who may see what. A digest is not a secret, so knowing one must not be enough. Stored bytes are shown if a source once
 * gave them without credentials, or if the caller's own source gave them and confirms now, to this caller, that it has
 * them. Everything else is read again from that source.
 */
import type { ObjectStore } from '../host.ts'
import { imageKey, sourceKey } from '../index/keys.ts'
import type { Descriptor } from '../oci/manifest.ts'
import { Problem } from '../problem.ts'
import { type ContentKind, type ImageSource, originOf, scopeOf } from '../source/source.ts'
import { forgetDigest, forgetTable, type TabledBlob } from './forget.ts'
import type { Memory } from './memory.ts'

/** What one caller of one source may see of the store. */
export class Visibility {
  readonly #store: ObjectStore
  readonly #memory: Memory
  readonly #source: ImageSource
  readonly #origin: string
  readonly #scope: string

  constructor(parts: { readonly store: ObjectStore; readonly memory: Memory }, source: ImageSource) {
    this.#store = parts.store
    this.#memory = parts.memory
    this.#source = source
    this.#origin = originOf(source.ref)
    this.#scope = scopeOf(source.ref)
  }

  /** Whether what the store has by this digest may be shown to the caller. */
  async maySee(digest: string, kind: ContentKind): Promise<boolean> {
    if (await this.isPublic(digest)) return true
    if (!(await this.#store.has(sourceKey(digest, this.#origin)))) return false
    return this.#isConfirmed(digest, kind)
  }

  async #isConfirmed(digest: string, kind: ContentKind): Promise<boolean> {
    const key = `${this.#scope} ${digest}`
    if (this.#memory.confirmed.get(key)) return true
    const confirmed = await this.#source.has(digest, kind)
    if (confirmed) this.#memory.confirmed.set(key, true)
    return confirmed
  }

  /**
   * Whether what the store has of a table of contents may be shown to the caller: as {@link maySee}, but it is the blob that
   * the source confirms, since it knows nothing of the table.
   *
   */
  async maySeeTable({ table, blob }: TabledBlob): Promise<boolean> {
    if (await this.isPublic(table)) return true
    if (!(await this.#store.has(sourceKey(table, this.#origin)))) return false
    return this.#isConfirmed(blob, 'blob')
  }

  /** Whether the caller may see all that the index says about an image, which comes from each of its blobs. */
  async maySeeImage(digest: string, blobs: readonly Descriptor[]): Promise<boolean> {
    const marker = imageKey(digest, 'public')
    if (this.#memory.public.get(marker)) return true
    if (await this.#store.has(marker)) {
      this.#memory.public.set(marker, true)
      return true
    }
    // The last layer first and alone: other images rarely have it, so this one request decides most cases.
    const [last, ...others] = [...new Set(blobs.map((blob) => blob.digest))].reverse()
    if (last === undefined) return true
    if (!(await this.maySee(last, 'blob'))) return false
    if (!(await all(others, (blob) => this.maySee(blob, 'blob')))) return false
    if (this.#source.isPublic && (await all([last, ...others], (blob) => this.isPublic(blob)))) {
      await this.#store.put(marker, new Uint8Array(0))
      this.#memory.public.set(marker, true)
    }
    return true
  }

  /** Whether a source once gave these bytes without credentials. */
  async isPublic(digest: string): Promise<boolean> {
    if (this.#memory.public.get(digest)) return true
    const isPublic = await this.#store.has(sourceKey(digest, 'public'))
    if (isPublic) this.#memory.public.set(digest, true)
    return isPublic
  }

  /**
   * Records that the caller's source gave bytes with this digest, which was verified.
   *
   * @throws Problem `upload_not_found` if the source was deleted meanwhile
   */
  async gave(digest: string): Promise<void> {
    await this.#note(digest, () => this.requireSource(digest))
  }

  /** The same of a table of contents. */
  async gaveTable(layer: TabledBlob): Promise<void> {
    await this.#note(layer.table, () => this.requireTableSource(layer))
  }

  async #note(digest: string, requireSource: () => Promise<void>): Promise<void> {
    const { isPublic } = this.#source
    const origins = isPublic ? [this.#origin, 'public'] : [this.#origin]
    await Promise.all(origins.map((origin) => this.#store.put(sourceKey(digest, origin), new Uint8Array(0))))
    await requireSource()
    if (isPublic) this.#memory.public.set(digest, true)
    this.confirm(digest)
  }

  /**
   * Call it after storing something for this digest, so that a source that was deleted meanwhile leaves nothing. The
   * deletion forgets what was recorded before it; later records find the source gone.
   *
   * @throws Problem `upload_not_found`
   */
  async requireSource(digest: string): Promise<void> {
    if (!(await this.#source.isGone?.())) return
    await forgetDigest(this.#store, this.#origin, digest)
    throw gone()
  }

  /** The same after storing something that is known from a table of contents. */
  async requireTableSource(layer: TabledBlob): Promise<void> {
    if (!(await this.#source.isGone?.())) return
    await forgetTable(this.#store, this.#origin, layer)
    throw gone()
  }

  /** Records that the source has just confirmed, to this caller, that it has this digest. */
  confirm(digest: string): void {
    this.#memory.confirmed.set(`${this.#scope} ${digest}`, true)
  }
}

function gone(): Problem {
  return new Problem('upload_not_found', 'the upload was deleted, or it expired, while it was read')
}

async function all<T>(items: readonly T[], holds: (item: T) => Promise<boolean>): Promise<boolean> {
  return (await Promise.all(items.map(holds))).every(Boolean)
}
