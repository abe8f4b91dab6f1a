/** The code of an analysis thread: reads a layer into the index, or merges the layers of an image. */
import type { Jobs } from '../../../src/host.ts'
import type { JobProgress, LayerJob } from '../../../src/job.ts'
import { type LayerOutcome, runLayerJob } from '../../../src/jobs/layer-job.ts'
import { type Merge, mergeImage } from '../../../src/jobs/merge-job.ts'
import type { Authorization } from '../../../src/source/registry/auth/token.ts'
import { createService } from '../host.ts'
import type { StoreOperation } from '../store/metered-store.ts'
import { decodeOnSecondThread, type SecondThreadRequest } from './decoding.ts'
import { serveTasks } from './serve-tasks.ts'
import { threadConfiguration } from './thread-configuration.ts'

export type AnalysisTask =
  | {
      readonly kind: 'layer'
      readonly job: LayerJob
      /** The main thread's authorization for the registry, so that this thread need not request a token itself. */
      readonly authorization: Authorization | undefined
    }
  | { readonly kind: 'merge'; readonly merge: Merge }

/** Operations on the store since the last of these messages; progress of a layer; a large layer's request. */
export type AnalysisSaid =
  | { readonly stored: readonly StoreOperation[] }
  | { readonly progress: JobProgress }
  | { readonly request: SecondThreadRequest }

/** For a smaller layer, packed, a second thread gains less than its start may take. */
const LARGE_BYTES = 16 * 1024 * 1024

const PROGRESS_MILLISECONDS = 100

/** Neither task starts another. */
const noJobs: Jobs = {
  start: () => Promise.reject(new Error('a thread cannot start jobs')),
  watch: () => Promise.resolve(undefined),
}

let operations: StoreOperation[] = []
const service = await createService(threadConfiguration(), noJobs, (operation) => operations.push(operation))

serveTasks<AnalysisTask, LayerOutcome | undefined, never, AnalysisSaid>(async (task, { say, signal }) => {
  try {
    if (task.kind === 'merge') {
      await mergeImage(service, task.merge, signal)
      return undefined
    }
    const { job, authorization } = task
    if (authorization !== undefined && job.source.kind === 'registry')
      service.client.borrowAuthorization(job.source, job.source.credential, authorization)
    let reportedAt = 0
    const report = (progress: JobProgress) => {
      if (Date.now() - reportedAt < PROGRESS_MILLISECONDS) return
      reportedAt = Date.now()
      say({ progress })
    }
    const ask = (request: SecondThreadRequest) => say({ request }, [request.port])
    const decode = job.descriptor.size >= LARGE_BYTES ? decodeOnSecondThread(ask, signal) : undefined
    return await runLayerJob(service, job, { report, signal, decode })
  } finally {
    say({ stored: operations })
    operations = []
  }
})
