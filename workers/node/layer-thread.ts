/** What a layer's thread runs: one layer at a time, from its registry into the index. */
import { type MessagePort, workerData } from 'node:worker_threads'
import { parseConfiguration } from '../../src/configuration.ts'
import type { Jobs } from '../../src/host.ts'
import type { LayerJob, Progress } from '../../src/job.ts'
import { Problem, type ProblemDocument } from '../../src/problem.ts'
import { type LayerWork, runLayerJob } from '../../src/service/jobs/layer-job.ts'
import type { Authorization } from '../../src/source/registry/auth/token.ts'
import { createService } from './host.ts'
import type { StoreOperation } from './metered-store.ts'

/** The port carries progress one way; any message the other way says that nobody waits any more. */
export type LayerTask = {
  readonly job: LayerJob
  readonly progress: MessagePort
  /** What the registry is sent by the main thread's client, so that each thread need not ask for a token of its own. */
  readonly authorization?: Authorization
}
/** A problem crosses as plain data: an error that is thrown arrives without what makes it one. */
export type LayerOutcome = {
  readonly work?: LayerWork
  readonly problem?: ProblemDocument
  readonly operations: readonly StoreOperation[]
}

const PROGRESS_MILLISECONDS = 100

/** A layer job starts no other. */
const noJobs: Jobs = {
  start: () => Promise.reject(new Error('a layer job starts no job')),
  watch: () => Promise.resolve(undefined),
}

let operations: StoreOperation[] = []
const service = await createService(parseConfiguration(workerData.env, 'node'), noJobs, (operation) =>
  operations.push(operation),
)

export default async function indexLayer({ job, progress, authorization }: LayerTask): Promise<LayerOutcome> {
  operations = []
  const abandoned = new AbortController()
  progress.on('message', () => abandoned.abort())
  let toldAt = 0
  const report = (state: Progress) => {
    if (Date.now() - toldAt < PROGRESS_MILLISECONDS) return
    toldAt = Date.now()
    progress.postMessage(state)
  }
  const { source } = job
  if (authorization !== undefined && source.kind === 'registry')
    service.client.borrowAuthorization(source, source.credential, authorization)
  try {
    const work = await runLayerJob(service, job, report, abandoned.signal)
    return { work, operations }
  } catch (error) {
    if (error instanceof Problem) return { problem: error.toDocument(), operations }
    throw error
  } finally {
    progress.close()
  }
}
