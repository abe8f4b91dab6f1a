/**
 * Who may see what. A digest is not a secret, so knowing one must not be enough. Stored bytes are shown if a source once
 * gave them without credentials, or if the caller's own source gave them and confirms now, to this caller, that it has
 * them. Everything else is read again from that source.
 */
import { allOf } from '../concurrency.ts'
import type { ObjectStore } from '../host.ts'
import { imageKey, PUBLIC, provenanceKey, type SourceContent } from '../index/keys.ts'
import type { Descriptor } from '../oci/manifest.ts'
import { originOf, scopeOf } from '../oci/source-ref.ts'
import { Problem } from '../problem.ts'
import type { ContentKind, ImageSource } from '../source/source.ts'
import type { Memory } from './caches.ts'
import { forgetDigest, forgetTable, type TocBlob } from './forget.ts'

/** What a source gave. */
type Noted = { readonly digest: string; readonly kind: SourceContent; readonly bytes: Uint8Array }

export type SeenImage = {
  /** Everything. */
  readonly isWhole: boolean
  /** Those that the caller may see. */
  readonly layers: readonly Descriptor[]
}

/** What one caller of one source may see of the store. */
export class Visibility {
  readonly #store: ObjectStore
  readonly #memory: Memory
  readonly #source: ImageSource
  /** Identifies the source in the store's records. */
  readonly origin: string
  readonly #scope: string
  /** Keys of records that were found. */
  readonly #own = new Set<string>()

  constructor(parts: { readonly store: ObjectStore; readonly memory: Memory }, source: ImageSource) {
    this.#store = parts.store
    this.#memory = parts.memory
    this.#source = source
    this.origin = originOf(source.ref)
    this.#scope = scopeOf(source.ref)
  }

  /** Whether the caller may see what the store has for this digest. */
  async maySee(digest: string, kind: SourceContent): Promise<boolean> {
    const [isPublic, isOwn] = await this.#ask(digest, kind)
    return isPublic || (isOwn && this.#isConfirmedAs(digest, kind))
  }

  /** Whether the caller's source once gave these bytes, and confirms now that it has them. */
  async maySeeOwn(digest: string, kind: SourceContent): Promise<boolean> {
    return (await this.#isOwn(digest, kind)) && this.#isConfirmedAs(digest, kind)
  }

  /** Whether it is public, and whether the source once gave it. One that holds is enough. */
  async #ask(digest: string, kind: SourceContent): Promise<readonly [isPublic: boolean, isOwn: boolean]> {
    if (this.#memory.public.get(digest)) return [true, false]
    if (!this.#source.isRemembered) {
      // An archive confirms at once what it gave.
      const isOwn = await this.#isOwn(digest, kind)
      return [!isOwn && (await this.isPublic(digest, kind)), isOwn]
    }
    return allOf([this.isPublic(digest, kind), this.#isOwn(digest, kind)])
  }

  /** What the source gave stays given for this caller. */
  async #isOwn(digest: string, kind: SourceContent): Promise<boolean> {
    const key = provenanceKey(kind, digest, this.origin)
    if (this.#own.has(key)) return true
    const isOwn = await this.#store.has(key)
    if (isOwn) this.#own.add(key)
    return isOwn
  }

  #isConfirmedAs(digest: string, kind: SourceContent): Promise<boolean> {
    return this.isConfirmed(digest, kind === 'manifest' ? 'manifest' : 'blob')
  }

  /** Whether the caller's source says, or has just said, to this caller that it has this digest. */
  async isConfirmed(digest: string, kind: ContentKind): Promise<boolean> {
    const key = this.#known(digest)
    if (this.#memory.confirmed.get(key)) return true
    const confirmed = await this.#source.has(digest, kind)
    if (confirmed) this.#memory.confirmed.set(key, true)
    return confirmed
  }

  /**
   * Whether the caller may see what the store knows from a table of contents: like {@link maySee}, but the source confirms the
   * blob, since it does not know the table.
   */
  async maySeeToc({ table, blob }: TocBlob): Promise<boolean> {
    const [isPublic, isOwn] = await this.#ask(table, 'layer')
    return isPublic || (isOwn && this.isConfirmed(blob, 'blob'))
  }

  /** What the caller may see of what the index says about an image, which comes from each of its blobs. */
  async seeImage(
    digest: string,
    { config, layers }: { readonly config: Descriptor; readonly layers: readonly Descriptor[] },
  ): Promise<SeenImage> {
    const marker = imageKey(digest, 'public')
    if (this.#memory.public.get(marker)) return { isWhole: true, layers }
    if (await this.#store.has(marker)) {
      this.#memory.public.set(marker, true)
      return { isWhole: true, layers }
    }
    const blobs = new Map<string, SourceContent>(layers.map((layer) => [layer.digest, 'layer']))
    blobs.set(config.digest, 'config')
    const seen = new Set<string>()
    await Promise.all(
      [...blobs].map(async ([blob, kind]) => {
        if (await this.maySee(blob, kind)) seen.add(blob)
        else this.#memory.unseen.set(this.#known(blob), true)
      }),
    )
    const isWhole = seen.size === blobs.size
    if (isWhole && this.#source.isPublic && (await all([...blobs], (blob) => this.isPublic(...blob)))) {
      await this.#store.put(marker, new Uint8Array(0))
      this.#memory.public.set(marker, true)
    }
    return { isWhole, layers: layers.filter((layer) => seen.has(layer.digest)) }
  }

  /**
   * Whether {@link seeImage} has found a moment ago that the caller may not see this; said once. By now it may: whoever relies on
   * this asks for what another may just have read.
   */
  takeUnseen(digest: string): boolean {
    return this.#memory.unseen.take(this.#known(digest)) ?? false
  }

  /** Whether a source once gave these bytes without credentials. */
  async isPublic(digest: string, kind: SourceContent): Promise<boolean> {
    if (this.#memory.public.get(digest)) return true
    const isPublic = await this.#store.has(provenanceKey(kind, digest, PUBLIC))
    if (isPublic) this.recordPublic(digest)
    return isPublic
  }

  /** Remembers that the store has bytes that a source gave without credentials. */
  recordPublic(digest: string): void {
    this.#memory.public.set(digest, true)
  }

  /**
   * Records that the caller's source gave bytes with this digest, which was verified. Public bytes need no such record.
   *
   * @param bytes those of a manifest or config
   * @throws Problem `upload_not_found` if the source was deleted meanwhile
   */
  async recordOrigin(
    digest: string,
    kind: SourceContent,
    bytes: Uint8Array = new Uint8Array(0),
  ): Promise<void> {
    await this.#note({ digest, kind, bytes }, () => this.requireSource(digest))
  }

  /** The same for a table of contents. */
  async recordTocOrigin(layer: TocBlob): Promise<void> {
    const { table: digest } = layer
    await this.#note({ digest, kind: 'layer', bytes: new Uint8Array(0) }, () =>
      this.requireTableSource(layer),
    )
  }

  async #note({ digest, kind, bytes }: Noted, requireSource: () => Promise<void>): Promise<void> {
    const { isPublic } = this.#source
    await this.#store.put(provenanceKey(kind, digest, isPublic ? PUBLIC : this.origin), bytes)
    await requireSource()
    if (isPublic) this.recordPublic(digest)
    this.confirm(digest)
  }

  /**
   * Call this after storing something for this digest, so that a source that was deleted meanwhile leaves nothing behind. The
   * deletion forgets what was recorded before it; later records find the source gone.
   *
   * @throws Problem `upload_not_found`
   */
  async requireSource(digest: string): Promise<void> {
    if (!(await this.#source.isGone?.())) return
    await forgetDigest(this.#store, this.origin, digest)
    throw gone()
  }

  /** The same after storing something known from a table of contents. */
  async requireTableSource(layer: TocBlob): Promise<void> {
    if (!(await this.#source.isGone?.())) return
    await forgetTable(this.#store, this.origin, layer)
    throw gone()
  }

  /** Records that the source has just confirmed, to this caller, that it has this digest. */
  confirm(digest: string): void {
    this.#memory.confirmed.set(this.#known(digest), true)
  }

  /** What is remembered for this caller of the source only. */
  #known(digest: string): string {
    return `${this.#scope} ${digest}`
  }
}

function gone(): Problem {
  return new Problem('upload_not_found', 'the upload was deleted, or it expired, while it was read')
}

async function all<T>(items: readonly T[], holds: (item: T) => Promise<boolean>): Promise<boolean> {
  return (await Promise.all(items.map(holds))).every(Boolean)
}
