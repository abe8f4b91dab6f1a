/** One server's part in the queue of several. Imported only where `REDIS_URL` is set, so that BullMQ is not loaded elsewhere. */
import type { Configuration } from '../../src/configuration.ts'
import type { Backlog, ObjectStore } from '../../src/host.ts'
import type { BacklogWork } from '../../src/service/jobs/memory-backlog.ts'
import type { JobRunner } from '../../src/service/jobs/runner.ts'
import { Memory } from '../../src/service/memory.ts'
import { openSource } from '../../src/service/open-source.ts'
import type { Service } from '../../src/service/service.ts'
import type { ImageSource } from '../../src/source/source.ts'
import type { Log } from './log.ts'
import { BacklogWorker, QueueBacklog } from './queue-backlog.ts'
import { QueueJobs } from './queue-jobs.ts'
import { type ConfigJob, type JobKind, PREFIX } from './queue-words.ts'
import { QueueWorkers } from './queue-workers.ts'
import { QueuedSource } from './queued-source.ts'
import { RedisLink } from './redis.ts'
import { SealedJobs } from './sealed-jobs.ts'
import { Waiters } from './waiters.ts'

/** A server starts without Redis too: it answers from what is in the store. */
const OPEN_MILLISECONDS = 2_000
/** Callers wait no longer either. */
const CONFIG_MILLISECONDS = 60_000

export type QueueOptions = {
  readonly redis: NonNullable<Configuration['redis']>
  /** Analyses that wait, over all servers; more are refused. */
  readonly queuedAnalyses: number
  readonly log: Log
}

export type WorkOptions = {
  /** Runs the jobs that this server takes. It soon gives up what is not watched. */
  readonly runner: JobRunner
  /** Reads configs. */
  readonly service: Service
  /** How many of each kind this server takes at once. */
  readonly atOnce: Readonly<Record<JobKind, number>>
  /** Does the orders that this server takes. */
  readonly orders: BacklogWork & { readonly atOnce: number }
}

export type SharedJobs = {
  readonly jobs: QueueJobs
  readonly backlog: Backlog
  /** The source as all servers together ask it. */
  sourceOf(own: ImageSource, store: ObjectStore): ImageSource
  /** From now on this server takes jobs. */
  work(options: WorkOptions): void
  /** Takes no more, and resolves when those it has are done. */
  finish(): Promise<void>
  /** Gives unfinished jobs back to the queue. */
  close(): Promise<void>
}

export async function joinQueue({ redis, queuedAnalyses, log }: QueueOptions): Promise<SharedJobs> {
  const link = new RedisLink(redis.url, log)
  const sealed = new SealedJobs(redis.key)
  const waiters = new Waiters(link, PREFIX)
  const jobs = new QueueJobs({ link, sealed, waiters, queuedAnalyses })
  const backlog = new QueueBacklog(link)
  let workers: QueueWorkers | undefined
  let orderly: BacklogWorker | undefined
  await link.opened(OPEN_MILLISECONDS)
  return {
    jobs,
    backlog,
    // An archive is in the store already.
    sourceOf: (own, store) => (own.ref.kind === 'registry' ? new QueuedSource(own, store, jobs) : own),
    work({ service, orders, ...options }) {
      const readConfig = configReader(service)
      workers = new QueueWorkers({ link, sealed, waiters, log, readConfig, ...options })
      orderly = new BacklogWorker({ link, work: orders, atOnce: orders.atOnce, log })
    },
    async finish() {
      orderly?.pause()
      await workers?.finish()
    },
    async close() {
      await orderly?.close()
      await workers?.close()
      await Promise.all([jobs.close(), backlog.close()])
      link.close()
    },
  }
}

/** @param service that asks its sources itself */
function configReader(service: Service): (job: ConfigJob) => Promise<void> {
  // The server's own memory would make this job wait for the caller that waits for it.
  const own = { ...service, memory: new Memory() }
  return async ({ source, descriptor }) => {
    await openSource(own, source, AbortSignal.timeout(CONFIG_MILLISECONDS)).config(descriptor)
  }
}
