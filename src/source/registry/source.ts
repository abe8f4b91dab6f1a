/** A repository of a registry as a source of images: the client's calls for one caller. */
import type { Descriptor } from '../../oci/manifest.ts'
import { Problem } from '../../problem.ts'
import type { BlobRange, ContentKind, ImageSource, RegistryRef, ResolvedManifest } from '../source.ts'
import type { Caller, RegistryClient } from './client.ts'

export class RegistrySource implements ImageSource {
  readonly ref: RegistryRef
  readonly #client: RegistryClient
  readonly #caller: Caller

  constructor(client: RegistryClient, ref: RegistryRef, signal?: AbortSignal) {
    this.ref = ref
    this.#client = client
    const { credential } = ref
    this.#caller = { ...(credential ? { credential } : {}), ...(signal ? { signal } : {}) }
  }

  get isPublic(): boolean {
    return this.ref.credential === undefined
  }

  resolve(name: string): Promise<ResolvedManifest> {
    return this.#client.resolve(this.ref, name, this.#caller)
  }

  async manifest(digest: string, name = digest): Promise<Uint8Array> {
    try {
      return (await this.#client.manifest(this.ref, digest, this.#caller)).bytes
    } catch (error) {
      const isMissing = error instanceof Problem && error.code === 'image_not_found'
      if (!isMissing || name === digest) throw error
      return this.#contradicted(digest, name)
    }
  }

  /** The registry said that the name stands for a digest that it does not have: what the name brings tells why. */
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
    return this.#client.blobBytes(this.ref, descriptor, this.#caller, { limit })
  }

  blob(descriptor: Descriptor, range?: BlobRange): Promise<ReadableStream<Uint8Array>> {
    return this.#client.blob(this.ref, descriptor, this.#caller, range)
  }

  has(digest: string, kind: ContentKind): Promise<boolean> {
    return kind === 'manifest'
      ? this.#client.hasManifest(this.ref, digest, this.#caller)
      : this.#client.hasBlob(this.ref, digest, this.#caller)
  }
}
