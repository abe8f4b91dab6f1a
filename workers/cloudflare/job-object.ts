/** A job's own Durable Object, named by the job's key, so that the job runs once at a time. */
import { DurableObject, type DurableObjectContext } from 'cloudflare:workers'
import { type Job, type JobState, jobKey } from '../../src/job.ts'
import { Problem } from '../../src/problem.ts'
import { runImageJob } from '../../src/service/jobs/image-job.ts'
import { keepIndexed, runLayerJob } from '../../src/service/jobs/layer-job.ts'
import { type Merge, mergeImage } from '../../src/service/jobs/merge.ts'
import { JobRunner } from '../../src/service/jobs/runner.ts'
import type { Service } from '../../src/service/service.ts'
import type { Started } from './durable-jobs.ts'
import { type Environment, isLocal, serviceOf } from './environment.ts'
import { Leases } from './leases.ts'
import { forgetHolder, layerAdmission, mergeInMemory } from './memory.ts'

/** How often an object with a running job begins a new invocation, which has a new CPU time budget. */
const HEARTBEAT_MILLISECONDS = 30_000
const QUEUED_ANALYSES = 100

/** Images at once in an isolate; configurable. */
let analyses: Leases | undefined

/** @param holder the object's ID: leases from an earlier life are released */
function createRunner(service: Service, holder: string): JobRunner {
  analyses ??= new Leases(service.host.configuration.maxAnalyses)
  analyses.forget(holder)
  forgetHolder(holder)
  return new JobRunner(
    async (job, report, signal) => {
      if (job.kind === 'layer') {
        keepIndexed(service, await runLayerJob(service, job, { report, signal }))
        return
      }
      const merge = (work: Merge) =>
        mergeInMemory(work, holder, signal, () => mergeImage(service, work, signal))
      await runImageJob(service, job, { report, signal, merge })
    },
    {
      analyses: analyses.admission(1, holder),
      queuedAnalyses: QUEUED_ANALYSES,
      layers: (job) => layerAdmission(job, holder),
    },
  )
}

export class JobObject extends DurableObject<Environment> {
  /** Belongs to the object: a reset ends its work, and everyone waiting for it. */
  readonly #runner: JobRunner
  /** Delay before the first alarm: most jobs end sooner, and store nothing. */
  #first: ReturnType<typeof setTimeout> | undefined
  /** Whether this life of the object has set an alarm. */
  #beats = false

  constructor(context: DurableObjectContext, environment: Environment) {
    super(context, environment)
    this.#runner = createRunner(serviceOf(environment), context.id.toString())
  }

  async start(job: Job): Promise<Started> {
    try {
      const state = await this.#runner.start(job)
      const settled = this.#runner.settled(jobKey(job))
      // The analysis that watches a layer's object keeps it awake; an image's object may have no watcher for a while.
      if (job.kind === 'image') {
        this.ctx.waitUntil(settled.then(() => this.#rest()))
        // Miniflare limits no CPU time, and gives these objects no storage for an alarm.
        if (!isLocal(this.env)) this.#first ??= setTimeout(() => void this.#beat(), HEARTBEAT_MILLISECONDS)
      } else this.ctx.waitUntil(settled)
      return { state }
    } catch (error) {
      if (error instanceof Problem) return { problem: error.toDocument() }
      throw error
    }
  }

  async watch(key: string, version: number, milliseconds: number): Promise<JobState | undefined> {
    return this.#runner.watch(key, version, milliseconds)
  }

  /** Runs repeatedly while the object's job runs; after a reset not until the next caller starts the job again. */
  async alarm(): Promise<void> {
    this.#beats = true
    if (this.#isBusy) await this.ctx.storage.setAlarm(Date.now() + HEARTBEAT_MILLISECONDS)
    else await this.#rest()
  }

  async #beat(): Promise<void> {
    if (!this.#isBusy) return
    this.#beats = true
    await this.ctx.storage.setAlarm(Date.now())
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
    if (!this.#beats) return
    this.#beats = false
    await this.ctx.storage.deleteAll()
  }
}
