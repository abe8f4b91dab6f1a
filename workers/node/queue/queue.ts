/** One server's part in the shared queue. Imported only if `REDIS_URL` is set, so that BullMQ is not loaded otherwise. */
import type { Configuration } from '../../../src/configuration.ts'
import type { ImageQueue, ObjectStore } from '../../../src/host.ts'
import type { ImageQueueWork } from '../../../src/jobs/memory-image-queue.ts'
import type { JobRunner } from '../../../src/jobs/runner.ts'
import { Memory } from '../../../src/open/caches.ts'
import { openSource } from '../../../src/open/open-source.ts'
import type { Service } from '../../../src/open/service.ts'
import type { ImageSource } from '../../../src/source/source.ts'
import type { Log } from '../log.ts'
import { EncryptedJobs } from './encrypted-jobs.ts'
import { QueueJobs } from './queue-jobs.ts'
import { type ConfigJob, type JobKind, PREFIX } from './queue-messages.ts'
import { QueueWorkers } from './queue-workers.ts'
import { QueuedSource } from './queued-source.ts'
import { RedisLink } from './redis.ts'
import { ImageQueueWorker, RedisImageQueue } from './redis-image-queue.ts'
import { Waiters } from './waiters.ts'

/** A server also starts without Redis: it answers from the store. */
const OPEN_MILLISECONDS = 2_000
/** Callers do not wait longer either. */
const CONFIG_MILLISECONDS = 60_000

export type QueueOptions = {
  readonly redis: NonNullable<Configuration['redis']>
  /** How many analyses may wait, over all servers; more are rejected. */
  readonly queuedAnalyses: number
  readonly log: Log
}

export type WorkOptions = {
  /** Runs the jobs that this server takes. It soon cancels unwatched ones. */
  readonly runner: JobRunner
  /** Reads configs. */
  readonly service: Service
  /** How many of each kind this server takes at once. */
  readonly atOnce: Readonly<Record<JobKind, number>>
  /** Carries out the images that this server takes. */
  readonly images: ImageQueueWork & { readonly atOnce: number }
}

export type SharedJobs = {
  readonly jobs: QueueJobs
  readonly imageQueue: ImageQueue
  /** The source as all servers together use it. */
  sourceOf(own: ImageSource, store: ObjectStore): ImageSource
  /** From now on this server takes jobs. */
  work(options: WorkOptions): void
  /** Takes no more jobs, and resolves when its jobs are done. */
  finish(): Promise<void>
  /** Returns unfinished jobs to the queue. */
  close(): Promise<void>
}

export async function joinQueue({ redis, queuedAnalyses, log }: QueueOptions): Promise<SharedJobs> {
  const link = new RedisLink(redis.url, log)
  const encrypted = new EncryptedJobs(redis.key)
  const waiters = new Waiters(link, PREFIX)
  const jobs = new QueueJobs({ link, encrypted, waiters, queuedAnalyses })
  const imageQueue = new RedisImageQueue(link)
  let workers: QueueWorkers | undefined
  let imageWorker: ImageQueueWorker | undefined
  await link.opened(OPEN_MILLISECONDS)
  return {
    jobs,
    imageQueue,
    // An archive is already in the store.
    sourceOf: (own, store) => (own.ref.kind === 'registry' ? new QueuedSource(own, store, jobs) : own),
    work({ service, images, ...options }) {
      const readConfig = configReader(service)
      workers = new QueueWorkers({ link, encrypted, waiters, log, readConfig, ...options })
      imageWorker = new ImageQueueWorker({ link, work: images, atOnce: images.atOnce, log })
    },
    async finish() {
      imageWorker?.pause()
      await workers?.finish()
    },
    async close() {
      await imageWorker?.close()
      await workers?.close()
      await Promise.all([jobs.close(), imageQueue.close()])
      link.close()
    },
  }
}

/** @param service that asks its sources itself */
function configReader(service: Service): (job: ConfigJob) => Promise<void> {
  // With the server's own memory, this job would wait for the caller that waits for it.
  const own = { ...service, memory: new Memory() }
  return async ({ source, descriptor }) => {
    await openSource(own, source, AbortSignal.timeout(CONFIG_MILLISECONDS)).config(descriptor)
  }
}
