/** What servers say to each other through Redis: how the queues are called, what a job is there, and how it ended. */
import { createHash } from 'node:crypto'
import { z } from 'zod'
import { type Job, jobKey, type Progress } from '../../src/job.ts'
import type { Descriptor } from '../../src/oci/manifest.ts'
import type { ProblemDocument } from '../../src/problem.ts'
import { NO_PROGRESS } from '../../src/service/jobs/runner.ts'
import { callerOf, placeOf, type SourceRef } from '../../src/source/source.ts'

/** Read an image's config into the store. Only servers that share a queue make a job of it: each of them opens an image by itself. */
export type ConfigJob = {
  readonly kind: 'config'
  readonly source: SourceRef
  readonly descriptor: Descriptor
}

export type SharedJob = Job | ConfigJob
export type JobKind = SharedJob['kind']

/** All keys in Redis begin with it. */
export const PREFIX = 'lamina'
export const QUEUES: Readonly<Record<JobKind, string>> = {
  image: 'images',
  layer: 'layers',
  config: 'configs',
}

/** What is in Redis of a job while it waits or runs. */
export type QueuedJob = { readonly sealed: string }

/** Told to all servers when it has ended; what failed is told as JSON, since BullMQ takes a message. */
export type QueuedEnd = {
  readonly progress: Progress
  readonly place: string
  readonly error?: ProblemDocument | undefined
}

const progressSchema = z.object({
  layers: z.number(),
  layersDone: z.number(),
  layersReused: z.number(),
  bytes: z.number(),
  bytesDone: z.number(),
})

const endSchema = z.object({
  progress: progressSchema,
  place: z.string(),
  error: z.custom<ProblemDocument>((error) => typeof error === 'object' && error !== null).optional(),
})

/** For what BullMQ says in words of its own: that the servers which did a job died again and again. */
const LOST: ProblemDocument = {
  code: 'internal_error',
  detail: 'the servers that did this analysis ended before it did; ask again',
}

/** Who asks for the same with the same credential shares the job. */
export function keyOf(job: SharedJob): string {
  if (job.kind !== 'config') return jobKey(job)
  const { source, descriptor } = job
  const told = [placeOf(source), callerOf(source), descriptor.size, descriptor.urls ?? []]
  return `config/${descriptor.digest}/${createHash('sha256').update(JSON.stringify(told)).digest('hex')}`
}

export function kindOf(key: string): JobKind {
  const kind = key.slice(0, key.indexOf('/'))
  return kind === 'image' || kind === 'config' ? kind : 'layer'
}

/** Zeros where nothing is told yet. */
export function progressOf(told: unknown): Progress {
  const parsed = progressSchema.safeParse(told)
  return parsed.success ? parsed.data : NO_PROGRESS
}

export function endOf(told: unknown): QueuedEnd {
  const parsed = endSchema.safeParse(told)
  return parsed.success ? parsed.data : { progress: NO_PROGRESS, place: '' }
}

export function failureOf(reason: string): QueuedEnd & { readonly error: ProblemDocument } {
  const { error = LOST, ...end } = endOf(parseJson(reason))
  return { ...end, error }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
