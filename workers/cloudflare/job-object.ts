/** A job's own Durable Object, named by the job's key: that is what makes it run once at a time. */
import { DurableObject } from 'cloudflare:workers'
import { type Job, type JobState, jobKey } from '../../src/job.ts'
import { Problem } from '../../src/problem.ts'
import { runJob } from '../../src/service/jobs/run.ts'
import { JobRunner } from '../../src/service/jobs/runner.ts'
import { type Environment, type Started, serviceOf } from './environment.ts'

/** Keeps the object awake while its job runs, and notices one that a restart lost. */
const HEARTBEAT_MILLISECONDS = 30_000
const LAYERS_AT_ONCE = 4

/** Shared by the objects of one isolate, so that its limits hold for all of them. */
let runner: JobRunner | undefined

export class JobObject extends DurableObject<Environment> {
  async start(job: Job): Promise<Started> {
    const jobs = this.#runner()
    try {
      const state = await jobs.start(job)
      this.ctx.waitUntil(jobs.settled(jobKey(job)))
      // A layer's object is kept awake by the analysis that watches it; an image's may have no watcher for a while.
      if (job.kind === 'image') await this.ctx.storage.setAlarm(Date.now() + HEARTBEAT_MILLISECONDS)
      return { state }
    } catch (error) {
      if (error instanceof Problem) return { problem: error.toDocument() }
      throw error
    }
  }

  async watch(key: string, version: number, milliseconds: number): Promise<JobState | undefined> {
    return this.#runner().watch(key, version, milliseconds)
  }

  /** Beats only while a job runs; after a restart it finds none, and the next request starts it again. */
  async alarm(): Promise<void> {
    const { running, queued } = this.#runner().counts
    if (running + queued > 0) await this.ctx.storage.setAlarm(Date.now() + HEARTBEAT_MILLISECONDS)
  }

  #runner(): JobRunner {
    const service = serviceOf(this.env)
    runner ??= new JobRunner((job, report, signal) => runJob(service, job, report, signal), {
      analyses: service.host.configuration.maxAnalyses,
      queuedAnalyses: 100,
      layers: LAYERS_AT_ONCE,
    })
    return runner
  }
}
