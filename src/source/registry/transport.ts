/**
 * One request to a registry, or to an address that it named, until there is an answer worth looking at: the right
 * scheme, redirects followed by hand through the guard, retries of what may pass.
 */
import type { Configuration } from '../../configuration.ts'
import type { Fetch, Reach } from '../../host.ts'
import { Problem } from '../../problem.ts'
import { discard, type Timeouts } from './body.ts'
import type { Clock } from './clock.ts'
import { endpointOf, guardNamed, isInsecure, reachOf } from './guard.ts'
import { classifyNetworkError, describeNetworkFailure, type NetworkFailure } from './network-error.ts'
import { StalledError } from './wait.ts'

export type RetryPolicy = {
  /** After the first attempt. */
  readonly retries: number
  /** Before the first retry, at most; doubled before each further one. */
  readonly backoffMilliseconds: number
  /** For all retries of one request together. */
  readonly waitMilliseconds: number
}

export type Outgoing = {
  /** Whose request it is: it decides what may be reached, and over what. */
  readonly registry: string
  /** A path of the registry's API (`/v2/…`), or an address that it named and that the guard has let pass. */
  readonly to: string | URL
  readonly method: 'GET' | 'HEAD' | 'POST'
  readonly headers?: Readonly<Record<string, string>>
  /** Sent to the origin of `to` only. */
  readonly authorization?: string | undefined
  readonly body?: string
  readonly signal?: AbortSignal | undefined
  /** Milliseconds since 1970 after which an answer is of no use: no retry waits beyond. */
  readonly deadline?: number | undefined
}

export type Answer = {
  readonly response: Response
  /** Another address than the one asked gave it. */
  readonly redirected: boolean
}

const MAX_REDIRECTS = 5
const REDIRECTS = new Set([301, 302, 303, 307, 308])
const PASSING = new Set([429, 502, 503, 504])
const PASSING_FAILURES = new Set<NetworkFailure>(['reset', 'timeout'])
const MAX_BACKOFF_MILLISECONDS = 10_000
const MAX_REMEMBERED = 10_000

/** Sends no `Accept-Encoding` but identity: digests are of the bytes as they are. */
const COMMON_HEADERS = { 'accept-encoding': 'identity', 'user-agent': 'lamina' }

/** Milliseconds that `Retry-After` asks for; undefined where there is none. RFC 9110, section 10.2.3. */
export function retryAfterOf(response: Response, now: number): number | undefined {
  const value = response.headers.get('retry-after')?.trim()
  if (!value) return undefined
  if (/^\d+$/.test(value)) return Number(value) * 1000
  const date = Date.parse(value)
  return Number.isNaN(date) ? undefined : Math.max(0, date - now)
}

/** What to do with an answer; a body that is cut while it does makes the whole attempt count as failed. */
export type Consume<T> = (answer: Answer) => Promise<T>

type Outcome<T> =
  | { readonly value: T }
  /** A status that may pass by itself. */
  | { readonly answer: Answer }
  | { readonly failure: NetworkFailure }

export class Transport {
  readonly timeouts: Timeouts
  readonly clock: Clock
  readonly #fetch: Fetch
  readonly #configuration: Configuration
  readonly #policy: RetryPolicy
  /** What insecure registries turned out to speak. */
  readonly #schemes = new Map<string, 'http' | 'https'>()

  constructor(parts: {
    readonly fetch: Fetch
    readonly configuration: Configuration
    readonly clock: Clock
    readonly timeouts: Timeouts
    readonly policy: RetryPolicy
  }) {
    this.#fetch = parts.fetch
    this.#configuration = parts.configuration
    this.#policy = parts.policy
    this.clock = parts.clock
    this.timeouts = parts.timeouts
  }

  /**
   * Asks until there is an answer whose status does not pass by itself, and gives it to `consume`, whatever it is.
   *
   * @throws Problem `registry_error` or `registry_timeout` where there is no answer, `forbidden_registry` for a redirect
   * that the guard refuses; the signal's reason; what `consume` throws, unless it is the network's
   */
  async exchange<T>(outgoing: Outgoing, consume: Consume<T>): Promise<T> {
    let budget = this.#policy.waitMilliseconds
    for (let attempt = 0; ; attempt++) {
      const outcome = await this.#attempt(outgoing, consume)
      if ('value' in outcome) return outcome.value
      const wait = this.#waitBefore(attempt, outcome)
      if (wait === undefined || wait > budget || this.#isPast(outgoing.deadline, wait)) {
        if ('answer' in outcome) return consume(outcome.answer)
        throw this.unreachable(placeOf(outgoing), outcome.failure)
      }
      if ('answer' in outcome) await discard(outcome.answer.response)
      budget -= wait
      await this.clock.sleep(wait, outgoing.signal)
    }
  }

  get retries(): number {
    return this.#policy.retries
  }

  /** The problem of a place, `host[:port]`, that did not answer, or stopped in the middle. */
  unreachable(place: string, failure: NetworkFailure): Problem {
    const code = failure === 'timeout' ? 'registry_timeout' : 'registry_error'
    return new Problem(
      code,
      `${place} cannot be reached: ${describeNetworkFailure(failure)}${this.#hint(place, failure)}`,
    )
  }

  /** Milliseconds to wait before the next attempt; undefined where none is to be made. */
  #waitBefore(attempt: number, outcome: Exclude<Outcome<never>, { value: never }>): number | undefined {
    if (attempt >= this.#policy.retries) return undefined
    if ('failure' in outcome) return PASSING_FAILURES.has(outcome.failure) ? this.backoff(attempt) : undefined
    return retryAfterOf(outcome.answer.response, this.clock.now()) ?? this.backoff(attempt)
  }

  /** Grows with each attempt, and is never the same for two that failed together. */
  backoff(attempt: number): number {
    const most = Math.min(this.#policy.backoffMilliseconds * 2 ** attempt, MAX_BACKOFF_MILLISECONDS)
    return most * (0.5 + this.clock.random() / 2)
  }

  #isPast(deadline: number | undefined, wait: number): boolean {
    return deadline !== undefined && this.clock.now() + wait > deadline
  }

  #hint(place: string, failure: NetworkFailure): string {
    const plain = failure === 'noTls' && !isInsecure(place, this.#configuration)
    return plain ? '; LAMINA_INSECURE_REGISTRIES would allow plain http' : ''
  }

  async #attempt<T>(outgoing: Outgoing, consume: Consume<T>): Promise<Outcome<T>> {
    try {
      const answer = await this.#open(outgoing)
      return PASSING.has(answer.response.status) ? { answer } : { value: await consume(answer) }
    } catch (error) {
      outgoing.signal?.throwIfAborted()
      if (error instanceof Problem) throw error
      return { failure: failureOf(error) }
    }
  }

  async #open(outgoing: Outgoing): Promise<Answer> {
    const { registry, to } = outgoing
    if (to instanceof URL) return this.#follow(to, outgoing)
    const address = (scheme: 'http' | 'https') => new URL(to, endpointOf(registry, scheme))
    if (!isInsecure(registry, this.#configuration)) return this.#follow(address('https'), outgoing)
    const known = this.#schemes.get(registry)
    if (known !== undefined) return this.#follow(address(known), outgoing)
    return this.#tryBothSchemes(outgoing, address)
  }

  /** As Docker tries insecure registries: TLS first, plain http where none is spoken. */
  async #tryBothSchemes(outgoing: Outgoing, address: (scheme: 'http' | 'https') => URL): Promise<Answer> {
    const { registry } = outgoing
    try {
      const answer = await this.#follow(address('https'), outgoing)
      this.#remember(registry, 'https')
      return answer
    } catch (error) {
      outgoing.signal?.throwIfAborted()
      if (error instanceof Problem || !mayBePlain(error, address('https'))) throw error
      if (classifyNetworkError(error) === 'noTls') this.#remember(registry, 'http')
      const answer = await this.#follow(address('http'), outgoing)
      // What a server that speaks TLS after all says to plain http.
      if (answer.response.status === 400 && !this.#schemes.has(registry)) {
        await discard(answer.response)
        throw error
      }
      this.#remember(registry, 'http')
      return answer
    }
  }

  #remember(registry: string, scheme: 'http' | 'https'): void {
    if (this.#schemes.size >= MAX_REMEMBERED) this.#schemes.clear()
    this.#schemes.set(registry, scheme)
  }

  async #follow(start: URL, outgoing: Outgoing): Promise<Answer> {
    const reach = reachOf(outgoing.registry, this.#configuration)
    let url = start
    let { authorization } = outgoing
    for (let redirects = 0; ; redirects++) {
      const response = await this.#once(url, authorization, outgoing, reach)
      const location = response.headers.get('location')
      // What a POST carries is for one address only.
      if (!REDIRECTS.has(response.status) || location === null || outgoing.method === 'POST')
        return { response, redirected: redirects > 0 }
      await discard(response)
      if (redirects === MAX_REDIRECTS)
        throw new Problem('registry_error', `${outgoing.registry} redirects more than ${MAX_REDIRECTS} times`)
      const next = URL.parse(location, url)
      if (next === null)
        throw new Problem('registry_error', `${outgoing.registry} redirects to what is no address`)
      guardNamed(next, 'redirect', outgoing.registry, this.#configuration)
      if (next.origin !== url.origin) authorization = undefined
      url = next
    }
  }

  /** One exchange; its headers must come before timeouts ends. */
  async #once(
    url: URL,
    authorization: string | undefined,
    outgoing: Outgoing,
    reach: Reach,
  ): Promise<Response> {
    const silence = new AbortController()
    const { idleMilliseconds } = this.timeouts
    const stalled = new StalledError(`no answer for ${idleMilliseconds / 1000} s`)
    const timer = setTimeout(() => silence.abort(stalled), idleMilliseconds)
    const signals = [silence.signal, ...(outgoing.signal ? [outgoing.signal] : [])]
    try {
      return await this.#fetch(
        url,
        {
          method: outgoing.method,
          redirect: 'manual',
          signal: AbortSignal.any(signals),
          headers: { ...COMMON_HEADERS, ...outgoing.headers, ...(authorization ? { authorization } : {}) },
          ...(outgoing.body === undefined ? {} : { body: outgoing.body }),
        },
        reach,
      )
    } finally {
      clearTimeout(timer)
    }
  }
}

/** Where the request goes, as a sentence names it. */
function placeOf({ registry, to }: Outgoing): string {
  return to instanceof URL ? to.host : registry
}

/** What kind of failure an error of the network, or of timeouts with it, is. */
export function failureOf(error: unknown): NetworkFailure {
  return error instanceof StalledError ? 'timeout' : classifyNetworkError(error)
}

/** Whether the failure of TLS leaves open that plain http is spoken there; never that of a certificate. */
function mayBePlain(error: unknown, url: URL): boolean {
  switch (failureOf(error)) {
    case 'noTls':
    case 'reset':
      return true
    case 'refused':
      // Plain http has another port then.
      return url.port === ''
    case 'unknown':
      // Perhaps a certificate: on the same port a server that speaks TLS will not take plain http, on another it may.
      return url.port !== ''
    case 'certificate':
    case 'timeout':
    case 'unresolved':
      return false
  }
}
