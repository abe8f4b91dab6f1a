/** What servers tell each other through Redis: the names of the queues, the content of a job, and how it ended. */
import { createHash } from 'node:crypto'
import { z } from 'zod'
import { type Job, type JobProgress, jobKey } from '../../../src/job.ts'
import { NO_PROGRESS } from '../../../src/jobs/runner.ts'
import type { Descriptor } from '../../../src/oci/manifest.ts'
import { callerOf, locationOf, type SourceRef } from '../../../src/oci/source-ref.ts'
import type { ProblemDocument } from '../../../src/problem.ts'

/** Reads an image's config into the store. A job only if servers share a queue, since each of them opens an image itself. */
export type ConfigJob = {
  readonly kind: 'config'
  readonly source: SourceRef
  readonly descriptor: Descriptor
}

export type SharedJob = Job | ConfigJob
export type JobKind = SharedJob['kind']

/** Prefix of all keys in Redis. */
export const PREFIX = 'lamina'
export const QUEUES: Readonly<Record<JobKind, string>> = {
  image: 'images',
  layer: 'layers',
  config: 'configs',
}

/** The queue of batches and pushes. */
export const IMAGE_QUEUE = 'queued-images'

/** What Redis stores about a job while it waits or runs. */
export type QueuedJob = { readonly encrypted: string }

/** Sent to all servers, encrypted, when a job ends; a failure as the message of an error, since BullMQ takes no more. */
export type QueuedEnd = {
  readonly progress: JobProgress
  readonly place: string
  readonly error?: ProblemDocument | undefined
}

const progressSchema = z.object({
  layers: z.number(),
  layersDone: z.number(),
  layersReused: z.number(),
  bytes: z.number(),
  bytesDone: z.number(),
  reading: z.array(z.object({ layer: z.number(), bytes: z.number(), bytesDone: z.number() })).optional(),
  waiting: z.array(z.number()).optional(),
  waitedMilliseconds: z.number().default(0),
})

/** In place of an end that no server wrote, such as BullMQ's own: the servers that ran the job kept dying. */
export const LOST: ProblemDocument = {
  code: 'internal_error',
  detail: 'the servers that ran this analysis stopped before it finished; try again',
}

/** Callers that ask for the same thing with the same credential share the job. */
export function keyOf(job: SharedJob): string {
  if (job.kind !== 'config') return jobKey(job)
  const { source, descriptor } = job
  const declared = [locationOf(source), callerOf(source), descriptor.size, descriptor.urls ?? []]
  return `config/${descriptor.digest}/${createHash('sha256').update(JSON.stringify(declared)).digest('hex')}`
}

export function kindOf(key: string): JobKind {
  const kind = key.slice(0, key.indexOf('/'))
  return kind === 'image' || kind === 'config' ? kind : 'layer'
}

/** Zeros if no progress is reported yet. */
export function progressOf(declared: unknown): JobProgress {
  const parsed = progressSchema.safeParse(declared)
  return parsed.success ? parsed.data : NO_PROGRESS
}
