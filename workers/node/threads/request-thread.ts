/** The code of a request thread: it answers one request at a time with the same routes, and sends the body on demand. */

import type { Jobs } from '../../../src/host.ts'
import { createApp } from '../../../src/http/app.ts'
import { imageIndexOf } from '../../../src/jobs/image-job.ts'
import type { Descriptor } from '../../../src/oci/manifest.ts'
import type { Service } from '../../../src/open/service.ts'
import { Problem } from '../../../src/problem.ts'
import type { RegistryClient } from '../../../src/source/registry/client.ts'
import type { BlobRange, ContentKind, ImageSource, ResolvedManifest } from '../../../src/source/source.ts'
import { readAsset } from '../../assets.ts'
import { createService } from '../host.ts'
import type { StoreOperation } from '../store/metered-store.ts'
import { ForwardingSource } from './forwarding-source.ts'
import type { Answer, Question, RequestMessage, RequestSaid, RequestTask } from './request-messages.ts'
import { serveTasks, type TaskCaller } from './serve-tasks.ts'
import { threadConfiguration } from './thread-configuration.ts'

type Ask = (question: Question) => Promise<Answer>

/**
 * The thread that sends a request here knows its images. If the store no longer knows one of them, that thread must forget it:
 * then the next request starts an analysis.
 */
const noJobs: Jobs = {
  start: async (job) => {
    if (job.kind === 'image') say({ kind: 'forgotten', index: imageIndexOf(job) })
    throw new Problem('analysis_pending', 'the image is being analysed; try again', { retryAfter: 2 })
  },
  watch: async () => undefined,
}

/** A source as the answering thread knows it; only the contents of blobs are read here. */
class RelayedSource extends ForwardingSource {
  readonly #client: RegistryClient
  readonly #ask: Ask

  constructor(own: ImageSource, client: RegistryClient, ask: Ask) {
    super(own)
    this.#client = client
    this.#ask = ask
  }

  override async resolve(name: string): Promise<ResolvedManifest> {
    const answer = await this.#ask({ ref: this.ref, ask: 'resolve', name })
    if (typeof answer === 'object' && 'digest' in answer) return answer
    throw unexpected('resolve')
  }

  override async manifest(digest: string): Promise<Uint8Array> {
    return bytesOf(await this.#ask({ ref: this.ref, ask: 'manifest', digest }))
  }

  override async config(descriptor: Descriptor): Promise<Uint8Array> {
    return bytesOf(await this.#ask({ ref: this.ref, ask: 'config', descriptor }))
  }

  override async has(digest: string, kind: ContentKind): Promise<boolean> {
    return (await this.#ask({ ref: this.ref, ask: 'has', digest, kind })) === true
  }

  override async blob(descriptor: Descriptor, range?: BlobRange): Promise<ReadableStream<Uint8Array>> {
    const { ref } = this
    const authorization = await this.#ask({ ref, ask: 'authorization' })
    if (ref.kind === 'registry' && typeof authorization === 'object' && 'header' in authorization)
      this.#client.borrowAuthorization(ref, ref.credential, authorization)
    return super.blob(descriptor, range)
  }
}

function bytesOf(answer: Answer): Uint8Array {
  if (answer instanceof Uint8Array) return answer
  throw unexpected('bytes')
}

function unexpected(what: string): Error {
  return new Error(`the answering thread did not return ${what}`)
}

let operations: StoreOperation[] = []
const own = await createService(threadConfiguration(), noJobs, (operation) => operations.push(operation))
/** Of the running task. */
let ask: Ask = () => Promise.reject(new Error('no request is being answered'))
let say: (said: RequestSaid) => void = () => {}
const service: Service = {
  ...own,
  // An archive is read from the store, which this thread has, too.
  relay: (source) => (source.ref.kind === 'registry' ? new RelayedSource(source, own.client, ask) : source),
  onForgotten: (index) => say({ kind: 'forgotten', index }),
}
const app = createApp(service, { assets: readAsset })

serveTasks<RequestTask, void, RequestMessage, RequestSaid>(async (task, caller) => {
  const pulls = new Pulls()
  ask = asking(caller, () => pulls.add())
  say = caller.say
  try {
    const { url, method, headers, body } = task
    const request = new Request(url, {
      method,
      headers: headers.map(([name, value]): [string, string] => [name, value]),
      signal: caller.signal,
      ...(body === undefined ? {} : { body }),
    })
    const response = await app.fetch(request, { requestId: task.requestId })
    await send(response, caller, pulls)
  } finally {
    caller.say({ kind: 'stored', operations })
    operations = []
  }
})

async function send(
  response: Response,
  { say, signal }: TaskCaller<RequestMessage, RequestSaid>,
  pulls: Pulls,
): Promise<void> {
  const reader = response.body?.getReader()
  const headers = [...response.headers]
  say({ kind: 'head', status: response.status, headers, hasBody: reader !== undefined })
  if (reader === undefined) return
  const stop = () => {
    reader.cancel().catch(() => {})
    pulls.add()
  }
  signal.addEventListener('abort', stop, { once: true })
  for (;;) {
    await pulls.next()
    signal.throwIfAborted()
    const { value: chunk } = await reader.read()
    if (chunk === undefined) return
    say({ kind: 'chunk', chunk })
  }
}

/** Sends questions and dispatches their answers; receives pulls as well. */
function asking({ say, listen }: TaskCaller<RequestMessage, RequestSaid>, onPull: () => void): Ask {
  const asked = new Map<number, PromiseWithResolvers<Answer>>()
  let id = 0
  listen((message) => {
    if (message.kind === 'pull') return onPull()
    const waiting = asked.get(message.id)
    asked.delete(message.id)
    if (message.kind === 'answer') waiting?.resolve(message.answer)
    else waiting?.reject(Problem.from(message.problem))
  })
  return (question) => {
    const waiting = Promise.withResolvers<Answer>()
    asked.set(++id, waiting)
    say({ kind: 'question', id, question })
    return waiting.promise
  }
}

/** How often the reader of a body requested more. */
class Pulls {
  #ready = 0
  #wake: (() => void) | undefined

  add(): void {
    this.#ready++
    this.#wake?.()
  }

  async next(): Promise<void> {
    if (this.#ready === 0) await new Promise<void>((resolve) => (this.#wake = resolve))
    this.#wake = undefined
    this.#ready--
  }
}
