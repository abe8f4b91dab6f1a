/** A source as one caller reads it: manifests and configs come out of the store where the caller may see them, and go into it. */
import type { ObjectStore } from '../host.ts'
import { configKey, manifestKey } from '../index/keys.ts'
import type { Descriptor } from '../oci/manifest.ts'
import { Problem } from '../problem.ts'
import { waitFor } from '../source/registry/wait.ts'
import {
  type BlobRange,
  type ContentKind,
  type ImageSource,
  type ResolvedManifest,
  type SourceRef,
  scopeOf,
} from '../source/source.ts'
import { type Memory, Visibility } from './visibility.ts'

/** Another request's fetch is waited for so long: that request may have died with its caller. */
const JOIN_MILLISECONDS = 5_000
const MANIFEST_BYTES = 4 * 1024 * 1024
const CONFIG_BYTES = 8 * 1024 * 1024

export class VisibleSource {
  readonly visibility: Visibility
  /** Names the caller and the place, without a secret in it. */
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

  /** What a name stands for, by the source's own word, which holds for a minute. */
  async resolve(name: string): Promise<ResolvedManifest> {
    const key = `${this.scope} ${name}`
    const known = this.#memory.resolved.get(key)
    if (known !== undefined) return known
    return this.#once(key, async () => {
      const told = this.#memory.resolved.get(key)
      if (told !== undefined) return told
      const resolved = await this.#source.resolve(name)
      if (resolved.bytes !== undefined)
        await this.#keep(manifestKey(resolved.digest), resolved.digest, resolved.bytes)
      this.#memory.resolved.set(key, resolved)
      this.visibility.confirm(resolved.digest)
      return resolved
    })
  }

  /** The verified bytes of a manifest: the store's where the caller may see them, else the source's. */
  async manifest(digest: string): Promise<Uint8Array> {
    const key = manifestKey(digest)
    return this.#once(`${this.scope} ${key}`, async () => {
      const stored = await this.#stored(key, digest, 'manifest', MANIFEST_BYTES)
      if (stored !== undefined) return stored
      const bytes = await this.#source.manifest(digest)
      await this.#keep(key, digest, bytes)
      return bytes
    })
  }

  /** The verified bytes of a config, likewise. */
  async config(descriptor: Descriptor): Promise<Uint8Array> {
    const key = configKey(descriptor.digest)
    return this.#once(`${this.scope} ${key}`, async () => {
      const stored = await this.#stored(key, descriptor.digest, 'blob', CONFIG_BYTES)
      if (stored !== undefined) return stored
      const bytes = await this.#source.config(descriptor, CONFIG_BYTES)
      await this.#keep(key, descriptor.digest, bytes)
      return bytes
    })
  }

  /** What `select` reads of an index or a manifest. */
  read(descriptor: Descriptor, kind: 'manifest' | 'config'): Promise<Uint8Array> {
    return kind === 'manifest' ? this.manifest(descriptor.digest) : this.config(descriptor)
  }

  /** A blob's bytes, or a part of them, as the source gives them, not verified. */
  blob(descriptor: Descriptor, range?: BlobRange): Promise<ReadableStream<Uint8Array>> {
    return this.#source.blob(descriptor, range)
  }

  /**
   * What another request of the same caller is fetching already is waited for. When that one goes, or takes too long, this
   * one fetches itself.
   *
   * @param key names the caller, the place and what is fetched
   */
  async #once<T>(key: string, fetch: () => Promise<T>): Promise<T> {
    const { flights } = this.#memory
    const joined = flights.get(key)
    if (joined !== undefined) {
      const signal = this.#signal
      try {
        await waitFor(joined, { milliseconds: JOIN_MILLISECONDS, signal })
      } catch (error) {
        if (error instanceof Problem || signal?.aborted) throw error
      }
    }
    const flight = fetch()
    // Those that waited fetch from the store or the memory now, which the first has filled.
    if (!flights.has(key)) flights.set(key, flight)
    try {
      return await flight
    } finally {
      if (flights.get(key) === flight) flights.delete(key)
    }
  }

  async #stored(
    key: string,
    digest: string,
    kind: ContentKind,
    limit: number,
  ): Promise<Uint8Array | undefined> {
    // Asked first: how long a refusal takes must not tell whether the store has the bytes.
    if (!(await this.visibility.maySee(digest, kind))) return undefined
    const object = await this.#store.get(key)
    if (object === undefined) return undefined
    if (object.size > limit) {
      await object.body.cancel()
      throw new Problem('store_error', `the stored ${kind} ${digest} is too large`)
    }
    return new Uint8Array(await new Response(object.body).arrayBuffer())
  }

  async #keep(key: string, digest: string, bytes: Uint8Array): Promise<void> {
    await this.#store.put(key, bytes)
    await this.visibility.gave(digest)
  }
}
