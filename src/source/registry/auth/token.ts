/**
 * Obtains tokens for registries. This file makes the value of `Authorization`: Basic, or a Bearer token from a token server.
 * Sources: distribution `spec/auth/token.md` (GET), `spec/auth/oauth.md` (POST).
 */
import { z } from 'zod'
import { Cache } from '../../../cache.ts'
import { type Credential, credentialHash } from '../../../oci/credential.ts'
import type { Repository } from '../../../oci/reference.ts'
import { Problem } from '../../../problem.ts'
import { SingleFlight } from '../../../single-flight.ts'
import { readAll } from '../body.ts'
import { nameOf, problemOf, type RegistryRequest } from '../failure.ts'
import { guardNamed } from '../guard.ts'
import type { CallerBounds, Outgoing, Transport } from '../transport.ts'
import { type Challenge, parseChallenges } from './challenge.ts'
import { basicAuthorization } from './credentials.ts'

/** One caller of one repository. */
export type Client = {
  readonly repository: Repository
  readonly credential: Credential | undefined
}

/** An `Authorization` value with its lifetime. */
export type Authorization = {
  readonly header: string
  /** Milliseconds since 1970. */
  readonly expires: number
}

const MAX_TOKEN_BYTES = 65_536
/** Limit on all tokens and credentials that are kept. */
const KEPT_BYTES = 8 * 1024 * 1024
/** The specification's default lifetime. */
const DEFAULT_LIFE_SECONDS = 60
const MAX_LIFE_SECONDS = 86_400
/** A token is renewed this long before it expires, since it must stay valid while a request is on its way. */
const MARGIN_MILLISECONDS = 5_000
/** How long to wait for another request's token: that request may have died with its caller. */
const JOIN_MILLISECONDS = 10_000

const tokenSchema = z.object({
  token: z.string().nullish(),
  access_token: z.string().nullish(),
  expires_in: z.number().nullish(),
  issued_at: z.string().nullish(),
})

/** What a header can contain. */
const HEADER_SAFE = /^[\x21-\x7e]+$/

function keyOf({ repository, credential }: Client): string {
  const hash = credential === undefined ? '' : credentialHash(credential)
  return `${repository.registry}/${repository.repository} ${hash}`
}

/** The scopes named in the challenge, one parameter each; by default pulling from the repository. */
function scopesOf(challenge: Challenge, { repository }: Repository): readonly string[] {
  const named = (challenge.parameters.get('scope') ?? '').split(' ').filter(Boolean)
  return named.length > 0 ? named : [`repository:${repository}:pull`]
}

/**
 * When a token expires. A server's clock may differ from ours, so `issued_at` can only shorten its lifetime, and never makes it
 * uselessly short.
 */
function expiryOf(answer: z.infer<typeof tokenSchema>, now: number): number {
  const seconds = answer.expires_in ?? DEFAULT_LIFE_SECONDS
  const life = Math.min(Math.max(seconds, 1), MAX_LIFE_SECONDS) * 1000
  const issued = answer.issued_at ? Date.parse(answer.issued_at) : Number.NaN
  const age = Number.isNaN(issued) ? 0 : Math.min(Math.max(0, now - issued), life / 2)
  return now + life - age - Math.min(MARGIN_MILLISECONDS, life / 10)
}

type TokenRequest = Omit<Outgoing, 'what' | keyof CallerBounds>

/** Remembers what worked for each registry, repository and credential, in memory only. */
export class Authorizer {
  readonly #transport: Transport
  readonly #kept = new Cache<Authorization>({
    bytes: KEPT_BYTES,
    milliseconds: MAX_LIFE_SECONDS * 1000,
    sizeOf: ({ header }) => header.length,
  })
  readonly #singleFlight = new SingleFlight<string>()

  constructor(transport: Transport) {
    this.#transport = transport
  }

  /** What worked for this client before, until it expires. */
  known(client: Client): string | undefined {
    const kept = this.#kept.get(keyOf(client))
    return kept !== undefined && kept.expires > this.#transport.clock.now() ? kept.header : undefined
  }

  /** The authorization that last worked here, for a client in another thread, which then needs no token request. */
  lend(client: Client): Authorization | undefined {
    return this.#kept.get(keyOf(client))
  }

  /** Takes over what worked for this client in another thread. */
  borrow(client: Client, authorization: Authorization): void {
    this.#keep(client, authorization)
  }

  /** It no longer works: it expired early, or was revoked. */
  forget(client: Client, header: string): void {
    const key = keyOf(client)
    if (this.#kept.get(key)?.header === header) this.#kept.delete(key)
  }

  /**
   * Answers the challenge of a 401. Requests that are challenged at the same time share one token.
   *
   * @param used the authorization of the rejected request
   * @returns undefined if no credential of the client can meet it
   * @throws Problem `unauthorized` if the token server refuses; `forbidden_registry` if it is at an address that the guard
   *   refuses; `registry_error`, `registry_timeout`
   */
  async authorize(
    client: Client,
    challenged: Response,
    used: string | undefined,
    signal: AbortSignal | undefined,
  ): Promise<string | undefined> {
    if (used !== undefined) this.forget(client, used)
    const known = this.known(client)
    if (known !== undefined) return known
    const challenges = parseChallenges(challenged.headers.get('www-authenticate') ?? '')
    const bearer = challenges.find(({ scheme, parameters }) => scheme === 'bearer' && parameters.has('realm'))
    const { credential } = client
    if (bearer !== undefined) {
      if (credential === undefined || !('registrytoken' in credential))
        return this.#sharedToken(client, bearer, signal)
      return this.#keepForGood(client, `Bearer ${credential.registrytoken}`)
    }
    const wantsBasic = challenges.some(({ scheme }) => scheme === 'basic')
    if (!wantsBasic || credential === undefined || !('password' in credential)) return undefined
    return this.#keepForGood(client, basicAuthorization(credential))
  }

  #keepForGood(client: Client, header: string): string {
    return this.#keep(client, { header, expires: Number.POSITIVE_INFINITY })
  }

  #keep(client: Client, authorization: Authorization): string {
    const life = authorization.expires - this.#transport.clock.now()
    this.#kept.set(keyOf(client), authorization, life)
    return authorization.header
  }

  /** The token that is already requested, or else a new one. */
  #sharedToken(client: Client, challenge: Challenge, signal: AbortSignal | undefined): Promise<string> {
    // Not tied to the caller's signal, since others may have joined.
    const ask = async () => this.#keep(client, await this.#askToken(client, challenge))
    const isVerdict = (error: unknown) => error instanceof Problem
    return this.#singleFlight.share(keyOf(client), ask, {
      milliseconds: JOIN_MILLISECONDS,
      signal,
      isVerdict,
    })
  }

  async #askToken(client: Client, challenge: Challenge): Promise<Authorization> {
    const { registry } = client.repository
    const asked: RegistryRequest = {
      ...client.repository,
      subject: { kind: 'token' },
      credential: client.credential,
    }
    const realm = URL.parse(challenge.parameters.get('realm') ?? '')
    if (realm === null)
      throw new Problem(
        'registry_error',
        `could not get ${nameOf(asked)}: ${registry} sent an invalid token realm URL`,
      )
    guardNamed(realm, 'token server', registry, this.#transport.rulesOf(registry))
    const limit = { registry, what: nameOf(asked), caller: {} }
    return this.#transport.limited(limit, (bounds) =>
      this.#readAnswer(this.#tokenRequest(client, realm, challenge), asked, bounds),
    )
  }

  #readAnswer(request: TokenRequest, asked: RegistryRequest, bounds: CallerBounds): Promise<Authorization> {
    const { timeouts, clock } = this.#transport
    const { signal } = bounds
    return this.#transport.exchange(
      { ...request, what: nameOf(asked), ...bounds },
      async ({ response, redirected }) => {
        if (response.status !== 200)
          throw await problemOf({ response, redirected }, asked, { timeouts, signal, now: clock.now() })
        const what = `the response of the token server of ${asked.registry}`
        const bytes = await readAll(response, { limit: MAX_TOKEN_BYTES, what, timeouts, signal })
        return readToken(bytes, asked.registry, clock.now())
      },
    )
  }

  /** Identity tokens are exchanged by an OAuth2 POST; everything else uses GET, with Basic if there is a password. */
  #tokenRequest({ repository, credential }: Client, realm: URL, challenge: Challenge): TokenRequest {
    const scopes = scopesOf(challenge, repository)
    const service = challenge.parameters.get('service')
    if (credential !== undefined && 'identitytoken' in credential) {
      const form = new URLSearchParams({
        grant_type: 'refresh_token',
        ...(service === undefined ? {} : { service }),
        client_id: 'lamina',
        scope: scopes.join(' '),
        refresh_token: credential.identitytoken,
      })
      return {
        registry: repository.registry,
        to: realm,
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: form.toString(),
      }
    }
    const url = new URL(realm)
    if (service !== undefined) url.searchParams.set('service', service)
    for (const scope of scopes) url.searchParams.append('scope', scope)
    const withPassword = credential !== undefined && 'password' in credential
    return {
      registry: repository.registry,
      to: url,
      method: 'GET',
      authorization: withPassword ? basicAuthorization(credential) : undefined,
    }
  }
}

function readToken(bytes: Uint8Array, registry: string, now: number): Authorization {
  const broken = (what: string) =>
    new Problem('registry_error', `the token server of ${registry} sent ${what}`)
  let document: unknown
  try {
    document = JSON.parse(new TextDecoder().decode(bytes))
  } catch {
    throw broken('a response that is not JSON')
  }
  const parsed = tokenSchema.safeParse(document)
  const token = parsed.data?.token || parsed.data?.access_token
  if (!parsed.success || !token) throw broken('a response without a token')
  if (!HEADER_SAFE.test(token)) throw broken('a token with characters that are not allowed in a header')
  return { header: `Bearer ${token}`, expires: expiryOf(parsed.data, now) }
}
