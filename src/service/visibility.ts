/**
 * Who may see what. A digest is no secret, so knowing one shows nothing: bytes that the store holds are shown where a
 * registry once gave them to everybody, or where the caller's own registry gave them and says now, to this caller, that
 * this repository has them. All else is read again from that registry.
 */
import type { Host } from '../host.ts'
import { configKey, imageKey, manifestKey, sourceKey } from '../index/keys.ts'
import type { Descriptor } from '../oci/manifest.ts'
import { Problem } from '../problem.ts'
import { type Credential, credentialHash } from '../source/registry/auth/credentials.ts'
import type { Caller, RegistryClient, Repository } from '../source/registry/client.ts'
import { waitFor } from '../source/registry/wait.ts'
import { Cache } from './cache.ts'

/** How long a registry's yes holds for the same credential. */
const CONFIRMED_MILLISECONDS = 60_000
/** Another request's fetch is waited for so long: that request may have died with its caller. */
const JOIN_MILLISECONDS = 5_000
const MANIFEST_BYTES = 4 * 1024 * 1024
const CONFIG_BYTES = 8 * 1024 * 1024

export type Resolved = { readonly digest: string; readonly mediaType?: string }

/** What this process remembers of registries' answers; shared by all requests of a host. */
export class Memory {
  readonly resolved = new Cache<Resolved>({ entries: 10_000, milliseconds: CONFIRMED_MILLISECONDS })
  readonly confirmed = new Cache<true>({ entries: 100_000, milliseconds: CONFIRMED_MILLISECONDS })
  /** What is being fetched now, by caller, repository and name. */
  readonly flights = new Map<string, Promise<unknown>>()
  /** That bytes are public is never taken back. */
  readonly public = new Cache<true>({ entries: 100_000, milliseconds: 3_600_000 })
}

/** One caller before one repository. */
export class Access {
  readonly repository: Repository
  readonly credential: Credential | undefined
  readonly #host: Host
  readonly #client: RegistryClient
  readonly #memory: Memory
  readonly #caller: Caller
  /** Names the caller and the repository, without a secret in it. */
  readonly scope: string

  constructor(
    parts: { host: Host; client: RegistryClient; memory: Memory },
    repository: Repository,
    credential: Credential | undefined,
    signal?: AbortSignal,
  ) {
    this.#host = parts.host
    this.#client = parts.client
    this.#memory = parts.memory
    this.repository = repository
    this.credential = credential
    this.#caller = { ...(credential ? { credential } : {}), ...(signal ? { signal } : {}) }
    const hash = credential ? credentialHash(credential) : ''
    this.scope = `${repository.registry}/${repository.repository} ${hash}`
  }

  /** What a tag or digest names, by the registry's own word, which holds for a minute. */
  async resolve(tagOrDigest: string): Promise<Resolved> {
    const key = `${this.scope} ${tagOrDigest}`
    const known = this.#memory.resolved.get(key)
    if (known !== undefined) return known
    return this.#once(key, async () => {
      const told = this.#memory.resolved.get(key)
      if (told !== undefined) return told
      const resolved = await this.#client.resolve(this.repository, tagOrDigest, this.#caller)
      if (resolved.bytes !== undefined)
        await this.#keep(manifestKey(resolved.digest), resolved.digest, resolved.bytes)
      this.#memory.resolved.set(key, resolved)
      this.#memory.confirmed.set(`${this.scope} ${resolved.digest}`, true)
      return resolved
    })
  }

  /** The verified bytes of a manifest: the store's where the caller may see them, else the registry's. */
  async manifest(digest: string): Promise<Uint8Array> {
    const key = manifestKey(digest)
    return this.#once(`${this.scope} ${key}`, async () => {
      const stored = await this.#stored(key, digest, 'manifest', MANIFEST_BYTES)
      if (stored !== undefined) return stored
      const { bytes } = await this.#client.manifest(this.repository, digest, this.#caller)
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
      const limit = CONFIG_BYTES
      const bytes = await this.#client.blobBytes(this.repository, descriptor, this.#caller, { limit })
      await this.#keep(key, descriptor.digest, bytes)
      return bytes
    })
  }

  /** Whether what the store has by this digest may be shown to the caller. */
  async maySee(digest: string, kind: 'manifest' | 'blob'): Promise<boolean> {
    if (await this.isPublic(digest)) return true
    if (!(await this.#host.store.has(sourceKey(digest, this.repository.registry)))) return false
    const key = `${this.scope} ${digest}`
    if (this.#memory.confirmed.get(key)) return true
    const confirmed =
      kind === 'manifest'
        ? await this.#client.hasManifest(this.repository, digest, this.#caller)
        : await this.#client.hasBlob(this.repository, digest, this.#caller)
    if (confirmed) this.#memory.confirmed.set(key, true)
    return confirmed
  }

  /** Whether everything that the index tells of an image may be shown: each of its blobs. */
  async maySeeImage(digest: string, blobs: readonly Descriptor[]): Promise<boolean> {
    const marker = imageKey(digest, 'public')
    if (this.#memory.public.get(marker)) return true
    if (await this.#host.store.has(marker)) {
      this.#memory.public.set(marker, true)
      return true
    }
    // The last layer first and alone: it is the one that other images do not have, and tells the most by one question.
    const [last, ...others] = [...new Set(blobs.map((blob) => blob.digest))].reverse()
    if (last === undefined) return true
    if (!(await this.maySee(last, 'blob'))) return false
    if (!(await all(others, (blob) => this.maySee(blob, 'blob')))) return false
    const asAnybody = this.credential === undefined
    if (asAnybody && (await all([last, ...others], (blob) => this.isPublic(blob)))) {
      await this.#host.store.put(marker, new Uint8Array(0))
      this.#memory.public.set(marker, true)
    }
    return true
  }

  /** Whether a registry once gave these bytes to a caller without credentials. */
  async isPublic(digest: string): Promise<boolean> {
    if (this.#memory.public.get(digest)) return true
    const isPublic = await this.#host.store.has(sourceKey(digest, 'public'))
    if (isPublic) this.#memory.public.set(digest, true)
    return isPublic
  }

  /** Notes that the caller's registry gave bytes that are verified to have this digest. */
  async gave(digest: string): Promise<void> {
    const sources =
      this.credential === undefined ? [this.repository.registry, 'public'] : [this.repository.registry]
    await Promise.all(
      sources.map((source) => this.#host.store.put(sourceKey(digest, source), new Uint8Array(0))),
    )
    if (this.credential === undefined) this.#memory.public.set(digest, true)
    this.#memory.confirmed.set(`${this.scope} ${digest}`, true)
  }

  /** A blob's bytes as the registry gives them, not verified. */
  blob(descriptor: Descriptor): Promise<ReadableStream<Uint8Array>> {
    return this.#client.blob(this.repository, descriptor, this.#caller)
  }

  /**
   * What another request of the same caller is fetching already is waited for. When that one goes, or takes too long, this
   * one fetches itself.
   *
   * @param key names the caller, the repository and what is fetched
   */
  async #once<T>(key: string, fetch: () => Promise<T>): Promise<T> {
    const { flights } = this.#memory
    const joined = flights.get(key)
    if (joined !== undefined) {
      const { signal } = this.#caller
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
    kind: 'manifest' | 'blob',
    limit: number,
  ): Promise<Uint8Array | undefined> {
    // Asked first: how long a refusal takes must not tell whether the store has the bytes.
    if (!(await this.maySee(digest, kind))) return undefined
    const object = await this.#host.store.get(key)
    if (object === undefined) return undefined
    if (object.size > limit) {
      await object.body.cancel()
      throw new Problem('store_error', `the stored ${kind} ${digest} is too large`)
    }
    return new Uint8Array(await new Response(object.body).arrayBuffer())
  }

  async #keep(key: string, digest: string, bytes: Uint8Array): Promise<void> {
    await this.#host.store.put(key, bytes)
    await this.gave(digest)
  }
}

async function all<T>(items: readonly T[], holds: (item: T) => Promise<boolean>): Promise<boolean> {
  return (await Promise.all(items.map(holds))).every(Boolean)
}
