/** What a layer's thread runs: one layer at a time, from its registry into the index. */
import { type MessagePort, workerData } from 'node:worker_threads'
import type { LayerJob, Progress } from '../../src/analysis/job.ts'
import { runLayerJob } from '../../src/analysis/layer-job.ts'
import { parseConfiguration } from '../../src/configuration.ts'
import type { Jobs } from '../../src/host.ts'
import { Problem, type ProblemDocument } from '../../src/problem.ts'
import { createService } from './host.ts'

export type LayerTask = { readonly job: LayerJob; readonly progress: MessagePort }
/** A problem crosses as plain data: an error that is thrown arrives without what makes it one. */
export type LayerOutcome = { readonly problem?: ProblemDocument }

const PROGRESS_MILLISECONDS = 100

/** A layer job starts no other. */
const noJobs: Jobs = {
  start: () => Promise.reject(new Error('a layer job starts no job')),
  watch: () => Promise.resolve(undefined),
}

const service = createService(parseConfiguration(workerData.env, 'node'), noJobs)

export default async function indexLayer({ job, progress }: LayerTask): Promise<LayerOutcome> {
  let toldAt = 0
  const report = (state: Progress) => {
    if (Date.now() - toldAt < PROGRESS_MILLISECONDS) return
    toldAt = Date.now()
    progress.postMessage(state)
  }
  try {
    await runLayerJob(service, job, report)
    return {}
  } catch (error) {
    if (error instanceof Problem) return { problem: error.toDocument() }
    throw error
  } finally {
    progress.close()
  }
}
