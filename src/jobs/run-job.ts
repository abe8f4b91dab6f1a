/** Does the whole of a job in one process, for hosts that share it neither with threads nor with other objects. */
import type { Job, JobProgress } from '../job.ts'
import type { Service } from '../open/service.ts'
import { runImageJob } from './image-job.ts'
import { keepIndexed, runLayerJob } from './layer-job.ts'
import { mergeImage } from './merge-job.ts'

/** Runs a job; a host's `Jobs` makes sure that each runs only once at a time. */
export async function runJob(
  service: Service,
  job: Job,
  report: (progress: JobProgress) => void,
  signal: AbortSignal,
): Promise<void> {
  switch (job.kind) {
    case 'layer':
      keepIndexed(service, await runLayerJob(service, job, { report, signal }))
      return
    case 'image':
      return runImageJob(service, job, {
        report,
        signal,
        merge: (merge) => mergeImage(service, merge, signal),
      })
  }
}
