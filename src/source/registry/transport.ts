/**
 * Sends one request to a registry, or to an address that it named, until there is a usable answer: finds the right scheme,
 * follows redirects through the guard, retries temporary failures.
 */
import { Cache } from '../../cache.ts'
import type { Configuration } from '../../configuration.ts'
import type { Fetch, Reach } from '../../host.ts'
import { Problem } from '../../problem.ts'
import { within } from '../../timeout.ts'
import { discard, type Timeouts } from './body.ts'
import type { Clock } from './clock.ts'
import { endpointOf, guardNamed, isInsecure, reachOf, rulesAfter, toAllow, waysTo } from './guard.ts'
import { classifyNetworkError, describeNetworkFailure, type NetworkFailure } from './network-error.ts'
import { StalledError } from './stalled.ts'

export type RetryPolicy = {
  /** Retries after the first attempt. */
  readonly retries: number
  /** Longest delay before the first retry; doubled before each further one. */
  readonly backoffMilliseconds: number
  /** For all retries of one request together. */
  readonly waitMilliseconds: number
  /**
   * Time limit of a whole question, including retries, redirects and tokens; for a layer, until its first byte, and from one byte
   * to the next.
   */
  readonly questionMilliseconds: number
}

export type Outgoing = {
  /** The registry on whose behalf the request is sent: it decides which hosts and schemes are allowed. */
  readonly registry: string
  /** What it reads, as problems name it: `ghcr.io/o/r:tag`. */
  readonly what: string
  /** A path of the registry's API (`/v2/…`), or an address that the registry named and the guard has allowed. */
  readonly to: string | URL
  readonly method: 'GET' | 'HEAD' | 'POST'
  readonly headers?: Readonly<Record<string, string>>
  /** Sent to the origin of `to` only. */
  readonly authorization?: string | undefined
  readonly body?: string
  readonly signal?: AbortSignal | undefined
  /** Milliseconds since 1970 after which an answer is useless: no retry waits longer. */
  readonly deadline?: number | undefined
}

/** Limits on each request of a question. */
export type CallerBounds = Pick<Outgoing, 'signal' | 'deadline'>

export type Answer = {
  readonly response: Response
  /** The answer came from another address than the requested one. */
  readonly redirected: boolean
}

const MAX_REDIRECTS = 5
const REDIRECTS = new Set([301, 302, 303, 307, 308])
/** Statuses that registry clients commonly retry. */
const PASSING = new Set([408, 429, 500, 502, 503, 504])
const PASSING_FAILURES = new Set<NetworkFailure>(['reset', 'timeout'])
const MAX_BACKOFF_MILLISECONDS = 10_000
/** Longer delays are not believed. */
const MAX_RETRY_AFTER_MILLISECONDS = 86_400_000

/** Sends `Accept-Encoding: identity`: digests are of the unencoded bytes. */
const COMMON_HEADERS = { 'accept-encoding': 'identity', 'user-agent': 'lamina' }

/** The delay that `Retry-After` asks for, in milliseconds, at most a day; undefined without one. RFC 9110, section 10.2.3. */
export function retryAfterOf(response: Response, now: number): number | undefined {
  const value = response.headers.get('retry-after')?.trim()
  if (!value) return undefined
  const milliseconds = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - now
  if (Number.isNaN(milliseconds)) return undefined
  return Math.min(Math.max(0, milliseconds), MAX_RETRY_AFTER_MILLISECONDS)
}

/** Handles an answer; if its body is cut off meanwhile, the whole attempt counts as failed. */
export type Consume<T> = (answer: Answer) => Promise<T>

type Outcome<T> =
  | { readonly value: T }
  /** Its status is worth a retry. */
  | { readonly answer: Answer }
  | { readonly failure: NetworkFailure }

/** How a registry's own address was reached. */
type Way = { readonly scheme: 'http' | 'https'; readonly reach: Reach }
/** The answer of one address; the rules decide where it may lead. */
type Hop = { readonly url: URL; readonly response: Response; readonly rules: Configuration }

export class Transport {
  readonly timeouts: Timeouts
  readonly clock: Clock
  readonly #fetch: Fetch
  readonly #configuration: Configuration
  readonly #policy: RetryPolicy
  /** How each registry was reached for which there are several ways. */
  readonly #ways = new Cache<Way>({ bytes: 1024 * 1024, milliseconds: 3_600_000 })

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
   * Sends requests until an answer's status is not worth a retry, and passes that answer to `consume`.
   *
   * @throws Problem `registry_error` or `registry_timeout` if there is no answer, `forbidden_registry` for a redirect that the
   *   guard refuses; the signal's reason; what `consume` throws, unless it is a network error
   */
  async exchange<T>(outgoing: Outgoing, consume: Consume<T>): Promise<T> {
    let budget = this.#policy.waitMilliseconds
    for (let attempt = 0; ; attempt++) {
      const outcome = await this.#attempt(outgoing, consume)
      if ('value' in outcome) return outcome.value
      const wait = this.#waitBefore(attempt, outcome)
      if (wait === undefined || wait > budget || this.#isPast(outgoing.deadline, wait)) {
        if ('answer' in outcome) return consume(outcome.answer)
        throw this.unreachable(outgoing, outcome.failure)
      }
      if ('answer' in outcome) await discard(outcome.answer.response)
      budget -= wait
      await this.clock.sleep(wait, outgoing.signal)
    }
  }

  /** The settings as they apply to a registry, whose name may have turned out to have an address in a range of the lists. */
  rulesOf(registry: string): Configuration {
    const way = this.#ways.get(registry)
    return way === undefined ? this.#configuration : rulesAfter(registry, way, this.#configuration)
  }

  get questionMilliseconds(): number {
    return this.#policy.questionMilliseconds
  }

  get retries(): number {
    return this.#policy.retries
  }

  /**
   * The problem for a server that did not answer, or stopped in the middle.
   *
   * @param outgoing.to the server's address, if it is not the registry itself
   */
  unreachable(
    { registry, to, what }: Pick<Outgoing, 'registry' | 'to' | 'what'>,
    failure: NetworkFailure,
  ): Problem {
    const place = to instanceof URL ? to.host : registry
    const rules = this.rulesOf(registry)
    const reason = describeNetworkFailure(failure, {
      host: place,
      isPlain: isInsecure(registry, rules),
      isPrivate: reachOf(registry, rules) === 'private',
      reachesOnlyNames: rules.reachesOnlyNames,
    })
    return new Problem(
      failure === 'timeout' ? 'registry_timeout' : 'registry_error',
      `could not read ${what}: ${reason}`,
    )
  }

  /**
   * Asks one question, with all its retries and redirects, within the policy's time.
   *
   * @throws Problem `registry_timeout` after that; what `ask` throws
   */
  limited<T>(
    {
      registry,
      what,
      caller,
    }: { readonly registry: string; readonly what: string; readonly caller: CallerBounds },
    ask: (bounds: CallerBounds) => Promise<T>,
  ): Promise<T> {
    const { questionMilliseconds } = this.#policy
    const error = () =>
      new Problem(
        'registry_timeout',
        `could not read ${what}: ${registry} did not complete its answer within ${questionMilliseconds / 1000} s; try again later`,
      )
    const now = this.clock.now()
    const deadline = Math.min(caller.deadline ?? Number.POSITIVE_INFINITY, now + questionMilliseconds)
    const milliseconds = Math.max(1, deadline - now)
    return within({ milliseconds, error, signal: caller.signal }, (signal) => ask({ signal, deadline }))
  }

  /** Delay before the next attempt, in milliseconds; undefined if no attempt follows. */
  #waitBefore(attempt: number, outcome: Exclude<Outcome<never>, { value: never }>): number | undefined {
    if (attempt >= this.#policy.retries) return undefined
    if ('failure' in outcome) return PASSING_FAILURES.has(outcome.failure) ? this.backoff(attempt) : undefined
    return retryAfterOf(outcome.answer.response, this.clock.now()) ?? this.backoff(attempt)
  }

  /** Grows with each attempt, and differs between two that failed together. */
  backoff(attempt: number): number {
    const most = Math.min(this.#policy.backoffMilliseconds * 2 ** attempt, MAX_BACKOFF_MILLISECONDS)
    return most * (0.5 + this.clock.random() / 2)
  }

  #isPast(deadline: number | undefined, wait: number): boolean {
    return deadline !== undefined && this.clock.now() + wait > deadline
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
    const { registry, to, authorization } = outgoing
    if (typeof to === 'string') return this.#follow(await this.#reach(to, outgoing), outgoing)
    const rules = this.rulesOf(registry)
    const response = await this.#once(to, authorization, outgoing, reachOf(registry, rules))
    return this.#follow({ url: to, response, rules }, outgoing)
  }

  /** The answer of the registry itself, by the way that worked before or the first that works. */
  async #reach(path: string, outgoing: Outgoing): Promise<Hop> {
    const { registry } = outgoing
    const known = this.#ways.get(registry)
    if (known !== undefined) {
      try {
        return await this.#go(path, outgoing, known)
      } catch (error) {
        outgoing.signal?.throwIfAborted()
        // The name may have another address now.
        if (!mayBeRefused(error) || known.reach === 'private') throw error
        this.#ways.delete(registry)
      }
    }
    return this.#find(path, outgoing)
  }

  /** Like Docker with insecure registries: TLS first, then plain http. */
  async #find(path: string, outgoing: Outgoing): Promise<Hop> {
    const { registry } = outgoing
    const ways = waysTo(registry, this.#configuration)
    const [only, ...others] = [...ways.https, ...ways.http]
    if (only !== undefined && others.length === 0)
      return this.#go(path, outgoing, { scheme: 'https', reach: only })
    try {
      return await this.#tryEach(path, outgoing, 'https', ways.https)
    } catch (error) {
      outgoing.signal?.throwIfAborted()
      if (ways.http.length === 0 || error instanceof Problem) throw error
      if (!mayBePlain(error, endpointOf(registry, 'https'))) throw error
      const hop = await this.#tryEach(path, outgoing, 'http', ways.http).catch((failure: unknown) => {
        outgoing.signal?.throwIfAborted()
        // Its address is in no range where plain http is allowed, so the first failure says more.
        throw ways.http.includes('publicPlain') && mayBeRefused(failure) ? error : failure
      })
      // The reply of a TLS server to plain http.
      if (hop.response.status === 400 && classifyNetworkError(error) !== 'noTls') {
        this.#ways.delete(registry)
        await discard(hop.response)
        throw error
      }
      return hop
    }
  }

  /** The next reach is for a name whose address the one before refused. */
  async #tryEach(
    path: string,
    outgoing: Outgoing,
    scheme: Way['scheme'],
    reaches: readonly Reach[],
  ): Promise<Hop> {
    const failures: unknown[] = []
    for (const reach of reaches) {
      try {
        const hop = await this.#go(path, outgoing, { scheme, reach })
        this.#ways.set(outgoing.registry, { scheme, reach })
        return hop
      } catch (error) {
        outgoing.signal?.throwIfAborted()
        if (!mayBeRefused(error)) throw error
        failures.push(error)
      }
    }
    throw failures[0]
  }

  async #go(path: string, outgoing: Outgoing, way: Way): Promise<Hop> {
    const { registry, authorization } = outgoing
    const url = new URL(path, endpointOf(registry, way.scheme))
    const response = await this.#once(url, authorization, outgoing, way.reach)
    return { url, response, rules: rulesAfter(registry, way, this.#configuration) }
  }

  async #follow({ url: start, response: first, rules }: Hop, outgoing: Outgoing): Promise<Answer> {
    let url = start
    let response = first
    let { authorization } = outgoing
    for (let redirects = 0; ; redirects++) {
      const location = response.headers.get('location')
      // The body of a POST is for one address only.
      if (!REDIRECTS.has(response.status) || location === null || outgoing.method === 'POST')
        return { response, redirected: redirects > 0 }
      await discard(response)
      if (redirects === MAX_REDIRECTS)
        throw new Problem(
          'registry_error',
          `could not read ${outgoing.what}: ${outgoing.registry} redirected more than ${MAX_REDIRECTS} times`,
        )
      const next = URL.parse(location, url)
      if (next === null)
        throw new Problem(
          'registry_error',
          `could not read ${outgoing.what}: ${outgoing.registry} redirected to an invalid URL`,
        )
      guardNamed(next, 'redirect', outgoing.registry, rules)
      if (next.origin !== url.origin) authorization = undefined
      url = next
      response = await this.#once(url, authorization, outgoing, reachOf(outgoing.registry, rules))
    }
  }

  /** One exchange, whose headers must arrive within the idle time. */
  async #once(
    url: URL,
    authorization: string | undefined,
    outgoing: Outgoing,
    reach: Reach,
  ): Promise<Response> {
    const { method, body, headers, registry, signal: callerSignal } = outgoing
    const milliseconds = this.timeouts.idleMilliseconds
    const error = () => new StalledError(`no answer for ${milliseconds / 1000} s`)
    return within({ milliseconds, error, signal: callerSignal }, (signal) =>
      this.#fetch(
        url,
        {
          method,
          redirect: 'manual',
          signal,
          headers: { ...COMMON_HEADERS, ...headers, ...(authorization ? { authorization } : {}) },
          ...(body === undefined ? {} : { body }),
        },
        reach,
      ).catch((failure: unknown) => {
        const isNamed = !isEndpoint(url, registry)
        throw isNamed && reach === 'public' && isRefusal(failure) ? namedRefusal(url, registry) : failure
      }),
    )
  }
}

function isEndpoint(url: URL, registry: string): boolean {
  return url.host === endpointOf(registry, url.protocol === 'http:' ? 'http' : 'https').host
}

function isRefusal(error: unknown): boolean {
  return error instanceof Problem && error.code === 'forbidden_registry'
}

/** A registry with a public address may not lead to others. */
function namedRefusal(url: URL, registry: string): Problem {
  return new Problem(
    'forbidden_registry',
    `${registry} leads to ${url.host}, which has no public address; ${toAllow(`${registry},${url.host}`)}`,
  )
}

/** The kind of a network error, or of a stalled sender. */
export function failureOf(error: unknown): NetworkFailure {
  return error instanceof StalledError ? 'timeout' : classifyNetworkError(error)
}

/** Whether the host may have refused the address. workerd does not say so. */
function mayBeRefused(error: unknown): boolean {
  return isRefusal(error) || (!(error instanceof Problem) && failureOf(error) === 'unknown')
}

/** Whether plain http is worth trying after this TLS failure; never after a certificate error. */
function mayBePlain(error: unknown, url: URL): boolean {
  switch (failureOf(error)) {
    case 'noTls':
    case 'reset':
      return true
    case 'refused':
      // Plain http would use another port.
      return url.port === ''
    case 'unknown':
      // Possibly a certificate error: a TLS server does not take plain http on the same port, but may on another.
      return url.port !== ''
    case 'certificate':
    case 'otherName':
    case 'timeout':
    case 'unresolved':
      return false
  }
}
