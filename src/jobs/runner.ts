/** Runs jobs in this process: each once at a time, a limited number at once, the others in a bounded queue. */
import type { Jobs } from '../host.ts'
import {
  claimOf,
  isFinished,
  type Job,
  type JobProgress,
  type JobState,
  jobKey,
  type LayerJob,
  type Progress,
} from '../job.ts'
import { locationOf, originOf } from '../oci/source-ref.ts'
import { Problem, type ProblemCode, type ProblemDocument } from '../problem.ts'
import { type FairSemaphore, Semaphore } from '../semaphore.ts'
import { SlowSources, slowPool, waitsForSlowSource } from './slow-sources.ts'

/** How long a temporary failure is returned without a retry, unless the failure has its own retry time. */
const FAILURE_MILLISECONDS = 60_000
/** Failures of this service are retried on the next request, since they say nothing about the image. */
const OWN_FAILURES: ReadonlySet<ProblemCode> = new Set([
  'store_error',
  'queue_unavailable',
  'internal_error',
  'analysis_pending',
])
/** How long a finished job is remembered for callers that still watch it. */
const FINISHED_MILLISECONDS = 60_000
/**
 * A job is cancelled after this long without a request that starts or watches it. Images get long, since callers may
 * come back; layers get short, since only analyses wait for them.
 */
const ABANDONED_MILLISECONDS = { image: 600_000, layer: 5_000 } as const
/**
 * How long a job may wait for a slow source while others wait for its place; doubled each time it starts again. The first time
 * nobody knows yet that the source is slow, so that it is in others' way: what has arrived by then is quickly read again.
 */
const PATIENCE_MILLISECONDS = 5_000
const MOST_PATIENCE = 48
/** Progress alone does not wake watchers more often than this. */
const PROGRESS_MILLISECONDS = 200

/** Runs a job. May report progress at any rate; must stop soon after `signal` is aborted because no request is waiting. */
export type Work = (job: Job, report: (progress: JobProgress) => void, signal: AbortSignal) => Promise<void>

export type RunnerLimits = {
  /** How many at once, or who admits them. */
  readonly analyses: number | FairSemaphore
  readonly queuedAnalyses: number
  readonly layers: number | FairSemaphore | ((job: LayerJob) => FairSemaphore)
  /** How long a job may wait for a slow source while others wait for its place; the default is for services. */
  readonly patienceMilliseconds?: number
  /** What runners that share a semaphore know of sources. */
  readonly slow?: SlowSources
  /** Progress alone does not wake watchers more often than this; the default is for watchers in this process. */
  readonly progressMilliseconds?: number
  /** Milliseconds after which an unwatched job of a kind is cancelled; the defaults are for services. */
  readonly abandoned?: Readonly<Record<Job['kind'], number>>
}

type Tracked = {
  state: JobState
  readonly finished: Promise<void>
  readonly wake: Set<() => void>
  readonly abandoned: AbortController
  readonly abandonMilliseconds: number
  abandonment: ReturnType<typeof setTimeout> | undefined
  reportedAt: number
}

/** A layer turned out to need another permit than the one that it has: it starts again with that. */
export class Readmission extends Error {}

export const NO_PROGRESS: Progress = { layers: 0, layersDone: 0, layersReused: 0, bytes: 0, bytesDone: 0 }

export class JobRunner implements Jobs {
  readonly #tracked = new Map<string, Tracked>()
  readonly #work: Work
  readonly #finished: (job: Job, state: JobState) => void
  readonly #limits: RunnerLimits
  readonly #analyses: FairSemaphore
  readonly #layers: (job: LayerJob) => FairSemaphore
  readonly #slow: SlowSources

  /** @param finished called with each finished job and its last state */
  constructor(work: Work, limits: RunnerLimits, finished: (job: Job, state: JobState) => void = () => {}) {
    this.#work = work
    this.#finished = finished
    this.#limits = limits
    this.#analyses = semaphoreOf(limits.analyses)
    this.#layers = semaphoresOf(limits.layers)
    this.#slow = limits.slow ?? new SlowSources()
  }

  async start(job: Job): Promise<JobState> {
    this.#forget()
    const key = jobKey(job)
    const known = this.#tracked.get(key)
    if (known !== undefined && !mayRunAgain(known.state)) {
      expectWatcher(known)
      return known.state
    }
    const semaphore = this.#semaphoreOf(job)
    if (job.kind === 'image' && semaphore.full && semaphore.waiting >= this.#limits.queuedAnalyses) {
      const detail = `this service is busy: ${semaphore.waiting} analyses are waiting already; try again later`
      throw new Problem('rate_limited', detail, { retryAfter: 30 })
    }
    return this.#launch(key, job).state
  }

  async watch(key: string, version: number, milliseconds: number): Promise<JobState | undefined> {
    this.#forget()
    const tracked = this.#tracked.get(key)
    if (tracked === undefined || tracked.state.version > version) return tracked?.state
    await new Promise<void>((resolve) => {
      const done = () => {
        clearTimeout(timer)
        tracked.wake.delete(done)
        expectWatcher(tracked)
        resolve()
      }
      const timer = setTimeout(done, milliseconds)
      tracked.wake.add(done)
      clearTimeout(tracked.abandonment)
    })
    return tracked.state
  }

  /** Resolves when the job has finished, successfully or not; at once if no such job is running. */
  async settled(key: string): Promise<void> {
    await this.#tracked.get(key)?.finished
  }

  /** Resolves when no jobs are running. */
  async idle(): Promise<void> {
    await Promise.all([...this.#tracked.values()].map((tracked) => tracked.finished))
  }

  get counts(): { readonly running: number; readonly queued: number } {
    const states = [...this.#tracked.values()].map((tracked) => tracked.state.status)
    return {
      running: states.filter((status) => status === 'running').length,
      queued: states.filter((status) => status === 'queued').length,
    }
  }

  #launch(key: string, job: Job): Tracked {
    const { promise: finished, resolve: finish } = Promise.withResolvers<void>()
    const tracked: Tracked = {
      state: {
        status: 'queued',
        version: (this.#tracked.get(key)?.state.version ?? 0) + 1,
        place: locationOf(job.source),
        createdAt: new Date().toISOString(),
        progress: NO_PROGRESS,
      },
      finished,
      wake: new Set(),
      abandoned: new AbortController(),
      abandonMilliseconds: this.#limits.abandoned?.[job.kind] ?? ABANDONED_MILLISECONDS[job.kind],
      abandonment: undefined,
      reportedAt: 0,
    }
    expectWatcher(tracked)
    this.#tracked.set(key, tracked)
    void this.#run(tracked, job).then(finish)
    return tracked
  }

  /**
   * Forgets jobs that finished long ago. Done on requests rather than by a timer: a timer would keep a Durable Object awake,
   * and billed.
   */
  #forget(): void {
    const before = Date.now() - FINISHED_MILLISECONDS
    for (const [key, { state }] of this.#tracked) {
      if (state.finishedAt !== undefined && Date.parse(state.finishedAt) < before) this.#tracked.delete(key)
    }
  }

  async #run(tracked: Tracked, job: Job): Promise<void> {
    try {
      await this.#workInTurn(tracked, job)
      change(tracked, { status: 'succeeded', finishedAt: new Date().toISOString() })
    } catch (error) {
      const problem = error instanceof Problem ? error : unforeseen(error, tracked.abandoned.signal)
      change(tracked, { status: 'failed', finishedAt: new Date().toISOString(), error: problem.toDocument() })
    } finally {
      clearTimeout(tracked.abandonment)
      this.#finished(job, tracked.state)
    }
  }

  #tell(tracked: Tracked, progress: JobProgress): void {
    const { progressMilliseconds = PROGRESS_MILLISECONDS } = this.#limits
    if (Date.now() - tracked.reportedAt > progressMilliseconds) change(tracked, { progress })
    else tracked.state = { ...tracked.state, progress }
  }

  #semaphoreOf(job: Job): FairSemaphore {
    return job.kind === 'image' ? this.#analyses : this.#layers(job)
  }

  async #workInTurn(tracked: Tracked, job: Job): Promise<void> {
    const { signal } = tracked.abandoned
    const { patienceMilliseconds = PATIENCE_MILLISECONDS } = this.#limits
    const origin = originOf(job.source)
    for (let patience = 1; ; patience = Math.min(2 * patience, MOST_PATIENCE)) {
      const permit = await this.#semaphoreOf(job).acquire(claimOf(job), signal, {
        pool: this.#slow.poolOf(origin),
      })
      const left = new AbortController()
      const report = (progress: JobProgress) => {
        this.#tell(tracked, progress)
        if (!waitsForSlowSource(progress, patience * patienceMilliseconds)) return
        this.#slow.add(origin)
        if (permit.isWanted) left.abort(new Error('another job has its turn'))
      }
      try {
        change(tracked, { status: 'running' })
        await this.#work(job, report, AbortSignal.any([signal, left.signal]))
        return
      } catch (error) {
        if (signal.aborted || !(left.signal.aborted || error instanceof Readmission)) throw error
        change(tracked, { status: 'queued' })
      } finally {
        permit.release()
      }
    }
  }
}

function semaphoreOf(limit: number | FairSemaphore): FairSemaphore {
  return typeof limit === 'number' ? new Semaphore({ total: limit, pools: slowPool(limit) }) : limit
}

function semaphoresOf(limit: RunnerLimits['layers']): (job: LayerJob) => FairSemaphore {
  if (typeof limit === 'function') return limit
  const semaphore = semaphoreOf(limit)
  return () => semaphore
}

/** A failure of this service: it is logged, and hidden from the caller. */
function unforeseen(error: unknown, abandoned: AbortSignal): Problem {
  if (abandoned.aborted)
    return new Problem(
      'analysis_pending',
      'cancelled: no client was waiting; try again to restart the analysis',
      { retryAfter: 1 },
    )
  console.error('a job failed:', error)
  return new Problem('internal_error', 'the analysis failed because of an internal error')
}

/** From now on the job will be cancelled unless somebody watches it in time. */
function expectWatcher(tracked: Tracked): void {
  clearTimeout(tracked.abandonment)
  if (tracked.wake.size > 0 || isFinished(tracked.state)) return
  tracked.abandonment = setTimeout(() => tracked.abandoned.abort(), tracked.abandonMilliseconds)
}

/** Whether a new request for a job in this state runs it again, instead of returning its old result. */
export function mayRunAgain(state: JobState): boolean {
  if (state.status === 'succeeded') return true
  if (state.status !== 'failed') return false
  return Date.now() - Date.parse(state.finishedAt ?? state.createdAt) >= millisecondsKept(state.error)
}

function millisecondsKept(failure: ProblemDocument | undefined): number {
  if (failure === undefined || OWN_FAILURES.has(failure.code)) return 0
  return Math.min((failure.retryAfter ?? Infinity) * 1000, FAILURE_MILLISECONDS)
}

function change(tracked: Tracked, fields: Partial<JobState>): void {
  tracked.state = { ...tracked.state, ...fields, version: tracked.state.version + 1 }
  tracked.reportedAt = Date.now()
  for (const wake of [...tracked.wake]) wake()
}
