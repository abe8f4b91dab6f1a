/** A job's own Durable Object, named by the job's key, so that the job runs once at a time. */
import { DurableObject, type DurableObjectContext } from 'cloudflare:workers'
import { type Job, type JobState, jobKey } from '../../src/job.ts'
import { Problem } from '../../src/problem.ts'
import { runImageJob } from '../../src/service/jobs/image-job.ts'
import { runLayerJob } from '../../src/service/jobs/layer-job.ts'
import { type Merge, mergeImage } from '../../src/service/jobs/merge.ts'
import { JobRunner } from '../../src/service/jobs/runner.ts'
import type { Service } from '../../src/service/service.ts'
import type { Started } from './durable-jobs.ts'
import { type Environment, serviceOf } from './environment.ts'
import { Leases } from './leases.ts'
import { inMemory, layerBytes, mergeBytes } from './memory.ts'

/** How often an object whose job runs begins a new invocation, which has a new budget of CPU time. */
const HEARTBEAT_MILLISECONDS = 30_000
const QUEUED_ANALYSES = 100

/** Images at once in an isolate; how many is a setting. */
let analyses: Leases | undefined

function createRunner(service: Service): JobRunner {
  analyses ??= new Leases(service.host.configuration.maxAnalyses)
  return new JobRunner(
    async (job, report, signal) => {
      if (job.kind === 'layer')
        return inMemory(layerBytes(job), signal, async () => {
          await runLayerJob(service, job, report, signal)
        })
      const merge = (work: Merge) =>
        inMemory(mergeBytes(work), signal, () => mergeImage(service, work, signal))
      return runImageJob(service, job, { report, signal, merge })
    },
    // An object has one layer at the most, which waits for memory that others use.
    { analyses: analyses.admission, queuedAnalyses: QUEUED_ANALYSES, layers: 1 },
  )
}

export class JobObject extends DurableObject<Environment> {
  /** Belongs to the object: a reset ends what runs in it, and all who wait for it. */
  readonly #runner: JobRunner

  constructor(context: DurableObjectContext, environment: Environment) {
    super(context, environment)
    this.#runner = createRunner(serviceOf(environment))
  }

  async start(job: Job): Promise<Started> {
    try {
      const state = await this.#runner.start(job)
      const settled = this.#runner.settled(jobKey(job))
      // A layer's object is kept awake by the analysis that watches it; an image's may have no watcher for a while.
      if (job.kind === 'image') {
        this.ctx.waitUntil(settled.then(() => this.#rest()))
        await this.ctx.storage.setAlarm(Date.now() + HEARTBEAT_MILLISECONDS)
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

  /** Beats while the object's job runs; after a reset not until the next caller starts the job again. */
  async alarm(): Promise<void> {
    if (this.#isBusy) await this.ctx.storage.setAlarm(Date.now() + HEARTBEAT_MILLISECONDS)
    else await this.#rest()
  }

  get #isBusy(): boolean {
    const { running, queued } = this.#runner.counts
    return running + queued > 0
  }

  /** Leaves nothing behind that would wake the object or be billed: its alarm goes too. */
  async #rest(): Promise<void> {
    if (this.#isBusy) return
    await this.ctx.storage.deleteAll()
  }
}
