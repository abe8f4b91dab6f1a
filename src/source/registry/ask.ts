/** One question to a registry about one repository, with whatever authorization the registry wants for it. */
import type { Configuration } from '../../configuration.ts'
import type { Credential } from '../../oci/credential.ts'
import type { Repository } from '../../oci/reference.ts'
import type { Problem } from '../../problem.ts'
import { Authorizer } from './auth/token.ts'
import { discard } from './body.ts'
import { type Asked, problemOf, type Subject } from './failure.ts'
import { guardRepository } from './guard.ts'
import type { Answer, Outgoing, Transport } from './transport.ts'

/** Who asks, and for how long. */
export type Caller = {
  readonly credential?: Credential
  readonly signal?: AbortSignal
  /** Milliseconds since 1970 after which an answer is of no use: no retry waits beyond. */
  readonly deadline?: number
}

export type Question = {
  readonly method: 'GET' | 'HEAD'
  /** Below `/v2/<repository>/`. */
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly subject: Subject
}

/**
 * What to make of an answer, whatever its status but a 401 of the registry.
 *
 * @param refuse reads the answer as the problem that it is, where it is not the one hoped for
 */
export type Use<T> = (answer: Answer, refuse: () => Promise<Problem>) => Promise<T>

/** What of a caller bounds each request. */
export function boundsOf({ signal, deadline }: Caller): Pick<Outgoing, 'signal' | 'deadline'> {
  return { signal, deadline }
}

export class AuthenticatedClient {
  readonly transport: Transport
  readonly configuration: Configuration
  readonly authorizer: Authorizer

  constructor(parts: { readonly transport: Transport; readonly configuration: Configuration }) {
    this.transport = parts.transport
    this.configuration = parts.configuration
    this.authorizer = new Authorizer(parts)
  }

  /**
   * Asks with what served before, and once more with what a 401 then asks for: so a token that ran out is renewed once.
   *
   * @throws Problem `forbidden_registry`, `unauthorized`, `registry_error`, `registry_timeout`; what `use` throws; the
   * signal's reason
   */
  async ask<T>(repository: Repository, question: Question, caller: Caller, use: Use<T>): Promise<T> {
    guardRepository(repository, this.configuration)
    const { credential, signal } = caller
    const client = { repository, credential }
    const asked: Asked = {
      ...repository,
      subject: question.subject,
      credential,
    }
    const attempt = (authorization: string | undefined) =>
      this.#attempt(repository, question, caller, authorization, asked, use)

    const known = this.authorizer.known(client)
    const first = await attempt(known)
    if ('value' in first) return first.value
    const authorization = await this.authorizer.authorize(client, first.challenge.response, known, signal)
    if (authorization === undefined) throw await this.problemOf(first.challenge, asked)
    await discard(first.challenge.response)
    const second = await attempt(authorization)
    if ('value' in second) return second.value
    this.authorizer.forget(client, authorization)
    throw await this.problemOf(second.challenge, asked)
  }

  problemOf(answer: Answer, asked: Asked): Promise<Problem> {
    const { timeouts, clock } = this.transport
    return problemOf(answer, asked, { timeouts, now: clock.now() })
  }

  #attempt<T>(
    repository: Repository,
    question: Question,
    caller: Caller,
    authorization: string | undefined,
    asked: Asked,
    use: Use<T>,
  ): Promise<{ readonly challenge: Answer } | { readonly value: T }> {
    const outgoing: Outgoing = {
      registry: repository.registry,
      to: `/v2/${repository.repository}/${question.path}`,
      method: question.method,
      authorization,
      ...(question.headers ? { headers: question.headers } : {}),
      ...boundsOf(caller),
    }
    return this.transport.exchange<{ readonly challenge: Answer } | { readonly value: T }>(
      outgoing,
      async (answer) => {
        if (answer.response.status === 401 && !answer.redirected) return { challenge: answer }
        return { value: await use(answer, () => this.problemOf(answer, asked)) }
      },
    )
  }
}
