/** Takes jobs from the queue that several servers share, and runs them. */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Job as BullJob, Worker } from 'bullmq'
import { isFinished, type Job, type JobState } from '../../../src/job.ts'
import { type JobRunner, NO_PROGRESS } from '../../../src/jobs/runner.ts'
import { locationOf } from '../../../src/oci/source-ref.ts'
import { Problem } from '../../../src/problem.ts'
import type { Log } from '../log.ts'
import type { EncryptedJobs } from './encrypted-jobs.ts'
import {
  type ConfigJob,
  type JobKind,
  keyOf,
  PREFIX,
  QUEUES,
  type QueuedEnd,
  type QueuedJob,
  type SharedJob,
} from './queue-messages.ts'
import type { RedisLink } from './redis.ts'
import type { Waiters } from './waiters.ts'

/** How to notice that a server with jobs is dead; in milliseconds. */
export const LOCKS = {
  /** A server that has not renewed its lock for this long counts as dead, and another takes the job. */
  lockDuration: 20_000,
  /** Often enough that Redis may be away for most of a lock's time without any server losing its jobs. */
  lockRenewTime: 5_000,
  stalledInterval: 5_000,
  /** The job may be the reason why its servers keep dying. */
  maxStalledCount: 3,
  /** Delay before it reconnects. */
  runRetryDelay: 1_000,
} as const

const WATCH_MILLISECONDS = 1_000
const WAITERS_MILLISECONDS = 2_000
/** How long a job continues when nobody is waiting any more: an image's client may come back, a layer's image does not. */
const ABANDONED_MILLISECONDS: Readonly<Record<Job['kind'], number>> = { image: 600_000, layer: 5_000 }
/** A stopping server does not wait for a Redis that is away. */
const CLOSE_MILLISECONDS = 1_000

export type QueueWorkersOptions = {
  readonly link: RedisLink
  readonly encrypted: EncryptedJobs
  readonly waiters: Waiters
  /** Runs the jobs. It soon cancels unwatched ones. */
  readonly runner: JobRunner
  /** Reads a config into the store. */
  readonly readConfig: (job: ConfigJob) => Promise<void>
  /** How many of each kind this server takes at once. */
  readonly atOnce: Readonly<Record<JobKind, number>>
  readonly log: Log
}

type Taken = { readonly bull: BullJob<QueuedJob>; readonly token: string; readonly done: Promise<unknown> }

export class QueueWorkers {
  readonly #options: QueueWorkersOptions
  readonly #workers: Readonly<Record<JobKind, Worker<QueuedJob, string>>>
  readonly #taken: Readonly<Record<JobKind, Set<Taken>>> = {
    image: new Set(),
    layer: new Set(),
    config: new Set(),
  }

  constructor(options: QueueWorkersOptions) {
    this.#options = options
    this.#workers = {
      image: this.#open('image'),
      layer: this.#open('layer'),
      config: this.#open('config'),
    }
  }

  /**
   * Takes no more jobs, and resolves when its jobs are done. Layers are taken until its images are done, which may wait for
   * layers that only this server can read.
   */
  async finish(): Promise<void> {
    for (const kind of ['image', 'layer', 'config'] as const) {
      // Not awaited: while Redis is away this would never resolve, and no job is taken either.
      void this.#workers[kind].pause(true).catch(() => {})
      await Promise.allSettled(Array.from(this.#taken[kind], ({ done }) => done))
    }
  }

  /** Returns unfinished jobs to the queue, so that the others need not first notice that this server is gone. */
  async close(): Promise<void> {
    const left = Object.values(this.#taken).flatMap((taken) => [...taken])
    const closed = Promise.allSettled(left.map(({ bull, token }) => bull.moveToWait(token))).then(() =>
      Promise.allSettled(Object.values(this.#workers).map((worker) => worker.close(true))),
    )
    await Promise.race([closed, sleep(CLOSE_MILLISECONDS)])
  }

  #open(kind: JobKind): Worker<QueuedJob, string> {
    const { link, atOnce, log } = this.#options
    const worker = new Worker<QueuedJob, string>(
      QUEUES[kind],
      (bull, token) => this.#take(kind, bull, token),
      {
        connection: link.connect(),
        prefix: PREFIX,
        concurrency: atOnce[kind],
        ...LOCKS,
      },
    )
    worker.on('error', (error) => log.debug({ error: error.message }, 'redis'))
    worker.on('stalled', (name) => log.warn({ name }, `${kind} lost by a server, restarted`))
    return worker
  }

  async #take(kind: JobKind, bull: BullJob<QueuedJob>, token = ''): Promise<string> {
    const done = this.#do(bull)
    const taken: Taken = { bull, token, done }
    this.#taken[kind].add(taken)
    try {
      return await done
    } finally {
      this.#taken[kind].delete(taken)
    }
  }

  /** @returns its end, encrypted */
  async #do(bull: BullJob<QueuedJob>): Promise<string> {
    const name = bull.id ?? ''
    const job = this.#opened(bull, name)
    const { progress, place, error } =
      job.kind === 'config' ? await this.#read(job) : await this.#run(job, bull, name)
    this.#options.waiters.forget(name).catch(() => {})
    const end = this.#options.encrypted.encryptEnd({ progress, place, error }, name)
    if (error !== undefined) throw new Error(end)
    return end
  }

  async #read(job: ConfigJob): Promise<QueuedEnd> {
    const end = { progress: NO_PROGRESS, place: locationOf(job.source) }
    try {
      await this.#options.readConfig(job)
      return end
    } catch (error) {
      if (error instanceof Problem) return { ...end, error: error.toDocument() }
      throw error
    }
  }

  async #run(job: Job, bull: BullJob<QueuedJob>, name: string): Promise<JobState> {
    const { runner, waiters, log } = this.#options
    const key = keyOf(job)
    const waiting = new Waiting(waiters, name, bull.timestamp)
    // Whoever requested it a moment ago is certainly waiting.
    if (Date.now() - bull.timestamp > WAITERS_MILLISECONDS) await waiting.look()
    const report = reporting(bull)
    let state = await runner.start(job)
    while (!isFinished(state)) {
      if (waiting.goneFor() > ABANDONED_MILLISECONDS[job.kind]) {
        // Nobody watches it now, so the runner cancels it.
        await runner.settled(key)
        log.info({ name }, `${job.kind} cancelled`)
      }
      const next: JobState | undefined = await runner.watch(key, state.version, WATCH_MILLISECONDS)
      if (next === undefined) throw new Error('the job is not known')
      state = next
      report(state)
    }
    return state
  }

  #opened(bull: BullJob<QueuedJob>, name: string): SharedJob {
    try {
      return this.#options.encrypted.decrypt(bull.data.encrypted, name)
    } catch (error) {
      this.#options.log.error({ name }, 'a job cannot be decrypted: do all servers have the same LAMINA_KEY?')
      throw error
    }
  }
}

/** Checks from time to time whether anybody still waits for a job. */
class Waiting {
  readonly #waiters: Waiters
  readonly #name: string
  #last: number
  #lookedAt = 0

  /** @param since when somebody was certainly waiting */
  constructor(waiters: Waiters, name: string, since: number) {
    this.#waiters = waiters
    this.#name = name
    this.#last = since
  }

  /** Milliseconds since the last waiter left. While Redis is away nobody can report that they wait, so the clock stops. */
  goneFor(): number {
    if (Date.now() - this.#lookedAt > WAITERS_MILLISECONDS) void this.look()
    return Date.now() - this.#last
  }

  async look(): Promise<void> {
    this.#lookedAt = Date.now()
    try {
      this.#last = Math.max(this.#last, (await this.#waiters.last(this.#name)) ?? 0)
    } catch {
      this.#last = Math.max(this.#last, Date.now())
    }
  }
}

/** Reports a job's progress to the other servers, one message at a time. */
function reporting(bull: BullJob<QueuedJob>): (state: JobState) => void {
  let isTelling = false
  let reported: JobState['progress'] = NO_PROGRESS
  return ({ progress }) => {
    if (isTelling || progress === reported) return
    isTelling = true
    reported = progress
    bull
      .updateProgress(progress)
      // A restarted Redis may have lost the job.
      .catch(() => {})
      .finally(() => {
        isTelling = false
      })
  }
}
