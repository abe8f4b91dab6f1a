/**
 * A container registry for tests: the distribution protocol over loopback, in process, with a token server, a blob storage
 * of another origin, a record of requests, and faults on demand.
 *
 * @example
 * const registry = await FixtureRegistry.start({ auth: { kind: 'token', username: 'me', password: 'secret' } })
 * const reference = registry.push('app', 'v1', makeImage([await makeLayer([{ name: 'a', content: 'b' }])]))
 * registry.fault({ path: /\/blobs\// }, { resetAfter: 1_000 })
 * …
 * registry.requests.filter((request) => request.path.includes('/blobs/'))
 * await registry.close()
 */
import { randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { isJsonObject, parseJson } from '../../src/text/json.ts'
import { digestOf, type TestManifest } from '../support/images.ts'
import { CERTIFICATE, PRIVATE_KEY } from './certificate.ts'
import { bytesOf, type Fault, sendBody } from './fault.ts'

export type FixtureAuth =
  | { readonly kind: 'anonymous' }
  | { readonly kind: 'basic'; readonly username: string; readonly password: string }
  | {
      /** Bearer tokens; anonymous ones may pull everything but `private/…`. */
      readonly kind: 'token'
      readonly username: string
      readonly password: string
      /** Accepted by the OAuth2 POST. */
      readonly identityToken?: string
      /** A Bearer token that is always valid. */
      readonly registryToken?: string
      /** The stated lifetime of a token in seconds; 300 by default, null to omit it. */
      readonly expiresIn?: number | null
      /** Where the challenge sends clients, instead of this registry's own token server. */
      readonly realm?: string
    }

export type FixtureOptions = {
  readonly auth?: FixtureAuth
  /** GETs of blobs are redirected to another origin, which refuses requests that carry Authorization, as S3 does. */
  readonly redirectBlobs?: true
  /** Speaks TLS, with `CERTIFICATE` of certificate.ts. */
  readonly tls?: true
  /** Tags in one page of `/tags/list`, at most; the same for referrers. */
  readonly pageSize?: number
  /** Has the referrers API. */
  readonly referrers?: true
}

export type FixtureServer = 'registry' | 'token' | 'storage'

export type RecordedRequest = {
  readonly server: FixtureServer
  readonly method: string
  /** With its query. */
  readonly path: string
  readonly authorization: string | undefined
  readonly range: string | undefined
  readonly headers: IncomingMessage['headers']
  /** The body of a POST. */
  readonly body: string
  /** The status of the answer; 0 until it is answered. */
  status: number
  /** Bytes of the answer's body sent so far. */
  bytes: number
}

export type FaultMatch = {
  readonly server?: FixtureServer
  readonly method?: string
  readonly path?: RegExp
}

type ArmedFault = { readonly match: FaultMatch; readonly fault: Fault; times: number }

type Answer = {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Uint8Array | string
}

type StoredRepository = {
  readonly tags: Map<string, string>
  readonly manifests: Map<string, { readonly mediaType: string; readonly bytes: Uint8Array }>
  readonly blobs: Map<string, Uint8Array>
}

const INDEX = 'application/vnd.oci.image.index.v1+json'
const ROUTE = /^\/v2\/(?<name>.+)\/(?<kind>manifests|blobs|tags|referrers)\/(?<rest>[^/]+)$/

function error(status: number, code: string, message: string, headers: Record<string, string> = {}): Answer {
  return {
    status,
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ errors: [{ code, message, detail: 'a detail that no one must repeat' }] }),
  }
}

function json(value: unknown, headers: Record<string, string> = {}): Answer {
  return {
    status: 200,
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(value),
  }
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
  })
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}

async function readText(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of request) text += String(chunk)
  return text
}

export class FixtureRegistry {
  /** As in references: `127.0.0.1:PORT`. */
  readonly host: string
  /** The host of the blob storage, another origin: `127.0.0.1:PORT`. */
  readonly storageHost: string
  /** The host of the token server: `127.0.0.1:PORT`. */
  readonly tokenHost: string
  /** All requests, in order of arrival. */
  readonly requests: RecordedRequest[] = []

  readonly #options: FixtureOptions
  readonly #servers: readonly Server[]
  readonly #repositories = new Map<string, StoredRepository>()
  readonly #tokens = new Map<string, readonly string[]>()
  #faults: ArmedFault[] = []

  private constructor(
    options: FixtureOptions,
    servers: readonly Server[],
    ports: readonly [number, number, number],
  ) {
    this.#options = options
    this.#servers = servers
    this.host = `127.0.0.1:${ports[0]}`
    this.tokenHost = `127.0.0.1:${ports[1]}`
    this.storageHost = `127.0.0.1:${ports[2]}`
  }

  static async start(options: FixtureOptions = {}): Promise<FixtureRegistry> {
    let registry: FixtureRegistry | undefined
    const answer = (server: FixtureServer) => (request: IncomingMessage, response: ServerResponse) =>
      void registry?.answer(server, request, response).catch(() => response.destroy())
    const tls = { key: PRIVATE_KEY, cert: CERTIFICATE }
    const servers = [
      options.tls ? createTlsServer(tls, answer('registry')) : createServer(answer('registry')),
      createServer(answer('token')),
      createServer(answer('storage')),
    ] as const
    const ports = [await listen(servers[0]), await listen(servers[1]), await listen(servers[2])] as const
    registry = new FixtureRegistry(options, servers, ports)
    return registry
  }

  async close(): Promise<void> {
    await Promise.all(this.#servers.map(close))
  }

  /** Stores an image or an index with everything it refers to. @returns the reference, with the tag or else the digest */
  push(repository: string, tag: string | undefined, manifest: TestManifest): string {
    const stored = this.#repository(repository)
    for (const child of manifest.children) this.push(repository, undefined, child)
    for (const [digest, bytes] of manifest.blobs) stored.blobs.set(digest, bytes)
    const { digest, mediaType } = manifest.descriptor
    stored.manifests.set(digest, { mediaType, bytes: manifest.bytes })
    if (tag === undefined) return `${this.host}/${repository}@${digest}`
    stored.tags.set(tag, digest)
    return `${this.host}/${repository}:${tag}`
  }

  /** Stores any bytes as a manifest. @returns their digest */
  putManifest(repository: string, tag: string | undefined, mediaType: string, bytes: Uint8Array): string {
    const digest = digestOf(bytes)
    const stored = this.#repository(repository)
    stored.manifests.set(digest, { mediaType, bytes })
    if (tag !== undefined) stored.tags.set(tag, digest)
    return digest
  }

  /** Stores bytes as a blob. @param digest a digest other than their own, for a registry that lies */
  putBlob(repository: string, bytes: Uint8Array, digest: string = digestOf(bytes)): string {
    this.#repository(repository).blobs.set(digest, bytes)
    return digest
  }

  /** Deletes the repository with everything in it. */
  remove(repository: string): void {
    this.#repositories.delete(repository)
  }

  removeBlob(repository: string, digest: string): void {
    this.#repository(repository).blobs.delete(digest)
  }

  /** Answers the next `times` matching requests with this fault. The latest fault wins. */
  fault(match: FaultMatch, fault: Fault, times = 1): void {
    this.#faults.push({ match, fault, times })
  }

  clearFaults(): void {
    this.#faults = []
  }

  /** Expires all tokens issued so far. */
  expireTokens(): void {
    this.#tokens.clear()
  }

  /** Answers in progress: neither sent completely nor abandoned by the client. */
  openAnswers = 0

  /** The number of matching requests. */
  count(match: FaultMatch & { readonly status?: number }): number {
    return this.requests.filter(
      (request) => matches(match, request) && (match.status === undefined || match.status === request.status),
    ).length
  }

  /** Bytes of bodies sent to requests that matched. */
  bytesSent(match: FaultMatch): number {
    return this.requests
      .filter((request) => matches(match, request))
      .reduce((sum, request) => sum + request.bytes, 0)
  }

  forgetRequests(): void {
    this.requests.length = 0
  }

  async answer(server: FixtureServer, request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.openAnswers++
    response.once('close', () => {
      this.openAnswers--
    })
    const recorded: RecordedRequest = {
      server,
      method: request.method ?? 'GET',
      path: request.url ?? '/',
      authorization: request.headers.authorization,
      range: request.headers.range,
      headers: request.headers,
      body: await readText(request),
      status: 0,
      bytes: 0,
    }
    this.requests.push(recorded)
    const fault = this.#takeFault(recorded) ?? {}
    const answer = this.#route(recorded)
    const ranged = fault.ignoreRange ? answer : withRange(answer, recorded.range)
    await sendBody(response, recorded, ranged, fault)
  }

  #repository(name: string): StoredRepository {
    const known = this.#repositories.get(name)
    if (known !== undefined) return known
    const made: StoredRepository = { tags: new Map(), manifests: new Map(), blobs: new Map() }
    this.#repositories.set(name, made)
    return made
  }

  #takeFault(request: RecordedRequest): Fault | undefined {
    const armed = this.#faults.findLast(({ match, times }) => times > 0 && matches(match, request))
    if (armed !== undefined) armed.times--
    return armed?.fault
  }

  #route(request: RecordedRequest): Answer {
    const url = new URL(request.path, 'http://fixture')
    if (request.server === 'token') return this.#token(request, url)
    if (request.server === 'storage') return this.#storage(request, url)
    const { name, kind, rest } = ROUTE.exec(url.pathname)?.groups ?? {}
    const refusal = this.#authorize(request, name)
    if (refusal !== undefined) return refusal
    if (url.pathname === '/v2/') return json({})
    const repository = name === undefined ? undefined : this.#repositories.get(name)
    if (name === undefined || rest === undefined) return error(404, 'NOT_FOUND', 'no such path')
    if (repository === undefined) return error(404, 'NAME_UNKNOWN', 'repository name not known to registry')
    switch (kind) {
      case 'manifests':
        return this.#manifest(repository, rest)
      case 'blobs':
        return this.#blob(repository, name, rest)
      case 'referrers':
        return this.#referrers(repository, url, rest)
      default:
        return this.#tags(repository, name, url)
    }
  }

  #manifest(repository: StoredRepository, reference: string): Answer {
    const digest = repository.tags.get(reference) ?? reference
    const manifest = repository.manifests.get(digest)
    if (manifest === undefined) return error(404, 'MANIFEST_UNKNOWN', 'manifest unknown')
    return {
      status: 200,
      headers: { 'content-type': manifest.mediaType, 'docker-content-digest': digest },
      body: manifest.bytes,
    }
  }

  #blob(repository: StoredRepository, name: string, digest: string): Answer {
    const blob = repository.blobs.get(digest)
    if (blob === undefined) return error(404, 'BLOB_UNKNOWN', 'blob unknown to registry')
    if (this.#options.redirectBlobs)
      return {
        status: 307,
        headers: { location: `http://${this.storageHost}/${name}/${digest}?signature=secret-signature` },
      }
    return {
      status: 200,
      headers: {
        'content-type': 'application/octet-stream',
        'docker-content-digest': digest,
        'accept-ranges': 'bytes',
      },
      body: blob,
    }
  }

  #tags(repository: StoredRepository, name: string, url: URL): Answer {
    const all = [...repository.tags.keys()].sort()
    const last = url.searchParams.get('last')
    const rest = last === null ? all : all.filter((tag) => tag > last)
    const asked = Number(url.searchParams.get('n') ?? all.length)
    const page = rest.slice(0, Math.min(asked, this.#options.pageSize ?? asked))
    const next = new URLSearchParams({ last: page.at(-1) ?? '', n: String(asked) })
    const link: Record<string, string> =
      page.length < rest.length ? { link: `</v2/${name}/tags/list?${next}>; rel="next"` } : {}
    return json({ name, tags: page }, link)
  }

  /** Without media types and sizes: clients must not believe them. */
  #referrers({ manifests }: StoredRepository, url: URL, digest: string): Answer {
    if (!this.#options.referrers) return error(404, 'NOT_FOUND', 'no such path')
    const referring = [...manifests].filter(([, { bytes }]) => subjectOf(bytes) === digest)
    const start = Number(url.searchParams.get('start') ?? 0)
    const end = start + (this.#options.pageSize ?? referring.length)
    const link: Record<string, string> =
      end < referring.length ? { link: `<${url.pathname}?start=${end}>; rel="next"` } : {}
    const page = referring
      .slice(start, end)
      .map(([one]) => ({ mediaType: 'text/plain', digest: one, size: 1 }))
    return json({ schemaVersion: 2, mediaType: INDEX, manifests: page }, link)
  }

  #storage(request: RecordedRequest, url: URL): Answer {
    if (request.authorization !== undefined) return { status: 400, body: 'only one auth mechanism allowed' }
    const { name = '', digest = '' } =
      /^\/(?<name>.+)\/(?<digest>sha256:[0-9a-f]+)$/.exec(url.pathname)?.groups ?? {}
    const blob = this.#repositories.get(name)?.blobs.get(digest)
    if (blob === undefined) return { status: 404 }
    return { status: 200, headers: { 'accept-ranges': 'bytes' }, body: blob }
  }

  #authorize(request: RecordedRequest, repository: string | undefined): Answer | undefined {
    const auth = this.#options.auth ?? { kind: 'anonymous' }
    switch (auth.kind) {
      case 'anonymous':
        return undefined
      case 'basic':
        if (request.authorization === basic(auth.username, auth.password)) return undefined
        return error(401, 'UNAUTHORIZED', 'authentication required', {
          'www-authenticate': 'Basic realm="fixture"',
        })
      case 'token': {
        const token = /^Bearer (.+)$/.exec(request.authorization ?? '')?.[1] ?? ''
        if (auth.registryToken !== undefined && token === auth.registryToken) return undefined
        const scope = `repository:${repository}:pull`
        const granted = this.#tokens.get(token)
        if (granted?.includes(scope) || (granted !== undefined && repository === undefined)) return undefined
        const realm = auth.realm ?? `http://${this.tokenHost}/token`
        const wanted = repository === undefined ? '' : `,scope="${scope}"`
        const why = granted === undefined ? 'invalid_token' : 'insufficient_scope'
        const shown = token === '' ? '' : `,error="${why}"`
        return error(401, 'UNAUTHORIZED', 'authentication required', {
          'www-authenticate': `Bearer realm="${realm}",service="fixture"${wanted}${shown}`,
        })
      }
    }
  }

  #token(request: RecordedRequest, url: URL): Answer {
    const auth = this.#options.auth
    if (auth?.kind !== 'token' || url.pathname !== '/token') return error(404, 'NOT_FOUND', 'no such path')
    const form = new URLSearchParams(request.body)
    const known =
      request.method === 'POST'
        ? auth.identityToken !== undefined && form.get('refresh_token') === auth.identityToken
        : request.authorization === basic(auth.username, auth.password)
    if (!known && (request.method === 'POST' || request.authorization !== undefined))
      return error(401, 'UNAUTHORIZED', 'bad credentials')
    const asked = request.method === 'POST' ? form.getAll('scope') : url.searchParams.getAll('scope')
    const scopes = asked
      .flatMap((scope) => scope.split(' '))
      .filter((scope) => known || !scope.startsWith('repository:private/'))
    const token = randomBytes(24).toString('base64url')
    this.#tokens.set(token, scopes)
    const expiresIn = auth.expiresIn === undefined ? 300 : auth.expiresIn
    const life = expiresIn === null ? {} : { expires_in: expiresIn, issued_at: new Date().toISOString() }
    return json(request.method === 'POST' ? { access_token: token, ...life } : { token, ...life })
  }
}

function subjectOf(manifest: Uint8Array): unknown {
  const json = parseJson(manifest)
  return isJsonObject(json) && isJsonObject(json.subject) ? json.subject.digest : undefined
}

function basic(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
}

function matches(match: FaultMatch, request: RecordedRequest): boolean {
  return (
    (match.server === undefined || match.server === request.server) &&
    (match.method === undefined || match.method === request.method) &&
    (match.path === undefined || match.path.test(request.path))
  )
}

/** Answers a Range request for a single range, as in RFC 9110. */
function withRange(answer: Answer, range: string | undefined): Answer {
  const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(range ?? '') ?? []
  if (first === undefined || answer.status !== 200 || answer.headers?.['accept-ranges'] !== 'bytes')
    return answer
  const body = bytesOf(answer.body ?? '')
  const start = Number(first)
  const end = Math.min(last ? Number(last) : body.length - 1, body.length - 1)
  if (start > end) return { status: 416, headers: { 'content-range': `bytes */${body.length}` } }
  return {
    status: 206,
    headers: { ...answer.headers, 'content-range': `bytes ${start}-${end}/${body.length}` },
    body: body.subarray(start, end + 1),
  }
}
