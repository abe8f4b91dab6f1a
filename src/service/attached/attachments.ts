/** Reads what is attached to an image, with its caller's credentials, within the time of one answer. */
import type { Descriptor } from '../../oci/manifest.ts'
import type { RegistryRef } from '../../oci/source-ref.ts'
import type { OpenedImage } from '../../open/open-image.ts'
import type { Service } from '../../open/service.ts'
import { Problem } from '../../problem.ts'
import type { Caller, FetchedManifest } from '../../source/registry/client.ts'
import type { ReferrersPage } from '../../source/registry/referrers.ts'
import { within } from '../../timeout.ts'

/** How long a list may take, and each of its questions. */
export type ListingTime = { readonly allMilliseconds: number; readonly eachMilliseconds: number }

/** The answer comes within 30 s. */
export const LISTING_TIME: ListingTime = { allMilliseconds: 28_000, eachMilliseconds: 10_000 }

export class Attachments {
  readonly #service: Service
  readonly #source: OpenedImage['source']
  readonly #signal: AbortSignal
  readonly #each: number
  readonly #end: number

  constructor(
    service: Service,
    { source, askedAt }: OpenedImage,
    { signal, time = LISTING_TIME }: { readonly signal: AbortSignal; readonly time?: ListingTime },
  ) {
    this.#service = service
    this.#source = source
    this.#signal = signal
    this.#each = time.eachMilliseconds
    this.#end = askedAt + time.allMilliseconds
  }

  /** Archives and engines have only what is in the index. */
  get isRegistry(): boolean {
    return this.#registry !== undefined
  }

  get #registry(): RegistryRef | undefined {
    const { ref } = this.#source
    return ref.kind === 'registry' ? ref : undefined
  }

  /**
   * One page of what the registry lists.
   *
   * @param query the `next` of the page before
   * @returns undefined if the registry does not have the API
   */
  async referrers(digest: string, query: string | undefined): Promise<ReferrersPage | undefined> {
    const registry = this.#registry
    if (registry === undefined) return undefined
    return this.#ask(`the referrers of ${digest}`, (caller) =>
      this.#service.client.referrers({ ...registry, digest, query }, caller),
    )
  }

  /** Undefined if there is no such tag. */
  async tagged(tag: string): Promise<FetchedManifest | undefined> {
    const registry = this.#registry
    if (registry === undefined) return undefined
    try {
      return await this.#ask(`the tag ${tag}`, (caller) =>
        this.#service.client.artifact(registry, tag, caller),
      )
    } catch (error) {
      if (error instanceof Problem && error.code === 'image_not_found') return undefined
      throw error
    }
  }

  /** Verified. */
  async manifest(digest: string): Promise<Uint8Array> {
    const registry = this.#registry
    const what = `the manifest ${digest}`
    if (registry === undefined) return this.#ask(what, () => this.#source.manifest(digest))
    const { bytes } = await this.#ask(what, (caller) =>
      this.#service.client.artifact(registry, digest, caller),
    )
    return bytes
  }

  /** Verified. @throws Problem `too_large` past `limit` bytes */
  blob(descriptor: Descriptor, limit: number): Promise<Uint8Array> {
    const registry = this.#registry
    return this.#ask(`the blob ${descriptor.digest}`, (caller) =>
      registry === undefined
        ? this.#source.document(descriptor, limit)
        : this.#service.client.blobBytes(registry, descriptor, caller, { limit }),
    )
  }

  async #ask<T>(what: string, ask: (caller: Caller) => Promise<T>): Promise<T> {
    const now = Date.now()
    const milliseconds = Math.min(this.#each, this.#end - now)
    const error = () => new Problem('registry_timeout', `could not read ${what} in time; try again later`)
    if (milliseconds <= 0) throw error()
    const credential = this.#registry?.credential
    // No retry begins after the limit; the limit itself says so in its own words.
    const deadline = now + milliseconds + 1_000
    return within({ milliseconds, signal: this.#signal, error }, (signal) =>
      ask({ ...(credential === undefined ? {} : { credential }), signal, deadline }),
    )
  }
}
