/** The code of a thread that measures layers in other compressions. */
import type { Jobs } from '../../../src/host.ts'
import type { CompressionJob, LayerMeasurement } from '../../../src/job.ts'
import { runCompressionJob } from '../../../src/jobs/compression-job.ts'
import type { Authorization } from '../../../src/source/registry/auth/token.ts'
import { createService } from '../host.ts'
import type { StoreOperation } from '../store/metered-store.ts'
import { serveTasks } from './serve-tasks.ts'
import { threadConfiguration } from './thread-configuration.ts'

export type CompressionTask = {
  readonly job: CompressionJob
  /** The main thread's authorization for the registry, so that this thread need not request a token itself. */
  readonly authorization: Authorization | undefined
}

/** Uncompressed bytes so far; operations on the store. */
export type CompressionSaid = { readonly bytes: number } | { readonly stored: readonly StoreOperation[] }

const noJobs: Jobs = {
  start: () => Promise.reject(new Error('a thread cannot start jobs')),
  watch: () => Promise.resolve(undefined),
}

let operations: StoreOperation[] = []
const service = await createService(threadConfiguration(), noJobs, (operation) => operations.push(operation))

serveTasks<CompressionTask, LayerMeasurement, never, CompressionSaid>(
  async ({ job, authorization }, { say, signal }) => {
    if (authorization !== undefined && job.source.kind === 'registry')
      service.client.borrowAuthorization(job.source, job.source.credential, authorization)
    try {
      return await runCompressionJob(service, job, { signal, onBytes: (bytes) => say({ bytes }) })
    } finally {
      say({ stored: operations })
      operations = []
    }
  },
)
