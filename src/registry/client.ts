/** The registry as its users see it: manifests, configs, blobs and tags, whatever stands between. */
import type { Configuration } from '../configuration.ts'
import type { Fetch } from '../host.ts'
import { Problem } from '../problem.ts'
import type { Repository } from '../reference.ts'
import { type BlobPart, type BlobSource, blobStream } from './blob-stream.ts'
import { discard, type Patience, readAll } from './body.ts'
import { type Clock, systemClock } from './clock.ts'
import type { Credential } from './credentials.ts'
import { digestOf, isSha256 } from './digest.ts'
import { type Asked, problemOf, type Subject } from './failure.ts'
import { endpointOf, guardNamed, guardRepository } from './guard.ts'
import { type Descriptor, isEncrypted, MANIFEST_MEDIA_TYPES } from './manifest.ts'
import { formatTagPlace, nextLink, parseTagPage, parseTagPlace, type TagPage, type TagPlace } from './tags.ts'
import { Authorizer } from './token.ts'
import { type Answer, failureOf, type Outgoing, type RetryPolicy, Transport } from './transport.ts'
import { StalledError } from './wait.ts'

export type { Repository } from '../reference.ts'

/** Who asks, and for how long. */
export type Asker = {
  readonly credential?: Credential
  readonly signal?: AbortSignal
  /** Milliseconds since 1970 after which an answer is of no use: no retry waits beyond. */
  readonly deadline?: number
}

export type ResolvedManifest = {
  readonly digest: string
  readonly mediaType?: string
  /** Where the registry did not tell the digest, and the manifest had to be read for it. */
  readonly bytes?: Uint8Array
}

export type FetchedManifest = {
  readonly digest: string
  /** As the registry told it, without parameters. */
  readonly mediaType?: string
  readonly bytes: Uint8Array
}

/** What tests turn faster than it is. */
export type ClientOptions = {
  readonly clock?: Clock
  readonly patience?: Partial<Patience>
  readonly policy?: Partial<RetryPolicy>
}

const MAX_MANIFEST_BYTES = 4 * 1024 * 1024
const MAX_TAGS_BYTES = 4 * 1024 * 1024
/** Pages of tags that are asked for to fill one of ours. */
const MAX_TAG_PAGES = 20

const PATIENCE: Patience = {
  idleMilliseconds: 30_000,
  floorMilliseconds: 60_000,
  floorBytesPerSecond: 64 * 1024,
}
const POLICY: RetryPolicy = { retries: 5, backoffMilliseconds: 250, waitMilliseconds: 60_000 }

const ACCEPT_MANIFESTS = MANIFEST_MEDIA_TYPES.join(', ')

type Request = {
  readonly method: 'GET' | 'HEAD'
  /** Below `/v2/<repository>/`. */
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly subject: Subject
}

/** A `Content-Type` without its parameters; undefined where there is none. */
function mediaTypeOf(response: Response): { readonly mediaType?: string } {
  const mediaType = response.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase()
  return mediaType ? { mediaType } : {}
}

/** The digest that the registry tells, where it is one that can be relied on to name something. */
function toldDigest(response: Response): string | undefined {
  const digest = response.headers.get('docker-content-digest')
  return digest !== null && isSha256(digest) ? digest : undefined
}

function manifestRequest(method: 'GET' | 'HEAD', reference: string): Request {
  return {
    method,
    path: `manifests/${reference}`,
    headers: { accept: ACCEPT_MANIFESTS },
    subject: { kind: 'manifest', reference },
  }
}

/** Statuses of registries that know no HEAD. */
const NO_HEAD = new Set([400, 405, 501])

/** What a registry shows to others or not at all. */
const NOT_SHOWN = new Set(['unauthorized', 'image_not_found', 'layer_unavailable'])

export class RegistryClient {
  readonly #configuration: Configuration
  readonly #transport: Transport
  readonly #authorizer: Authorizer

  constructor(parts: { readonly fetch: Fetch; readonly configuration: Configuration } & ClientOptions) {
    const { fetch, configuration, clock = systemClock } = parts
    this.#configuration = configuration
    this.#transport = new Transport({
      fetch,
      configuration,
      clock,
      patience: { ...PATIENCE, ...parts.patience },
      policy: { ...POLICY, ...parts.policy },
    })
    this.#authorizer = new Authorizer({ transport: this.#transport, configuration })
  }

  /**
   * What a tag or digest names, by the registry's word: a HEAD, which Docker Hub does not count as a pull. A registry
   * that does not tell the digest, or no good one, is asked for the manifest itself, which is then hashed.
   *
   * @throws Problem `image_not_found`, `unauthorized`, `forbidden_registry`, `registry_error`, `registry_timeout`; what
   * {@link manifest} throws
   */
  async resolve(repository: Repository, tagOrDigest: string, asker: Asker): Promise<ResolvedManifest> {
    const request = manifestRequest('HEAD', tagOrDigest)
    const told = await this.#ask(repository, request, asker, async (answer, refuse) => {
      if (NO_HEAD.has(answer.response.status)) return undefined
      if (answer.response.status !== 200) throw await refuse()
      await discard(answer.response)
      const digest = toldDigest(answer.response)
      return digest && { digest, ...mediaTypeOf(answer.response) }
    })
    if (!told || (isSha256(tagOrDigest) && told.digest !== tagOrDigest))
      return this.manifest(repository, tagOrDigest, asker)
    return told
  }

  /**
   * The bytes are those of `digest`.
   *
   * @throws Problem as {@link resolve}; `too_large` over 4 MiB, `invalid_image` for bytes of another digest than was asked
   * for, or than the registry tells
   */
  async manifest(repository: Repository, tagOrDigest: string, asker: Asker): Promise<FetchedManifest> {
    const request = manifestRequest('GET', tagOrDigest)
    return this.#ask(repository, request, asker, async (answer, refuse) => {
      const { response } = answer
      if (response.status !== 200) throw await refuse()
      const what = `the manifest ${tagOrDigest} of ${repository.registry}/${repository.repository}`
      const bytes = await readAll(response, MAX_MANIFEST_BYTES, what, this.#transport.patience)
      const digest = digestOf(bytes)
      const expected = isSha256(tagOrDigest) ? tagOrDigest : toldDigest(response)
      if (expected !== undefined && expected !== digest)
        throw new Problem(
          'invalid_image',
          `${repository.registry} gave a manifest with the digest ${digest} for ${expected}`,
        )
      return { digest, bytes, ...mediaTypeOf(response) }
    })
  }

  /**
   * A config, or another blob that is small enough to be held. Its bytes are those of the descriptor.
   *
   * @throws Problem `too_large`, `invalid_image` for bytes of another digest or size, `registry_error` where the registry
   * does not have it; as {@link resolve}
   */
  async blobBytes(
    repository: Repository,
    descriptor: Descriptor,
    asker: Asker,
    options: { readonly limit: number },
  ): Promise<Uint8Array> {
    const { digest, size } = descriptor
    if (size > options.limit)
      throw new Problem(
        'too_large',
        `the config has ${size} bytes, more than the limit of ${options.limit}`,
        {
          lasting: true,
        },
      )
    const request: Request = { method: 'GET', path: `blobs/${digest}`, subject: { kind: 'config', digest } }
    const bytes = await this.#ask(repository, request, asker, async (answer, refuse) => {
      if (answer.response.status !== 200) throw await refuse()
      return readAll(answer.response, options.limit, `the config ${digest}`, this.#transport.patience)
    })
    const actual = digestOf(bytes)
    if (actual !== digest)
      throw new Problem(
        'invalid_image',
        `${repository.registry} gave a blob with the digest ${actual} for ${digest}`,
      )
    if (bytes.byteLength !== size)
      throw new Problem(
        'invalid_image',
        `the config ${digest} has ${bytes.byteLength} bytes, its descriptor says ${size}`,
        { lasting: true },
      )
    return bytes
  }

  /** Whether the registry says to this asker that the repository has this blob. @throws Problem as {@link resolve} */
  hasBlob(repository: Repository, digest: string, asker: Asker): Promise<boolean> {
    return this.#has(
      repository,
      { method: 'HEAD', path: `blobs/${digest}`, subject: { kind: 'blob', digest } },
      asker,
    )
  }

  /** Whether the registry says to this asker that the repository has this manifest. @throws Problem as {@link resolve} */
  hasManifest(repository: Repository, digest: string, asker: Asker): Promise<boolean> {
    return this.#has(repository, manifestRequest('HEAD', digest), asker)
  }

  /**
   * A layer as the registry gives it: a byte stream that goes on after a cut, is not verified, and never has more than
   * one byte beyond the descriptor's size.
   *
   * @throws Problem `layer_unavailable` for an encrypted layer, one that the registry does not have, a foreign one that none
   * of its addresses has; as {@link resolve}. The stream fails with `registry_error` or `registry_timeout`, or with the
   * signal's reason
   */
  async blob(
    repository: Repository,
    descriptor: Descriptor,
    asker: Asker,
  ): Promise<ReadableStream<Uint8Array>> {
    if (isEncrypted(descriptor))
      throw new Problem('layer_unavailable', `the layer ${descriptor.digest} is encrypted`, { lasting: true })
    const { open, first } = await this.#openBlob(repository, descriptor, asker)
    const source: BlobSource = {
      open,
      patience: this.#transport.patience,
      recover: (error, cuts) => this.#recover(repository.registry, asker, error, cuts),
    }
    return blobStream(source, first, descriptor.size + 1)
  }

  /**
   * Names in the registry's order.
   *
   * @param page.after the `next` of the page before
   * @throws Problem `image_not_found` where there is no such repository, `invalid_parameter` for an `after` of someone's
   * own; as {@link resolve}
   */
  async tags(
    repository: Repository,
    asker: Asker,
    page: { readonly limit: number; readonly after?: string },
  ): Promise<TagPage> {
    const names: string[] = []
    let place: TagPlace =
      page.after === undefined ? { query: `n=${page.limit}`, skip: 0 } : parseTagPlace(page.after)
    for (let pages = 0; pages < MAX_TAG_PAGES && names.length < page.limit; pages++) {
      const { tags, nextQuery } = await this.#tagPage(repository, asker, place.query)
      const fresh = tags.slice(place.skip)
      const room = page.limit - names.length
      names.push(...fresh.slice(0, room))
      if (fresh.length > room) return { names, next: formatTagPlace({ ...place, skip: place.skip + room }) }
      if (nextQuery === undefined) return { names }
      if (nextQuery === place.query)
        throw new Problem('registry_error', `${repository.registry}'s list of tags leads back to itself`)
      place = { query: nextQuery, skip: 0 }
    }
    return { names, next: formatTagPlace(place) }
  }

  async #tagPage(
    repository: Repository,
    asker: Asker,
    query: string,
  ): Promise<{ readonly tags: readonly string[]; readonly nextQuery: string | undefined }> {
    const { registry } = repository
    const request: Request = { method: 'GET', path: `tags/list?${query}`, subject: { kind: 'tags' } }
    return this.#ask(repository, request, asker, async ({ response }, refuse) => {
      if (response.status !== 200) throw await refuse()
      const bytes = await readAll(
        response,
        MAX_TAGS_BYTES,
        `${registry}'s list of tags`,
        this.#transport.patience,
      )
      return { tags: parseTagPage(bytes, registry), nextQuery: this.#nextQuery(response, registry) }
    })
  }

  /** Of the link only the query is used: the path is known, and the address is the registry's own. */
  #nextQuery(response: Response, registry: string): string | undefined {
    const link = nextLink(response.headers.get('link'))
    if (link === undefined) return undefined
    const base = endpointOf(registry, 'https')
    const url = URL.parse(link, base)
    if (url === null)
      throw new Problem('registry_error', `${registry} links to a page of tags that is no address`)
    guardNamed(url, 'page link', registry, this.#configuration)
    return url.search.slice(1) || undefined
  }

  async #has(repository: Repository, request: Request, asker: Asker): Promise<boolean> {
    try {
      return await this.#ask(repository, request, asker, async ({ response }, refuse) => {
        if (NO_HEAD.has(response.status)) return false
        if (response.status !== 200) throw await refuse()
        await discard(response)
        const told = toldDigest(response)
        return told === undefined || request.path.endsWith(told)
      })
    } catch (error) {
      if (error instanceof Problem && NOT_SHOWN.has(error.code)) return false
      throw error
    }
  }

  /** The blob from the registry or, where that does not have it, from the addresses that the descriptor names. */
  async #openBlob(
    repository: Repository,
    descriptor: Descriptor,
    asker: Asker,
  ): Promise<{ readonly open: BlobSource['open']; readonly first: BlobPart }> {
    const { digest, urls = [] } = descriptor
    const request: Request = { method: 'GET', path: `blobs/${digest}`, subject: { kind: 'blob', digest } }
    const open = (offset: number) =>
      this.#ask(repository, { ...request, headers: rangeFrom(offset) }, asker, (answer, refuse) =>
        partOf(answer, offset, refuse),
      )
    try {
      return { open, first: (await open(0)) ?? nothing() }
    } catch (error) {
      if (urls.length === 0 || !(error instanceof Problem && error.code === 'layer_unavailable')) throw error
      return this.#openForeign(repository, descriptor, asker)
    }
  }

  async #openForeign(
    repository: Repository,
    { digest, urls = [] }: Descriptor,
    asker: Asker,
  ): Promise<{ readonly open: BlobSource['open']; readonly first: BlobPart }> {
    let last: Problem | undefined
    for (const text of urls) {
      try {
        const open = this.#foreignAddress(repository, digest, text, asker)
        return { open, first: (await open(0)) ?? nothing() }
      } catch (error) {
        if (!(error instanceof Problem)) throw error
        if (last?.code !== 'forbidden_registry') last = error
      }
    }
    if (last?.code === 'forbidden_registry') throw last
    const why = last === undefined ? '' : `: ${last.message}`
    throw new Problem(
      'layer_unavailable',
      `none of the addresses of the foreign layer ${digest} gave it${why}`,
    )
  }

  #foreignAddress(repository: Repository, digest: string, text: string, asker: Asker): BlobSource['open'] {
    const url = URL.parse(text)
    if (url === null)
      throw new Problem('layer_unavailable', `the foreign layer ${digest} has an address that is none`)
    guardNamed(url, 'foreign layer', repository.registry, this.#configuration)
    const subject: Subject = { kind: 'blob', digest }
    const asked: Asked = { ...repository, registry: url.host, subject, withCredential: 'without' }
    return (offset) =>
      this.#transport.exchange(
        {
          registry: repository.registry,
          to: url,
          method: 'GET',
          headers: rangeFrom(offset),
          ...limitsOf(asker),
        },
        (answer) => partOf(answer, offset, () => this.#problemOf({ ...answer, redirected: true }, asked)),
      )
  }

  /** Waits before a blob that was cut is opened again, or says why it is not to be. */
  async #recover(registry: string, asker: Asker, error: unknown, cuts: number): Promise<void> {
    asker.signal?.throwIfAborted()
    if (error instanceof Problem) throw error
    if (error instanceof StalledError && error.tooSlow)
      throw new Problem('registry_timeout', `${registry} is too slow: ${error.message}`)
    if (cuts > this.#transport.retries) throw this.#transport.unreachable(registry, failureOf(error))
    await this.#transport.clock.sleep(this.#transport.backoff(cuts - 1), asker.signal)
  }

  /** One question, with whatever authorization the registry wants. */
  async #ask<T>(
    repository: Repository,
    request: Request,
    asker: Asker,
    use: (answer: Answer, refuse: () => Promise<Problem>) => Promise<T>,
  ): Promise<T> {
    guardRepository(repository, this.#configuration)
    const { credential, signal } = asker
    const client = { repository, credential }
    const asked: Asked = {
      ...repository,
      subject: request.subject,
      withCredential: credential === undefined ? 'without' : 'with',
    }
    const attempt = (authorization: string | undefined) =>
      this.#transport.exchange<{ challenge: Answer } | { value: T }>(
        {
          registry: repository.registry,
          to: `/v2/${repository.repository}/${request.path}`,
          method: request.method,
          authorization,
          ...(request.headers ? { headers: request.headers } : {}),
          ...limitsOf(asker),
        },
        async (answer) => {
          if (answer.response.status === 401 && !answer.redirected) return { challenge: answer }
          return { value: await use(answer, () => this.#problemOf(answer, asked)) }
        },
      )

    const known = this.#authorizer.known(client)
    const first = await attempt(known)
    if ('value' in first) return first.value
    const authorization = await this.#authorizer.authorize(client, first.challenge.response, known, signal)
    if (authorization === undefined) throw await this.#problemOf(first.challenge, asked)
    await discard(first.challenge.response)
    const second = await attempt(authorization)
    if ('value' in second) return second.value
    this.#authorizer.forget(client, authorization)
    throw await this.#problemOf(second.challenge, asked)
  }

  #problemOf(answer: Answer, asked: Asked): Promise<Problem> {
    const { patience, clock } = this.#transport
    return problemOf(answer, asked, { patience, now: clock.now() })
  }
}

/** Of a blob without bytes. */
const nothing = (): BlobPart => ({ body: new Blob([]).stream(), offset: 0 })

function limitsOf({ signal, deadline }: Asker): Pick<Outgoing, 'signal' | 'deadline'> {
  return { signal, deadline }
}

function rangeFrom(offset: number): Readonly<Record<string, string>> {
  return offset === 0 ? {} : { range: `bytes=${offset}-` }
}

/** The answer to a request for a blob from `offset` on. A server may ignore the range, and give the whole. */
async function partOf(
  { response }: Answer,
  offset: number,
  refuse: () => Promise<Problem>,
): Promise<BlobPart | undefined> {
  const { status, body } = response
  if (status === 416 && offset > 0) {
    await discard(response)
    return undefined
  }
  if (status === 200) return body === null ? nothing() : { body, offset: 0 }
  const start = /^bytes (\d+)-/.exec(response.headers.get('content-range') ?? '')?.[1]
  if (status !== 206 || body === null || Number(start) !== offset) throw await refuse()
  return { body, offset }
}
