/** A job's own Durable Object, named by the job's key, so that the job runs once at a time. */
import { DurableObject, type DurableObjectContext } from 'cloudflare:workers'
import { z } from 'zod'
import { type Job, type JobState, jobKey } from '../../src/job.ts'
import { runImageJob } from '../../src/jobs/image-job.ts'
import { keepIndexed, runLayerJob } from '../../src/jobs/layer-job.ts'
import { type Merge, mergeImage } from '../../src/jobs/merge-job.ts'
import { JobRunner } from '../../src/jobs/runner.ts'
import { SlowSources, slowPool } from '../../src/jobs/slow-sources.ts'
import type { Service } from '../../src/open/service.ts'
import { Problem } from '../../src/problem.ts'
import { type Analytics, countJob } from './analytics.ts'
import type { Started } from './durable-jobs.ts'
import { type Environment, isLocal, serviceOf } from './environment.ts'
import { LeasedSemaphore } from './leased-semaphore.ts'
import { forgetHolder, LayerMemory, mergeInMemory } from './memory.ts'

/** How often an object with a running job begins a new invocation, which has a new CPU time budget. */
const HEARTBEAT_MILLISECONDS = 30_000
const QUEUED_ANALYSES = 100
/** Each report of progress is a call of the object for each isolate that waits. */
const PROGRESS_MILLISECONDS = 1_000

/** Where an object counts how often its job exceeded the isolate's limits. */
const OUTGREW = 'outgrew'
const outgrewSchema = z.object({ times: z.int(), at: z.number() })
/** A neighbour in the isolate may be the reason once or twice. */
const MOST_TIMES = 4
/** For how long the job is not tried again then. */
const OUTGREW_MILLISECONDS = 3_600_000

/** Images at once in an isolate; configurable. */
let analyses: LeasedSemaphore | undefined
const slow = new SlowSources()

/** @param holder the object's ID: leases from an earlier life are released */
function createRunner(service: Service, holder: string, analytics?: Analytics): JobRunner {
  const { maxAnalyses } = service.host.configuration
  analyses ??= new LeasedSemaphore({ total: maxAnalyses, pools: slowPool(maxAnalyses) })
  analyses.forget(holder)
  forgetHolder(holder)
  const memory = new LayerMemory(holder)
  return new JobRunner(
    async (job, report, signal) => {
      if (job.kind === 'layer') {
        const decode = memory.decoderOf(job)
        keepIndexed(service, await runLayerJob(service, job, { report, signal, decode }))
        return
      }
      const merge = (work: Merge) =>
        mergeInMemory(work, holder, signal, () => mergeImage(service, work, signal))
      await runImageJob(service, job, { report, signal, merge })
    },
    {
      analyses: analyses.of(holder),
      queuedAnalyses: QUEUED_ANALYSES,
      layers: (job) => memory.of(job),
      slow,
      progressMilliseconds: PROGRESS_MILLISECONDS,
    },
    (job, state) => countJob(analytics, job, state),
  )
}

export class JobObject extends DurableObject<Environment> {
  /** Belongs to the object: a reset ends its work, and everyone waiting for it. */
  readonly #runner: JobRunner
  /** Delay before the first alarm: most jobs end sooner, and store nothing. */
  #first: ReturnType<typeof setTimeout> | undefined
  /** Whether this life of the object has stored anything: an alarm, or how often its job exceeded the limits. */
  #hasStored = false
  /** Whether it has counted why its last life ended: everyone who waited tells it. */
  #hasCounted = false

  constructor(context: DurableObjectContext, environment: Environment) {
    super(context, environment)
    this.#runner = createRunner(serviceOf(environment), context.id.toString(), environment.ANALYTICS)
  }

  async start(job: Job): Promise<Started> {
    try {
      const outgrew = await this.#outgrew()
      if (outgrew !== undefined && outgrew.times >= MOST_TIMES) throw tooLarge(job, outgrew.at)
      const state = await this.#runner.start(job)
      this.ctx.waitUntil(this.#runner.settled(jobKey(job)).then(() => this.#rest()))
      // The analysis that watches a layer's object keeps it awake; an image's object may have no watcher for a while.
      // Miniflare limits no CPU time, and gives these objects no storage for an alarm.
      if (job.kind === 'image' && !isLocal(this.env))
        this.#first ??= setTimeout(() => void this.#beat(), HEARTBEAT_MILLISECONDS)
      return { state }
    } catch (error) {
      if (error instanceof Problem) return { problem: error.toDocument() }
      throw error
    }
  }

  async watch(key: string, version: number, milliseconds: number): Promise<JobState | undefined> {
    return this.#runner.watch(key, version, milliseconds)
  }

  /** Counts that, once in a life. */
  async outgrew(): Promise<void> {
    if (this.#hasCounted) return
    this.#hasCounted = true
    const { times = 0 } = (await this.#outgrew()) ?? {}
    this.#hasStored = true
    await this.ctx.storage?.put(OUTGREW, { times: times + 1, at: Date.now() })
    await this.ctx.storage?.setAlarm(Date.now() + OUTGREW_MILLISECONDS)
  }

  /** Runs repeatedly while the object's job runs; after a reset not until the next caller starts the job again. */
  async alarm(): Promise<void> {
    this.#hasStored = true
    if (this.#isBusy) return this.ctx.storage?.setAlarm(Date.now() + HEARTBEAT_MILLISECONDS)
    const outgrew = await this.#outgrew()
    if (outgrew === undefined) await this.#rest()
    else await this.ctx.storage?.setAlarm(outgrew.at + OUTGREW_MILLISECONDS)
  }

  async #beat(): Promise<void> {
    if (!this.#isBusy) return
    this.#hasStored = true
    await this.ctx.storage?.setAlarm(Date.now())
  }

  /** How often the job exceeded the limits, unless that was long ago. */
  async #outgrew(): Promise<z.infer<typeof outgrewSchema> | undefined> {
    const { data } = outgrewSchema.safeParse(await this.ctx.storage?.get(OUTGREW))
    return data !== undefined && Date.now() - data.at < OUTGREW_MILLISECONDS ? data : undefined
  }

  get #isBusy(): boolean {
    const { running, queued } = this.#runner.counts
    return running + queued > 0
  }

  /** Leaves nothing that would wake the object or be billed: its alarm is deleted, too. */
  async #rest(): Promise<void> {
    if (this.#isBusy) return
    clearTimeout(this.#first)
    this.#first = undefined
    if (!this.#hasStored) return
    this.#hasStored = false
    await this.ctx.storage?.deleteAll()
  }
}

function tooLarge({ kind }: Job, at: number): Problem {
  const what = kind === 'layer' ? 'reading this layer' : 'merging the layers of this image'
  return new Problem(
    'too_large',
    `${what} exceeded the memory or CPU time of a Worker ${MOST_TIMES} times; run Lamina on Node for this image`,
    { retryAfter: Math.ceil((at + OUTGREW_MILLISECONDS - Date.now()) / 1000) },
  )
}
