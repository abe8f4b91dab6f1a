/**
 * A source as one caller reads it: manifests and configs come from the store if the caller may see them, and otherwise from the
 * source and then into the store.
 */
import type { ObjectStore } from '../host.ts'
import { PUBLIC } from '../index/keys.ts'
import { type ContentProvenance, readSourceContent } from '../index/provenance.ts'
import type { Descriptor } from '../oci/manifest.ts'
import { type SourceRef, scopeOf } from '../oci/source-ref.ts'
import { Problem } from '../problem.ts'
import type { SingleFlight } from '../single-flight.ts'
import type { BlobRange, ImageParts, ImageSource, ResolvedManifest } from '../source/source.ts'
import type { Memory } from './caches.ts'
import { Visibility } from './visibility.ts'

/** How long to wait for another request's fetch: that request may have died with its caller. */
const JOIN_MILLISECONDS = 5_000
const MANIFEST_BYTES = 4 * 1024 * 1024
const CONFIG_BYTES = 8 * 1024 * 1024

export class VisibleSource {
  readonly visibility: Visibility
  /** Identifies the caller and the place, without secrets. */
  readonly scope: string
  readonly #source: ImageSource
  readonly #store: ObjectStore
  readonly #memory: Memory
  readonly #signal: AbortSignal | undefined

  constructor(
    parts: { readonly store: ObjectStore; readonly memory: Memory },
    source: ImageSource,
    signal?: AbortSignal,
  ) {
    this.visibility = new Visibility(parts, source)
    this.scope = scopeOf(source.ref)
    this.#source = source
    this.#store = parts.store
    this.#memory = parts.memory
    this.#signal = signal
  }

  get ref(): SourceRef {
    return this.#source.ref
  }

  get isPublic(): boolean {
    return this.#source.isPublic
  }

  /** Whether its answers are reused for a minute. The same holds for facts known from other sources. */
  get isRemembered(): boolean {
    return this.#source.isRemembered
  }

  /** What the source says about an image of which it may hold only a part; known after `resolve`. */
  get parts(): ImageParts | undefined {
    return this.#source.parts
  }

  /**
   * Resolves a name at the source; most answers are reused for a minute.
   *
   * @param wanted the manifest, if it will be read and the store may not have it
   */
  async resolve(name: string, wanted?: 'manifest'): Promise<ResolvedManifest> {
    if (!this.#source.isRemembered) return this.#source.resolve(name)
    const key = `${this.scope} ${name}`
    const known = this.#memory.resolved.get(key)
    if (known !== undefined) return known
    return this.#share(this.#memory.resolving, key, async () => {
      const { bytes, ...resolved } = await this.#source.resolve(name, wanted)
      if (bytes !== undefined) await this.visibility.recordOrigin(resolved.digest, 'manifest', bytes)
      this.#memory.resolved.set(key, resolved)
      this.visibility.confirm(resolved.digest)
      return resolved
    })
  }

  /**
   * The verified bytes of a manifest: the store's if the caller may see them, otherwise the source's.
   *
   * @param name the name given to {@link resolve}, if the digest comes from it
   */
  async manifest(digest: string, name?: string): Promise<Uint8Array> {
    return this.#share(this.#memory.reading, `${this.scope} manifest ${digest}`, async () => {
      const stored = await this.#stored(digest, 'manifest', MANIFEST_BYTES)
      if (stored !== undefined) return stored
      const bytes = await this.#readManifest(digest, name)
      await this.visibility.recordOrigin(digest, 'manifest', bytes)
      return bytes
    })
  }

  /** A name whose manifest cannot be read may have moved, so it is resolved again the next time. */
  async #readManifest(digest: string, name: string | undefined): Promise<Uint8Array> {
    try {
      return await this.#source.manifest(digest, name)
    } catch (error) {
      if (name !== undefined) this.#memory.resolved.delete(`${this.scope} ${name}`)
      throw error
    }
  }

  /** The verified bytes of a config: the store's if the caller may see them, otherwise the source's. */
  async config(descriptor: Descriptor): Promise<Uint8Array> {
    const { digest } = descriptor
    return this.#share(this.#memory.reading, `${this.scope} config ${digest}`, async () => {
      const stored = await this.#stored(digest, 'config', CONFIG_BYTES)
      if (stored !== undefined) return stored
      const bytes = await this.#source.config(descriptor, CONFIG_BYTES)
      await this.visibility.recordOrigin(digest, 'config', bytes)
      return bytes
    })
  }

  /** The verified bytes of a small blob that is not a config; they are not stored. @throws Problem `too_large` past `limit` bytes */
  document(descriptor: Descriptor, limit: number): Promise<Uint8Array> {
    return this.#source.config(descriptor, limit)
  }

  /** What `select` reads about an index or a manifest. */
  read(descriptor: Descriptor, kind: 'manifest' | 'config'): Promise<Uint8Array> {
    return kind === 'manifest' ? this.manifest(descriptor.digest) : this.config(descriptor)
  }

  /** A blob's bytes, or a range of them, unverified. */
  blob(descriptor: Descriptor, range?: BlobRange): Promise<ReadableStream<Uint8Array>> {
    return this.#source.blob(descriptor, range)
  }

  /**
   * Waits for a fetch that another request of the same caller has started; fetches itself if that one is cancelled or slow.
   *
   * @param key identifies the caller, the place and what is fetched
   */
  #share<T>(singleFlight: SingleFlight<T>, key: string, fetch: () => Promise<T>): Promise<T> {
    const isVerdict = (error: unknown) => error instanceof Problem
    return singleFlight.share(key, fetch, {
      milliseconds: JOIN_MILLISECONDS,
      signal: this.#signal,
      isVerdict,
    })
  }

  /** The store's bytes, if the caller may see them. */
  async #stored(
    digest: string,
    kind: ContentProvenance['kind'],
    limit: number,
  ): Promise<Uint8Array | undefined> {
    const everybodys = await readSourceContent(this.#store, { kind, digest, origin: PUBLIC }, limit)
    if (everybodys !== undefined) {
      this.visibility.recordPublic(digest)
      return everybodys
    }
    // Checked first: the time that a refusal takes must not reveal whether the store has the bytes.
    if (!(await this.visibility.maySeeOwn(digest, kind))) return undefined
    return readSourceContent(this.#store, { kind, digest, origin: this.visibility.origin }, limit)
  }
}
