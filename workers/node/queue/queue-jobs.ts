/**
 * `Jobs` of several servers that share a Redis, on BullMQ. A job is named after its key, so it is queued only once; any server
 * with room takes it, and all servers hear about its progress. An image's layers are separate jobs, rather than children in
 * BullMQ: they are known only after its manifest is read, and images share layers, while a child has only one parent.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { Queue, QueueEvents } from 'bullmq'
import type { Jobs, SharedQueue } from '../../../src/host.ts'
import { isFinished, type JobState } from '../../../src/job.ts'
import { mayRunAgain, NO_PROGRESS } from '../../../src/jobs/runner.ts'
import { locationOf, originOf } from '../../../src/oci/source-ref.ts'
import { Problem } from '../../../src/problem.ts'
import type { EncryptedJobs } from './encrypted-jobs.ts'
import {
  type JobKind,
  keyOf,
  kindOf,
  LOST,
  PREFIX,
  progressOf,
  QUEUES,
  type QueuedJob,
  type SharedJob,
} from './queue-messages.ts'
import type { RedisLink } from './redis.ts'
import { Turns } from './turns.ts'
import type { Waiters } from './waiters.ts'

/** After this silence a watched job is looked up in Redis: a restarted Redis has lost events. */
const SILENCE_MILLISECONDS = 2_000
/** When a job is gone from Redis, the event of its end may still be on its way. */
const LATE_MILLISECONDS = 300
/** How long an unwatched job is remembered: callers may still ask for its end; others look it up again. */
const KEPT_MILLISECONDS = 60_000
const SWEEP_MILLISECONDS = 3_000
/** Longer than it takes to notice that a server has died. */
const WAITING_MILLISECONDS = 90_000
/** How long an analysis waits for a Redis that does not answer. */
const QUEUE_WAIT_MILLISECONDS = 300_000
const RETRY_PAUSE_MILLISECONDS = 500
const CLOSE_MILLISECONDS = 1_000

/** What this server knows about a job. */
type Seen = {
  state: JobState
  readonly kind: JobKind
  /** Its position among the waiting jobs, if this server queued it. */
  turn: number | undefined
  readonly wake: Set<() => void>
  heardAt: number
  /** Until when other servers believe that somebody is waiting for it here. */
  waitingUntil: number
  /** When somebody last waited for it here. */
  waitedAt: number
}

export type QueueJobsOptions = {
  readonly link: RedisLink
  readonly encrypted: EncryptedJobs
  readonly waiters: Waiters
  /** How many analyses may wait, over all servers; more are rejected. */
  readonly queuedAnalyses: number
}

export class QueueJobs implements Jobs, SharedQueue {
  readonly #options: QueueJobsOptions
  readonly #queues: Readonly<Record<JobKind, Queue<QueuedJob>>>
  readonly #events: readonly QueueEvents[]
  readonly #seen = new Map<string, Seen>()
  readonly #turns: Turns
  readonly #sweeping: NodeJS.Timeout
  #version = 0

  constructor(options: QueueJobsOptions) {
    this.#options = options
    const open = (kind: JobKind) => {
      const queue = new Queue<QueuedJob>(QUEUES[kind], { connection: options.link.commands, prefix: PREFIX })
      queue.on('error', () => {})
      return queue
    }
    this.#queues = { image: open('image'), layer: open('layer'), config: open('config') }
    this.#turns = new Turns(options.link, options.encrypted)
    this.#events = [this.#listen('image'), this.#listen('layer'), this.#listen('config')]
    this.#sweeping = setInterval(() => this.#sweep(), SWEEP_MILLISECONDS)
    this.#sweeping.unref()
  }

  get isAway(): boolean {
    return this.#options.link.isAway
  }

  /** For a job that starts other jobs: while Redis is away it waits instead of failing. */
  get patient(): Jobs {
    return { start: (job) => this.#startOnceRedisAnswers(job), watch: this.watch.bind(this) }
  }

  /** @throws Problem `queue_unavailable`; `rate_limited` if too many analyses wait */
  async start(job: SharedJob): Promise<JobState> {
    const { link, encrypted, waiters } = this.#options
    const name = encrypted.nameOf(keyOf(job))
    const known = this.#seen.get(name)
    if (known !== undefined && isRemembered(known)) return known.state
    const isNew = known === undefined || isFinished(known.state)
    // Recorded before it is queued: it may end before Redis answers.
    const seen = isNew ? this.#see(name, job.kind, queuedNow(job)) : known
    try {
      await link.ask(async () => {
        if (job.kind === 'image') await this.#requireRoom(name)
        const [turn] = await Promise.all([
          this.#turnOf(job, seen),
          waiters.record(name, Math.max(Date.now(), seen.waitingUntil)),
        ])
        await this.#queues[job.kind].add(
          job.kind,
          { encrypted: encrypted.encrypt(job, name) },
          // Deleting the job deletes its credentials.
          { jobId: name, ...turn, removeOnComplete: true, removeOnFail: true },
        )
      })
    } catch (error) {
      if (isNew && seen.state.status === 'queued') this.#seen.delete(name)
      throw error
    }
    return seen.state
  }

  async watch(key: string, version: number, milliseconds: number): Promise<JobState | undefined> {
    const name = this.#options.encrypted.nameOf(key)
    const seen = this.#seen.get(name) ?? (await this.#find(name, kindOf(key)))
    if (seen === undefined) return undefined
    const end = Date.now() + milliseconds
    while (seen.state.version <= version || !isFinished(seen.state)) {
      if (!(await this.#isThere(name, seen))) return undefined
      const left = end - Date.now()
      if (seen.state.version > version || left <= 0) break
      await this.#woken(name, seen, Math.min(left, SILENCE_MILLISECONDS))
    }
    return seen.state
  }

  /** Jobs waiting in all servers. Undefined while Redis is away. */
  async queued(): Promise<number | undefined> {
    try {
      const [images, layers] = await this.#options.link.ask(() =>
        Promise.all([this.#waiting('image'), this.#waiting('layer')]),
      )
      return images + layers
    } catch {
      return undefined
    }
  }

  async close(): Promise<void> {
    clearInterval(this.#sweeping)
    const closed = [...this.#events, ...Object.values(this.#queues)].map((part) => part.close())
    // Does not wait for a Redis that is away.
    await Promise.race([Promise.allSettled(closed), sleep(CLOSE_MILLISECONDS)])
  }

  async #startOnceRedisAnswers(job: SharedJob): Promise<JobState> {
    for (const end = Date.now() + QUEUE_WAIT_MILLISECONDS; ; ) {
      try {
        return await this.start(job)
      } catch (error) {
        const isOver = Date.now() >= end
        if (isOver || !(error instanceof Problem && error.code === 'queue_unavailable')) throw error
        await sleep(RETRY_PAUSE_MILLISECONDS)
      }
    }
  }

  /** Counted before the job is added, so the limit may be exceeded slightly. */
  async #requireRoom(name: string): Promise<void> {
    const waiting = await this.#waiting('image')
    if (waiting < this.#options.queuedAnalyses) return
    if ((await this.#queues.image.getJob(name)) !== undefined) return
    const detail = `this service is busy: ${waiting} analyses are waiting already; try again later`
    throw new Problem('rate_limited', detail, { retryAfter: 30 })
  }

  #waiting(kind: JobKind): Promise<number> {
    return this.#queues[kind].getJobCountByTypes('waiting', 'prioritized')
  }

  /** A config comes first: it is small, and a caller waits for each. */
  async #turnOf({ kind, source }: SharedJob, seen: Seen): Promise<{ readonly priority?: number }> {
    if (kind === 'config') return {}
    // Requesting a job again does not move it, or others of its registry, further back.
    seen.turn ??= await this.#turns.take(this.#queues[kind].toKey('prioritized'), originOf(source))
    return { priority: seen.turn }
  }

  #listen(kind: JobKind): QueueEvents {
    const connection = this.#options.link.connect()
    const events = new QueueEvents(QUEUES[kind], { connection, prefix: PREFIX })
    events.on('error', () => {})
    events.on('active', ({ jobId }) => this.#change(jobId, { status: 'running' }))
    events.on('progress', ({ jobId, data }) => this.#change(jobId, { progress: progressOf(data) }))
    events.on('completed', (ended: { readonly jobId: string; readonly returnvalue: unknown }) => {
      const end = this.#options.encrypted.decryptEnd(ended.returnvalue, ended.jobId)
      // Others may write to Redis; a real end is on its way, or found by looking.
      if (end === undefined) return
      const { progress } = end
      this.#change(ended.jobId, { status: 'succeeded', progress, finishedAt: new Date().toISOString() })
    })
    events.on('failed', ({ jobId, failedReason }) => void this.#failed(jobId, kind, failedReason))
    return events
  }

  /** Every server remembers a failure, so that none retries too soon. */
  async #failed(name: string, kind: JobKind, reason: string): Promise<void> {
    const end = this.#options.encrypted.decryptEnd(reason, name)
    // BullMQ removes what has failed; what is still there has not.
    if (end === undefined && (await this.#isQueued(name, kind))) return
    const now = new Date().toISOString()
    const { progress, place, error = LOST } = end ?? { progress: NO_PROGRESS, place: '' }
    const state = { progress, place, error, status: 'failed', finishedAt: now } as const
    if (this.#seen.has(name)) this.#change(name, state)
    else this.#see(name, kind, { ...state, createdAt: now })
  }

  /** While Redis is away nobody can tell. */
  async #isQueued(name: string, kind: JobKind): Promise<boolean> {
    try {
      return (await this.#options.link.ask(() => this.#queues[kind].getJob(name))) !== undefined
    } catch {
      return true
    }
  }

  #see(name: string, kind: JobKind, state: Omit<JobState, 'version'>): Seen {
    const known = this.#seen.get(name)
    const seen: Seen = known ?? {
      state: { ...state, version: 0 },
      kind,
      wake: new Set(),
      turn: undefined,
      heardAt: 0,
      waitingUntil: 0,
      waitedAt: 0,
    }
    seen.state = { ...state, version: ++this.#version }
    seen.turn = undefined
    seen.heardAt = Date.now()
    seen.waitingUntil = 0
    this.#seen.set(name, seen)
    return seen
  }

  #change(name: string, fields: Partial<Omit<JobState, 'version' | 'createdAt'>>): void {
    const seen = this.#seen.get(name)
    if (seen === undefined) return
    seen.heardAt = Date.now()
    seen.state = { ...seen.state, ...fields, version: ++this.#version }
    for (const wake of [...seen.wake]) wake()
  }

  /** Looks up a job that another server has queued. */
  async #find(name: string, kind: JobKind): Promise<Seen | undefined> {
    const { link, encrypted } = this.#options
    const queued = await link.ask(() => this.#queues[kind].getJob(name))
    if (queued === undefined) return undefined
    return (
      this.#seen.get(name) ??
      this.#see(name, kind, {
        status: queued.processedOn === undefined ? 'queued' : 'running',
        place: locationOf(encrypted.decrypt(queued.data.encrypted, name).source),
        createdAt: new Date(queued.timestamp).toISOString(),
        progress: progressOf(queued.progress),
      })
    )
  }

  /** Whether the job is still queued, or its end is known. */
  async #isThere(name: string, seen: Seen): Promise<boolean> {
    if (isFinished(seen.state) || Date.now() - seen.heardAt < SILENCE_MILLISECONDS) return true
    try {
      const queued = await this.#options.link.ask(() => this.#queues[seen.kind].getJob(name))
      seen.heardAt = Date.now()
      if (queued !== undefined) {
        if (queued.processedOn !== undefined && seen.state.status === 'queued')
          this.#change(name, { status: 'running', progress: progressOf(queued.progress) })
        return true
      }
    } catch {
      // While Redis is away nobody can tell; running jobs continue.
      return true
    }
    await this.#woken(name, seen, LATE_MILLISECONDS)
    if (isFinished(seen.state)) return true
    if (this.#seen.get(name) === seen) this.#seen.delete(name)
    return false
  }

  /** Resolves with the job's next change, or when the time is up. */
  async #woken(name: string, seen: Seen, milliseconds: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, milliseconds)
    seen.wake.add(resolve)
    this.#recordWaiter(name, seen)
    await promise
    clearTimeout(timer)
    seen.wake.delete(resolve)
    seen.waitedAt = Date.now()
  }

  /** Tells the server that runs the job that somebody is waiting here. */
  #recordWaiter(name: string, seen: Seen): void {
    const now = Date.now()
    if (seen.waitingUntil > now + WAITING_MILLISECONDS / 2) return
    this.#waitUntil(name, seen, now + WAITING_MILLISECONDS)
  }

  #waitUntil(name: string, seen: Seen, until: number): void {
    seen.waitingUntil = until
    this.#options.waiters.record(name, until).catch(() => {
      seen.waitingUntil = 0
    })
  }

  #sweep(): void {
    const now = Date.now()
    for (const [name, seen] of this.#seen) {
      if (seen.wake.size > 0) continue
      if (now - seen.heardAt > KEPT_MILLISECONDS) this.#seen.delete(name)
      // Between two watches nobody waits for a moment.
      else if (!isFinished(seen.state) && seen.waitingUntil > now && now - seen.waitedAt > SWEEP_MILLISECONDS)
        this.#waitUntil(name, seen, now)
    }
  }
}

/** A failure is remembered for a while. Reading a config is so cheap that it is retried each time. */
function isRemembered({ kind, state }: Seen): boolean {
  return kind !== 'config' && isFinished(state) && !mayRunAgain(state)
}

function queuedNow(job: SharedJob): Omit<JobState, 'version'> {
  const createdAt = new Date().toISOString()
  return { status: 'queued', place: locationOf(job.source), createdAt, progress: NO_PROGRESS }
}
