/** A repository of a registry as a source of images: the client's calls for one caller. */
import type { Configuration } from '../../configuration.ts'
import type { Credential } from '../../oci/credential.ts'
import type { Descriptor } from '../../oci/manifest.ts'
import type { Repository } from '../../oci/reference.ts'
import type { RegistryRef } from '../../oci/source-ref.ts'
import { Problem } from '../../problem.ts'
import { within } from '../../timeout.ts'
import type { BlobRange, ContentKind, ImageSource, ResolvedManifest } from '../source.ts'
import type { Caller, RegistryClient } from './client.ts'

/** How long a mirror may take before the registry is asked instead. */
const MIRROR_MILLISECONDS = 10_000
/** The same for a tag, which the registry also resolves. */
const MIRROR_TAG_MILLISECONDS = 3_000

export type RegistrySourceOptions = {
  readonly configuration: Pick<Configuration, 'publicCredentials' | 'mirrors'>
  readonly signal?: AbortSignal | undefined
}

export class RegistrySource implements ImageSource {
  readonly ref: RegistryRef
  readonly #client: RegistryClient
  readonly #caller: Caller
  /** A login that raises the registry's rate limits, used for public images on behalf of callers without credentials. */
  readonly #lent: Credential | undefined
  readonly #mirror: Repository | undefined

  constructor(client: RegistryClient, ref: RegistryRef, { configuration, signal }: RegistrySourceOptions) {
    this.ref = ref
    this.#client = client
    const { registry, repository, credential } = ref
    this.#caller = { ...(credential ? { credential } : {}), signal }
    this.#lent = credential === undefined ? configuration.publicCredentials.get(registry) : undefined
    const mirror = configuration.mirrors.get(registry)
    this.#mirror = mirror === undefined ? undefined : { registry: mirror, repository }
  }

  get isPublic(): boolean {
    return this.ref.credential === undefined
  }

  get isRemembered(): boolean {
    return true
  }

  async resolve(name: string, wanted?: 'manifest'): Promise<ResolvedManifest> {
    const mirrored = await this.#resolveByMirror(name)
    if (mirrored !== undefined) return mirrored
    // If a mirror has the manifest, the registry is only asked for its digest.
    const isOthers = this.#lent !== undefined || this.#mirror !== undefined
    if (wanted === undefined || isOthers) return this.#client.resolve(this.ref, name, this.#caller)
    return this.#client.manifest(this.ref, name, this.#caller)
  }

  /**
   * The mirror's answer for a tag, if the registry confirms to this caller that it has that digest: a mirror may be outdated,
   * but cannot name anything that the registry does not show.
   */
  async #resolveByMirror(name: string): Promise<ResolvedManifest | undefined> {
    const isDigest = name.includes(':')
    if (this.#mirror === undefined || isDigest) return undefined
    try {
      const { digest, mediaType } = await this.#readMirror(
        this.#mirror,
        (repository, caller) => this.#client.resolve(repository, name, caller),
        MIRROR_TAG_MILLISECONDS,
      )
      if (!(await this.has(digest, 'manifest'))) return undefined
      return { digest, ...(mediaType === undefined ? {} : { mediaType }) }
    } catch (error) {
      this.#caller.signal?.throwIfAborted()
      if (error instanceof Problem) return undefined
      throw error
    }
  }

  async manifest(digest: string, name = digest): Promise<Uint8Array> {
    try {
      return await this.#read({ digest, kind: 'manifest' }, async (repository, caller) => {
        return (await this.#client.manifest(repository, digest, caller)).bytes
      })
    } catch (error) {
      const isMissing = error instanceof Problem && error.code === 'image_not_found'
      if (!isMissing || name === digest) throw error
      return this.#contradicted(digest, name)
    }
  }

  /** The registry resolved the name to a digest that it does not have; reading by name reveals why. */
  async #contradicted(digest: string, name: string): Promise<Uint8Array> {
    const named = await this.#client.manifest(this.ref, name, this.#caller)
    if (named.digest === digest) return named.bytes
    const { registry, repository } = this.ref
    throw new Problem(
      'invalid_image',
      `${registry} said that ${registry}/${repository}:${name} has the digest ${digest}, but sent a manifest with the digest ${named.digest}; try again if the tag has just moved`,
    )
  }

  config(descriptor: Descriptor, limit: number): Promise<Uint8Array> {
    return this.#read({ digest: descriptor.digest, kind: 'blob' }, (repository, caller) =>
      this.#client.blobBytes(repository, descriptor, caller, { limit }),
    )
  }

  blob(descriptor: Descriptor, range?: BlobRange): Promise<ReadableStream<Uint8Array>> {
    return this.#read({ digest: descriptor.digest, kind: 'blob' }, (repository, caller) =>
      this.#client.blob(repository, descriptor, caller, range),
    )
  }

  has(digest: string, kind: ContentKind): Promise<boolean> {
    return kind === 'manifest'
      ? this.#client.hasManifest(this.ref, digest, this.#caller)
      : this.#client.hasBlob(this.ref, digest, this.#caller)
  }

  /**
   * Reads an object by digest: anonymously from the mirror, if there is one, else from the registry.
   *
   * What a mirror or the shared login reads counts as shown to this caller, so the registry must show it to this caller: a HEAD,
   * which no registry counts as a pull, checks whether it does.
   */
  async #read<T>(
    { digest, kind }: { readonly digest: string; readonly kind: ContentKind },
    read: (repository: Repository, caller: Caller) => Promise<T>,
  ): Promise<T> {
    const { signal } = this.#caller
    const isOthers = this.#mirror !== undefined || this.#lent !== undefined
    if (!isOthers || !(await this.has(digest, kind))) return read(this.ref, this.#caller)
    if (this.#mirror !== undefined) {
      try {
        return await this.#readMirror(this.#mirror, read)
      } catch (error) {
        signal?.throwIfAborted()
        if (!(error instanceof Problem)) throw error
      }
    }
    return read(
      this.ref,
      this.#lent === undefined ? this.#caller : { ...this.#caller, credential: this.#lent },
    )
  }

  /** A silent mirror must leave time for the registry. */
  #readMirror<T>(
    mirror: Repository,
    read: (repository: Repository, caller: Caller) => Promise<T>,
    milliseconds = MIRROR_MILLISECONDS,
  ): Promise<T> {
    const error = () =>
      new Problem(
        'registry_timeout',
        `the mirror ${mirror.registry} did not answer within ${milliseconds / 1000} s`,
      )
    return within({ milliseconds, signal: this.#caller.signal, error }, (signal) => read(mirror, { signal }))
  }
}
