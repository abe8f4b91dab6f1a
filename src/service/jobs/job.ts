/** Work that takes longer than a request: indexing a layer, analysing an image. Plain data, so that it crosses to another object or thread. */
import { createHash } from 'node:crypto'
import type { Descriptor } from '../../oci/manifest.ts'
import type { ProblemDocument } from '../../problem.ts'
import type { Credential } from '../../source/registry/auth/credentials.ts'

type JobSource = {
  /** `host[:port]` as a reference has it. */
  readonly registry: string
  readonly repository: string
  /** What the caller presents to that registry; lives in memory as long as the job. */
  readonly credential?: Credential
}

/** Index one layer, unless it is indexed already. */
export type LayerJob = JobSource & {
  readonly kind: 'layer'
  readonly descriptor: Descriptor
  /** Not shared with another repository of the registry: the shared one failed, perhaps for a reason of that repository's. */
  readonly alone?: boolean
}

/** Index the layers of one image and merge them. */
export type ImageJob = JobSource & { readonly kind: 'image'; readonly digest: string }

export type Job = LayerJob | ImageJob

export type Progress = {
  readonly layers: number
  readonly layersDone: number
  readonly layersReused: number
  /** Compressed bytes to read: a reused layer costs none. */
  readonly bytes: number
  readonly bytesDone: number
}

export type JobState = {
  readonly status: 'queued' | 'running' | 'succeeded' | 'failed'
  /** Grows with every change. */
  readonly version: number
  /** The repository that the work was begun for: of the same registry as the caller's, not always the same. */
  readonly repository: string
  readonly createdAt: string
  readonly finishedAt?: string
  readonly progress: Progress
  readonly error?: ProblemDocument
}

/** Requests share a job only within one registry and with one credential: what went wrong for one caller is not another's. */
export function jobKey(job: Job): string {
  const digest = job.kind === 'layer' ? job.descriptor.digest : job.digest
  const repository = job.kind === 'image' || job.alone ? job.repository : ''
  const secret = job.credential === undefined ? '' : JSON.stringify(job.credential)
  const caller = createHash('sha256').update(`${job.registry}\0${repository}\0${secret}`).digest('hex')
  return `${job.kind}/${digest}/${caller}`
}

export function isFinished(state: JobState): boolean {
  return state.status === 'succeeded' || state.status === 'failed'
}
