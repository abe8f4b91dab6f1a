/**
 * Reads images from registries, by the distribution protocol over HTTP. This file is the registry's client: manifests,
 * configs, layers and tags.
 */

import type { Configuration } from '../../configuration.ts'
import type { Fetch } from '../../host.ts'
import { ORAS_ARTIFACT } from '../../oci/artifact.ts'
import type { Credential } from '../../oci/credential.ts'
import { digestOf, isSha256 } from '../../oci/digest.ts'
import { type Descriptor, MANIFEST_MEDIA_TYPES } from '../../oci/manifest.ts'
import type { Repository } from '../../oci/reference.ts'
import { Problem } from '../../problem.ts'
import type { BlobRange, ResolvedManifest } from '../source.ts'
import { AuthenticatedClient, type Caller, type Question } from './ask.ts'
import type { Authorization } from './auth/token.ts'
import { openBlob } from './blob.ts'
import { discard, readAll, type Timeouts } from './body.ts'
import { type Clock, systemClock } from './clock.ts'
import { type ReferrersPage, readReferrers } from './referrers.ts'
import { readTags, type TagPage, type TagsQuestion } from './tags.ts'
import { type RetryPolicy, Transport } from './transport.ts'

export type { Repository } from '../../oci/reference.ts'
export type { Caller } from './ask.ts'

export type FetchedManifest = {
  readonly digest: string
  /** The registry's, without parameters. */
  readonly mediaType?: string
  readonly bytes: Uint8Array
}

/** Time and chance, which tests replace. */
export type ClientOptions = {
  readonly clock?: Clock
  readonly timeouts?: Partial<Timeouts>
  readonly policy?: Partial<RetryPolicy>
}

const MAX_MANIFEST_BYTES = 4 * 1024 * 1024

const TIMEOUTS: Timeouts = {
  idleMilliseconds: 30_000,
  floorMilliseconds: 60_000,
  floorBytesPerSecond: 64 * 1024,
}
const POLICY: RetryPolicy = {
  retries: 5,
  backoffMilliseconds: 250,
  waitMilliseconds: 55_000,
  // Whoever waits a minute for an answer gets this one.
  questionMilliseconds: 55_000,
}

const ACCEPT_MANIFESTS = MANIFEST_MEDIA_TYPES.join(', ')

/** A `Content-Type` without its parameters; undefined without one. */
function mediaTypeOf(response: Response): { readonly mediaType?: string } {
  const mediaType = response.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase()
  return mediaType ? { mediaType } : {}
}

/** The digest from the registry, if it is valid. */
function declaredDigest(response: Response): string | undefined {
  const digest = response.headers.get('docker-content-digest')
  return digest !== null && isSha256(digest) ? digest : undefined
}

function manifestQuestion(
  method: 'GET' | 'HEAD',
  reference: string,
  accept: string = ACCEPT_MANIFESTS,
): Question {
  return {
    method,
    path: `manifests/${reference}`,
    headers: { accept },
    subject: { kind: 'manifest', reference },
  }
}

/** Statuses of registries that do not support HEAD. */
const NO_HEAD = new Set([400, 405, 501])

/** The registry may show it to others, or not have it. */
const NOT_SHOWN = new Set(['unauthorized', 'image_not_found', 'layer_unavailable'])

export class RegistryClient {
  readonly #authenticatedClient: AuthenticatedClient

  constructor(parts: { readonly fetch: Fetch; readonly configuration: Configuration } & ClientOptions) {
    const { fetch, configuration, clock = systemClock } = parts
    const timeouts = { ...TIMEOUTS, ...parts.timeouts }
    const policy = { ...POLICY, ...parts.policy }
    const transport = new Transport({ fetch, configuration, clock, timeouts, policy })
    this.#authenticatedClient = new AuthenticatedClient({ transport, configuration })
  }

  /** The `Authorization` that this client sends for a repository, if any, for another thread's client. */
  lendAuthorization(repository: Repository, credential: Credential | undefined): Authorization | undefined {
    return this.#authenticatedClient.authorizer.lend({ repository, credential })
  }

  /** Takes over the token of another thread's client, so that only one request goes to the token server. */
  borrowAuthorization(
    repository: Repository,
    credential: Credential | undefined,
    authorization: Authorization,
  ): void {
    this.#authenticatedClient.authorizer.borrow({ repository, credential }, authorization)
  }

  /**
   * Resolves a tag or digest by a HEAD, which Docker Hub does not count as a pull. If the registry sends no valid
   * digest, this reads the manifest and hashes it.
   *
   * @throws Problem `image_not_found`, `unauthorized`, `forbidden_registry`, `registry_error`, `registry_timeout`; what
   * {@link manifest} throws
   */
  async resolve(repository: Repository, tagOrDigest: string, caller: Caller): Promise<ResolvedManifest> {
    const question = manifestQuestion('HEAD', tagOrDigest)
    const declared = await this.#authenticatedClient.ask(
      repository,
      question,
      caller,
      async (answer, { refuse }) => {
        if (NO_HEAD.has(answer.response.status)) return undefined
        if (answer.response.status !== 200) throw await refuse()
        await discard(answer.response)
        const digest = declaredDigest(answer.response)
        return digest && { digest, ...mediaTypeOf(answer.response) }
      },
    )
    if (!declared || (isSha256(tagOrDigest) && declared.digest !== tagOrDigest))
      return this.manifest(repository, tagOrDigest, caller)
    return declared
  }

  /**
   * The bytes are those of `digest`.
   *
   * @throws Problem as {@link resolve}; `too_large` over 4 MiB, `invalid_image` if the bytes have another digest than
   * requested, or than the registry says
   */
  async manifest(repository: Repository, tagOrDigest: string, caller: Caller): Promise<FetchedManifest> {
    return this.#manifest(repository, manifestQuestion('GET', tagOrDigest), tagOrDigest, caller)
  }

  /** The manifest of any artifact. @throws Problem as {@link manifest} */
  async artifact(repository: Repository, tagOrDigest: string, caller: Caller): Promise<FetchedManifest> {
    const question = manifestQuestion('GET', tagOrDigest, `${ACCEPT_MANIFESTS}, ${ORAS_ARTIFACT}`)
    return this.#manifest(repository, question, tagOrDigest, caller)
  }

  /**
   * One page of what the registry knows to refer to a manifest.
   *
   * @param subject.query the `next` of the page before
   * @returns undefined if the registry does not have the API
   */
  referrers(
    subject: Repository & { readonly digest: string; readonly query?: string | undefined },
    caller: Caller,
  ): Promise<ReferrersPage | undefined> {
    return readReferrers(this.#authenticatedClient, subject, caller)
  }

  #manifest(
    repository: Repository,
    question: Question,
    tagOrDigest: string,
    caller: Caller,
  ): Promise<FetchedManifest> {
    return this.#authenticatedClient.ask(repository, question, caller, async (answer, { refuse, signal }) => {
      const { response } = answer
      if (response.status !== 200) throw await refuse()
      const what = `the manifest ${tagOrDigest} of ${repository.registry}/${repository.repository}`
      const { timeouts } = this.#authenticatedClient.transport
      const bytes = await readAll(response, { limit: MAX_MANIFEST_BYTES, what, timeouts, signal })
      const digest = digestOf(bytes)
      const expected = isSha256(tagOrDigest) ? tagOrDigest : declaredDigest(response)
      if (expected !== undefined && expected !== digest)
        throw new Problem(
          'invalid_image',
          `${repository.registry} sent ${what} with the digest ${digest} instead of ${expected}`,
        )
      return { digest, bytes, ...mediaTypeOf(response) }
    })
  }

  /**
   * A config, or another blob small enough to hold in memory. Its bytes match the descriptor.
   *
   * @throws Problem `too_large`, `invalid_image` for bytes of another digest or size, `registry_error` if the registry does not
   *   have it; as {@link resolve}
   */
  async blobBytes(
    repository: Repository,
    descriptor: Descriptor,
    caller: Caller,
    options: { readonly limit: number },
  ): Promise<Uint8Array> {
    const { digest, size } = descriptor
    const what = `the config ${digest} of ${repository.registry}/${repository.repository}`
    if (size > options.limit)
      throw new Problem('too_large', `${what} has ${size} bytes; the limit is ${options.limit}`, {
        permanent: true,
      })
    const question: Question = { method: 'GET', path: `blobs/${digest}`, subject: { kind: 'config', digest } }
    const bytes = await this.#authenticatedClient.ask(
      repository,
      question,
      caller,
      async (answer, { refuse, signal }) => {
        if (answer.response.status !== 200) throw await refuse()
        const { timeouts } = this.#authenticatedClient.transport
        return readAll(answer.response, { limit: options.limit, what, timeouts, signal })
      },
    )
    const actual = digestOf(bytes)
    if (actual !== digest)
      throw new Problem(
        'invalid_image',
        `${repository.registry} sent ${what} with the digest ${actual} instead`,
      )
    if (bytes.byteLength !== size)
      throw new Problem(
        'invalid_image',
        `${what} has ${bytes.byteLength} bytes; its descriptor says ${size}`,
        { permanent: true },
      )
    return bytes
  }

  /** Whether the registry says to this caller that the repository has this blob. @throws Problem as {@link resolve} */
  hasBlob(repository: Repository, digest: string, caller: Caller): Promise<boolean> {
    return this.#has(
      repository,
      { method: 'HEAD', path: `blobs/${digest}`, subject: { kind: 'blob', digest } },
      caller,
    )
  }

  /** Whether the registry says to this caller that the repository has this manifest. @throws Problem as {@link resolve} */
  hasManifest(repository: Repository, digest: string, caller: Caller): Promise<boolean> {
    return this.#has(repository, manifestQuestion('HEAD', digest), caller)
  }

  /**
   * A layer as the registry sends it, or a range of it: a byte stream that continues after a dropped connection, is not
   * verified, and never has more than one byte beyond the descriptor's size. If the registry ignores ranges, the layer is read
   * from the start.
   *
   * @throws Problem `layer_unavailable` for an encrypted layer, one that the registry does not have, or a foreign one that none
   *   of its URLs has; as {@link resolve}. The stream fails with `registry_error` or `registry_timeout`, or with the signal's
   *   reason
   */
  async blob(
    repository: Repository,
    descriptor: Descriptor,
    caller: Caller,
    range?: BlobRange,
  ): Promise<ReadableStream<Uint8Array>> {
    return openBlob(this.#authenticatedClient, repository, { descriptor, range }, caller)
  }

  /**
   * Names in the registry's order.
   *
   * @throws Problem `image_not_found` if there is no such repository, `invalid_parameter` for a forged `after`; as {@link
   *   resolve}
   */
  tags(repository: Repository, caller: Caller, question: TagsQuestion): Promise<TagPage> {
    return readTags(this.#authenticatedClient, repository, caller, question)
  }

  async #has(repository: Repository, question: Question, caller: Caller): Promise<boolean> {
    try {
      return await this.#authenticatedClient.ask(
        repository,
        question,
        caller,
        async ({ response }, { refuse }) => {
          if (NO_HEAD.has(response.status)) return false
          if (response.status !== 200) throw await refuse()
          await discard(response)
          const declared = declaredDigest(response)
          return declared === undefined || question.path.endsWith(declared)
        },
      )
    } catch (error) {
      if (error instanceof Problem && NOT_SHOWN.has(error.code)) return false
      throw error
    }
  }
}
