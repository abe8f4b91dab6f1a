/**
 * Threads for work whose size somebody else decides: one task per thread at a time. A thread whose task exceeds its memory or
 * its CPU time is terminated and replaced, and only that task fails.
 */
import { type Transferable, Worker } from 'node:worker_threads'
import type { Claim } from '../../../src/job.ts'
import { Problem, type ProblemDocument } from '../../../src/problem.ts'
import { type Permit, Semaphore, type SemaphoreLimits } from '../../../src/semaphore.ts'
import { ThreadTurn } from './thread-turn.ts'

/** The number of a task, on each message to it and from it: what comes late is not for the thread's next task. */
type Numbered = { readonly number: number }

/** What a thread receives: a task, messages to it, and its cancellation. */
export type ToThread<Task, Message> = Numbered &
  (
    | { readonly kind: 'task'; readonly task: Task }
    | { readonly kind: 'message'; readonly message: Message }
    | { readonly kind: 'abort' }
  )

/** What a thread sends: messages of a task; its end, with an outcome or a failure. A problem is sent as plain data. */
export type FromThread<Outcome, Said> = Numbered &
  (
    | { readonly kind: 'said'; readonly said: Said }
    | { readonly kind: 'outcome'; readonly outcome: Outcome }
    | { readonly kind: 'problem'; readonly problem: ProblemDocument }
    | { readonly kind: 'error'; readonly error: unknown }
  )

/** Passed to each thread when it starts. */
export type ThreadData = {
  /** The service's settings. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** Counts the turns of its event loop. */
  readonly pulse: SharedArrayBuffer
  /** Has the ID of the thread whose turn it is to decode a large zstd window. */
  readonly turn: SharedArrayBuffer
}

/** Of all threads of the process. */
const TURN = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)

export type ThreadOptions = {
  /** The code of its threads, which calls `serveTasks`. */
  readonly file: URL
  readonly env: Readonly<Record<string, string | undefined>>
  /** Limit on the JavaScript heap of each thread. */
  readonly heapMegabytes: number
  /** Threads that wait for the network or a reader do not count as computing. */
  readonly permits: SemaphoreLimits
  /** Threads that are started in advance, and kept: loading the code takes longer than a small task. */
  readonly ready?: number
}

export type RunOptions<Said> = {
  /** Names the work in problems: `the layer sha256:…`. */
  readonly what: string
  readonly claim: Claim
  /** The CPU time that the task may have used by now; may grow with its progress. */
  readonly cpuSeconds: () => number
  readonly signal?: AbortSignal | undefined
  /** What the task moves to the thread. */
  readonly transfer?: readonly Transferable[]
  readonly onSaid?: (said: Said) => void
}

export type Running<Outcome, Message> = {
  readonly outcome: Promise<Outcome>
  /** Sends the task a message, once it runs. */
  say(message: Message): void
}

const IDLE_MILLISECONDS = 60_000
const WATCH_MILLISECONDS = 500
/** CPU time without a turn of the event loop: all work yields far more often. */
const STUCK_SECONDS = 30
/** Below this share of CPU time a thread counts as waiting. */
const COMPUTING = 0.25
/**
 * How many checks in a row must find it waiting: each additional thread takes memory, so a slightly slow registry is not a
 * reason for one.
 */
const WAITED = 6
/** Memory for a thread's short-lived objects: a fraction of V8's own limit, since there are several threads. */
const YOUNG_MEGABYTES = 12
/** A cancelled task that does not stop within this time is terminated with its thread. */
const ABORT_MILLISECONDS = 5_000

type Thread = {
  readonly worker: Worker
  readonly pulse: Int32Array
  readonly turn: ThreadTurn
  idle?: NodeJS.Timeout
  /** Of its last task. */
  number: number
}

/** @param name of the file beside this one, as TypeScript or bundled */
export function threadFile(name: string): URL {
  return new URL(`./${name}.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`, import.meta.url)
}

export class Threads<Task, Outcome, Message = never, Said = never> {
  readonly #options: ThreadOptions
  readonly #semaphore: Semaphore
  readonly #idle: Thread[] = []
  readonly #all = new Set<Thread>()

  constructor(options: ThreadOptions) {
    this.#options = options
    this.#semaphore = new Semaphore(options.permits)
  }

  get waiting(): number {
    return this.#semaphore.waiting
  }

  /** Starts the threads that should be ready. */
  prepare(): void {
    const { ready = 0 } = this.#options
    while (this.#all.size < ready) this.#keep(this.#start())
  }

  /**
   * Runs a task on a thread, as soon as one is available.
   *
   * @returns an outcome that fails with `too_large` if the task exceeded its budget, with the task's error, or with the
   *   signal's reason
   */
  run(task: Task, options: RunOptions<Said>): Running<Outcome, Message> {
    let say: ((message: Message) => void) | undefined
    const run = async () => {
      const permit = await this.#semaphore.acquire(options.claim, options.signal)
      try {
        const thread = this.#take()
        const number = ++thread.number
        say = (message) => post(thread, { kind: 'message', number, message })
        return await this.#runOn(thread, permit, task, options)
      } finally {
        permit.release()
      }
    }
    return { outcome: run(), say: (message) => say?.(message) }
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#all].map(({ worker }) => worker.terminate()))
  }

  async #runOn(thread: Thread, permit: Permit, task: Task, options: RunOptions<Said>): Promise<Outcome> {
    const { what, signal, onSaid } = options
    const { worker, number } = thread
    const { promise, resolve, reject } = Promise.withResolvers<Outcome>()
    let isWhole = false
    const end = (reason: unknown) => {
      reject(reason)
      void worker.terminate()
    }
    const onMessage = (message: FromThread<Outcome, Said>) => {
      if (message.number !== number) return
      if (message.kind === 'said') return onSaid?.(message.said)
      isWhole = true
      if (message.kind === 'outcome') resolve(message.outcome)
      else reject(message.kind === 'problem' ? Problem.from(message.problem) : message.error)
    }
    const onError = (error: unknown) => reject(this.#outOfMemory(error, what))
    const onExit = () => reject(new Error(`the thread of ${what} ended`))
    let forced: NodeJS.Timeout | undefined
    const onAbort = () => {
      post(thread, { kind: 'abort', number })
      forced = setTimeout(() => end(signal?.reason), ABORT_MILLISECONDS)
    }
    worker.on('message', onMessage).on('error', onError).on('exit', onExit)
    signal?.addEventListener('abort', onAbort, { once: true })
    const watch = watchThread(thread, permit, options.cpuSeconds, (reason) =>
      end(new Problem('too_large', `${what} ${reason}`)),
    )
    try {
      post(thread, { kind: 'task', number, task }, options.transfer)
      return await promise
    } finally {
      clearInterval(watch)
      clearTimeout(forced)
      signal?.removeEventListener('abort', onAbort)
      worker.off('message', onMessage).off('error', onError).off('exit', onExit)
      // After a large zstd window the thread would hold its memory until V8 collects its garbage: an idle one never does.
      if (isWhole && !thread.turn.isTaken) this.#keep(thread)
      else this.#drop(thread)
    }
  }

  #outOfMemory(error: unknown, what: string): unknown {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code !== 'ERR_WORKER_OUT_OF_MEMORY') return error
    return new Problem('too_large', `${what} needs more than ${this.#options.heapMegabytes} MB of memory`)
  }

  #take(): Thread {
    const thread = this.#idle.pop() ?? this.#start()
    clearTimeout(thread.idle)
    thread.worker.ref()
    return thread
  }

  #start(): Thread {
    const { file, env, heapMegabytes } = this.#options
    const pulse = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)
    const workerData: ThreadData = { env: { ...env }, pulse, turn: TURN }
    const worker = new Worker(file, {
      workerData,
      resourceLimits: { maxOldGenerationSizeMb: heapMegabytes, maxYoungGenerationSizeMb: YOUNG_MEGABYTES },
    })
    // It has no ID when it has ended.
    const turn = new ThreadTurn(TURN, worker.threadId)
    const thread: Thread = { worker, pulse: new Int32Array(pulse), turn, number: 0 }
    this.#all.add(thread)
    // If an idle thread fails, it is only removed.
    worker.on('error', () => this.#drop(thread))
    worker.on('exit', () => {
      turn.release()
      this.#drop(thread)
    })
    return thread
  }

  #keep(thread: Thread): void {
    if (!this.#all.has(thread)) return
    const { ready = 0 } = this.#options
    thread.worker.unref()
    if (this.#idle.length >= ready)
      thread.idle = setTimeout(() => this.#drop(thread), IDLE_MILLISECONDS).unref()
    this.#idle.push(thread)
  }

  #drop(thread: Thread): void {
    clearTimeout(thread.idle)
    this.#all.delete(thread)
    const place = this.#idle.indexOf(thread)
    if (place >= 0) this.#idle.splice(place, 1)
    void thread.worker.terminate()
  }
}

function post<Task, Message>(
  { worker }: Thread,
  message: ToThread<Task, Message>,
  transfer: readonly Transferable[] = [],
): void {
  worker.postMessage(message, transfer)
}

/** Checks a thread now and then while its task runs, and says why it must be terminated. */
function watchThread(
  { worker, pulse }: Thread,
  permit: Permit,
  cpuSeconds: () => number,
  exceeded: (reason: string) => void,
): NodeJS.Timeout {
  let began: number | undefined
  let turned = 0
  let turns = -1
  let waited = 0
  let active = worker.performance.eventLoopUtilization()
  const look = async () => {
    const now = worker.performance.eventLoopUtilization()
    const waits = worker.performance.eventLoopUtilization(now, active).utilization < COMPUTING
    waited = waits ? waited + 1 : 0
    permit.rest(waited >= WAITED)
    active = now
    const used = await cpuSecondsOf(worker)
    if (used === undefined) return
    began ??= used
    const turnsNow = Atomics.load(pulse, 0)
    if (turnsNow !== turns) turned = used
    turns = turnsNow
    if (used - turned > STUCK_SECONDS) exceeded(`took more than ${STUCK_SECONDS} s of CPU time in one step`)
    const budget = cpuSeconds()
    if (used - began > budget) exceeded(`takes more than ${Math.round(budget)} s of CPU time`)
  }
  void look()
  return setInterval(() => void look(), WATCH_MILLISECONDS)
}

/** Undefined if the thread has ended. Before Node 24.6 it is the time during which its event loop was not idle. */
async function cpuSecondsOf(worker: Worker): Promise<number | undefined> {
  if (!('cpuUsage' in worker)) return eventLoopSeconds(worker)
  try {
    const { user, system } = await worker.cpuUsage()
    return (user + system) / 1e6
  } catch {
    return undefined
  }
}

function eventLoopSeconds({ performance }: Pick<Worker, 'performance'>): number {
  return performance.eventLoopUtilization().active / 1000
}
