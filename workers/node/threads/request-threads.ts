/** Answers requests on threads if the amount of work depends on an image or a caller. */

import { openSource } from '../../../src/open/open-source.ts'
import type { Service } from '../../../src/open/service.ts'
import { Problem } from '../../../src/problem.ts'
import type { Metrics } from '../metrics.ts'
import type { Answer, Question, RequestMessage, RequestSaid, RequestTask } from './request-messages.ts'
import { type Running, Threads, threadFile } from './threads.ts'

const HEAP_MEGABYTES = 128
/** Requests answered at once; all except one per core wait for readers and registries. Each takes some 60 MB for its thread. */
const AT_ONCE = 6
/** One client may not take the last of these. */
const OF_ONE_CLIENT = 5
/** Requests waiting for a thread; beyond that, clients are asked to try again. */
const WAITING = 200

/** CPU time for any answer, and additional time for a long one. */
const SECONDS = 60
const BYTES_A_SECOND = 2_000_000

export type RequestThreadOptions = {
  /** How many compute at the same time. */
  readonly threads: number
  readonly env: Readonly<Record<string, string | undefined>>
  readonly metrics: Metrics
  /** Provides sources and memory to the threads. */
  readonly service: Service
}

type Work = Running<void, RequestMessage>

export class RequestThreads {
  readonly #metrics: Metrics
  readonly #service: Service
  readonly #threads: Threads<RequestTask, void, RequestMessage, RequestSaid>

  constructor({ threads, env, metrics, service }: RequestThreadOptions) {
    this.#metrics = metrics
    this.#service = service
    this.#threads = new Threads({
      file: threadFile('request-thread'),
      env,
      heapMegabytes: HEAP_MEGABYTES,
      permits: { total: threads, held: AT_ONCE, perKey: OF_ONE_CLIENT },
    })
  }

  /**
   * @param client the client's address: clients take turns
   * @returns when the answer begins; its body is produced on demand, and cut off if the work fails
   * @throws Problem `too_large` if the work takes too much, `rate_limited` if too many wait
   */
  async answer(task: RequestTask, client: string, signal: AbortSignal): Promise<Response> {
    if (this.#threads.waiting >= WAITING)
      throw new Problem(
        'rate_limited',
        `this service is busy: ${WAITING} requests are waiting already; try again later`,
        {
          retryAfter: 5,
        },
      )
    const left = new AbortController()
    const head = Promise.withResolvers<Response>()
    const body = new Body(() => left.abort())
    const work: Work = this.#threads.run(task, {
      what: 'this answer',
      claim: [client],
      cpuSeconds: () => SECONDS + body.bytes / BYTES_A_SECOND,
      signal: AbortSignal.any([signal, left.signal]),
      onSaid: (said) => {
        switch (said.kind) {
          case 'head': {
            const { status, hasBody } = said
            const headers = said.headers.map(([name, value]): [string, string] => [name, value])
            const stream = hasBody ? body.open(() => work.say({ kind: 'pull' })) : null
            head.resolve(new Response(stream, { status, headers }))
            break
          }
          case 'chunk':
            body.add(said.chunk)
            break
          case 'question':
            void this.#reply(work, said.id, said.question)
            break
          case 'forgotten':
            this.#service.memory.facts.delete(said.index)
            break
          case 'stored':
            for (const operation of said.operations) this.#metrics.stored(operation)
        }
      },
    })
    work.outcome.then(
      () => body.end(),
      (error) => {
        head.reject(error)
        body.fail(error)
      },
    )
    return head.promise
  }

  stop(): Promise<void> {
    return this.#threads.stop()
  }

  async #reply(work: Work, id: number, question: Question): Promise<void> {
    try {
      work.say({ kind: 'answer', id, answer: await this.#find(question) })
    } catch (error) {
      const problem = error instanceof Problem ? error : new Problem('internal_error', 'the source failed')
      work.say({ kind: 'refusal', id, problem: problem.toDocument() })
    }
  }

  async #find(question: Question): Promise<Answer> {
    const { ref } = question
    const source = openSource(this.#service, ref)
    switch (question.ask) {
      case 'resolve':
        return source.resolve(question.name)
      case 'manifest':
        return source.manifest(question.digest)
      case 'config':
        return source.config(question.descriptor)
      case 'has':
        return source.visibility.isConfirmed(question.digest, question.kind)
      case 'authorization':
        return ref.kind === 'registry'
          ? this.#service.client.lendAuthorization(ref, ref.credential)
          : undefined
    }
  }
}

/** A body from a thread: its reader pulls, the thread sends. */
class Body {
  readonly #onCancel: () => void
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined
  #arrived: (() => void) | undefined
  bytes = 0

  constructor(onCancel: () => void) {
    this.#onCancel = onCancel
  }

  open(pull: () => void): ReadableStream<Uint8Array> {
    return new ReadableStream({
      start: (controller) => {
        this.#controller = controller
      },
      pull: () => {
        pull()
        return new Promise<void>((resolve) => {
          this.#arrived = resolve
        })
      },
      cancel: () => {
        this.#controller = undefined
        this.#onCancel()
      },
    })
  }

  add(chunk: Uint8Array): void {
    this.bytes += chunk.byteLength
    this.#controller?.enqueue(chunk)
    this.#arrived?.()
  }

  end(): void {
    this.#controller?.close()
    this.#done()
  }

  fail(error: unknown): void {
    this.#controller?.error(error)
    this.#done()
  }

  #done(): void {
    this.#controller = undefined
    this.#arrived?.()
  }
}
