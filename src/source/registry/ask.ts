/** Asks a registry one question about one repository, with the authorization that it requires. */
import type { Configuration } from '../../configuration.ts'
import type { Credential } from '../../oci/credential.ts'
import type { Repository } from '../../oci/reference.ts'
import type { Problem } from '../../problem.ts'
import { Authorizer } from './auth/token.ts'
import { discard } from './body.ts'
import { nameOf, problemOf, type RegistryRequest, type Subject } from './failure.ts'
import { guardRepository } from './guard.ts'
import type { Answer, CallerBounds, Outgoing, Transport } from './transport.ts'

/** Who asks, and with which deadline. */
export type Caller = {
  readonly credential?: Credential
  readonly signal?: AbortSignal | undefined
  /** Milliseconds since 1970 after which an answer is useless: no retry waits longer. */
  readonly deadline?: number | undefined
}

export type Question = {
  readonly method: 'GET' | 'HEAD'
  /** Path below `/v2/<repository>/`. */
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly subject: Subject
}

/** How to read an answer. */
export type Reading = {
  /** Turns an unsuccessful answer into a problem. */
  readonly refuse: () => Promise<Problem>
  /** Aborted when the caller leaves or time runs out. */
  readonly signal: AbortSignal | undefined
}

/** Handles answers of any status except the registry's own 401. */
export type Use<T> = (answer: Answer, reading: Reading) => Promise<T>

export class AuthenticatedClient {
  readonly transport: Transport
  readonly configuration: Configuration
  readonly authorizer: Authorizer

  constructor(parts: { readonly transport: Transport; readonly configuration: Configuration }) {
    this.transport = parts.transport
    this.configuration = parts.configuration
    this.authorizer = new Authorizer(parts.transport)
  }

  /**
   * Asks with the authorization that worked before, and once more with what a 401 then requires: so an expired token is renewed
   * once. All of it together has a time limit.
   *
   * @throws Problem `forbidden_registry`, `unauthorized`, `registry_error`, `registry_timeout`; what `use` throws; the signal's
   *   reason
   */
  async ask<T>(repository: Repository, question: Question, caller: Caller, use: Use<T>): Promise<T> {
    guardRepository(repository, this.configuration)
    const { credential } = caller
    const asked: RegistryRequest = { ...repository, subject: question.subject, credential }
    const limit = { registry: repository.registry, what: nameOf(asked), caller }
    return this.transport.limited(limit, (bounds) => this.#ask(asked, question, bounds, use))
  }

  async #ask<T>(asked: RegistryRequest, question: Question, bounds: CallerBounds, use: Use<T>): Promise<T> {
    const { registry, repository, credential } = asked
    const client = { repository: { registry, repository }, credential }
    const outgoing: Outgoing = {
      registry,
      what: nameOf(asked),
      to: `/v2/${repository}/${question.path}`,
      method: question.method,
      ...(question.headers ? { headers: question.headers } : {}),
      ...bounds,
    }
    const attempt = (authorization: string | undefined) =>
      this.#attempt({ ...outgoing, authorization }, asked, bounds, use)

    const known = this.authorizer.known(client)
    const first = await attempt(known)
    if ('value' in first) return first.value
    const authorization = await this.authorizer.authorize(
      client,
      first.challenge.response,
      known,
      bounds.signal,
    )
    if (authorization === undefined) throw await this.problemOf(first.challenge, asked, bounds)
    await discard(first.challenge.response)
    const second = await attempt(authorization)
    if ('value' in second) return second.value
    this.authorizer.forget(client, authorization)
    throw await this.problemOf(second.challenge, asked, bounds)
  }

  problemOf(answer: Answer, asked: RegistryRequest, { signal }: CallerBounds): Promise<Problem> {
    const { timeouts, clock } = this.transport
    return problemOf(answer, asked, { timeouts, signal, now: clock.now() })
  }

  #attempt<T>(
    outgoing: Outgoing,
    asked: RegistryRequest,
    bounds: CallerBounds,
    use: Use<T>,
  ): Promise<{ readonly challenge: Answer } | { readonly value: T }> {
    return this.transport.exchange<{ readonly challenge: Answer } | { readonly value: T }>(
      outgoing,
      async (answer) => {
        if (answer.response.status === 401 && !answer.redirected) return { challenge: answer }
        const refuse = () => this.problemOf(answer, asked, bounds)
        return { value: await use(answer, { refuse, signal: bounds.signal }) }
      },
    )
  }
}
