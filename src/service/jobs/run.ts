import type { Host } from '../../host.ts'
import { type Claim, claimOf, type Job, type Progress } from '../../job.ts'
import type { Service } from '../service.ts'
import { runImageJob } from './image-job.ts'
import { runLayerJob } from './layer-job.ts'
import { type Merge, mergeImage } from './merge.ts'

/** Does what a job says; a host's `Jobs` sees to it that it is done once at a time. */
export async function runJob(
  service: Service,
  job: Job,
  report: (progress: Progress) => void,
  signal: AbortSignal,
): Promise<void> {
  switch (job.kind) {
    case 'layer':
      await runLayerJob(service, job, report, signal)
      return
    case 'image':
      return runImageJob(service, job, {
        report,
        signal,
        merge: (merge) => mergeInTurn(service.host, merge, { signal, claim: claimOf(job) }),
      })
  }
}

/** Merges here, when the host admits it. */
async function mergeInTurn(
  host: Host,
  merge: Merge,
  { signal, claim }: { readonly signal: AbortSignal; readonly claim: Claim },
): Promise<void> {
  const leave = await host.merges?.enter(signal, claim)
  try {
    await mergeImage(host, merge)
  } finally {
    leave?.()
  }
}
