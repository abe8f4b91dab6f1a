/**
 * Work that takes longer than a request: indexing a layer, analysing an image. It is plain data, to pass to another
 * object or thread.
 */
import { createHash } from 'node:crypto'
import type { Compression } from './oci/compression.ts'
import type { CompressionSetting } from './oci/compression-setting.ts'
import { type Descriptor, isEncrypted } from './oci/manifest.ts'
import { callerOf, locationOf, originOf, type SourceRef } from './oci/source-ref.ts'
import type { Problem, ProblemDocument } from './problem.ts'
import { IMAGE_FORMAT, LAYER_FORMAT } from './stored-formats.ts'

/** Index one layer, unless it is indexed already. */
export type LayerJob = {
  readonly kind: 'layer'
  readonly source: SourceRef
  /** The digest of the requesting image: images take turns, and share equal jobs. */
  readonly image: string
  readonly descriptor: Descriptor
  /** From its table of contents alone, if that is enough. */
  readonly read?: 'toc'
  /** Not shared with another repository of the registry: the shared job failed, perhaps because of that repository. */
  readonly alone?: boolean
}

/** Index the layers of one image and merge them. */
export type ImageJob = {
  readonly kind: 'image'
  readonly source: SourceRef
  readonly digest: string
  /** From tables of contents alone, for layers that have them. */
  readonly read?: 'toc'
}

/** Measure one layer in other compressions. Not a {@link Job}: nobody waits for it but who asks, on one server. */
export type CompressionJob = {
  readonly source: SourceRef
  /** The digest of the requesting image. */
  readonly image: string
  readonly descriptor: Descriptor
  readonly settings: readonly CompressionSetting[]
}

/** Seconds are of this thread alone, without waiting for the source. */
export type MeasuredSetting = {
  readonly bytes: number
  readonly compressSeconds: number
  readonly decompressSeconds: number
}

export type MeasuredLayer = {
  /** As the layer is stored now. */
  readonly compression: Compression
  readonly uncompressedBytes: number
  readonly decompressSeconds: number
}

export type LayerMeasurement = MeasuredLayer & {
  readonly measured: Readonly<Record<string, MeasuredSetting>>
}

export type Job = LayerJob | ImageJob

/**
 * An image to analyse before anybody asks for it: one of a batch, or one that was pushed. It waits in a queue, so it
 * names no caller and carries no credentials; the service reads it with its own.
 */
export type QueuedImage = {
  /** A reference to a registry; in a batch with the digest that the registry gave. */
  readonly image: string
  /** IDs of the analyses to tell about a failure; none for a push. */
  readonly analyses: readonly string[]
}

/** What a queue does with an image: drop it, or retry it after a number of seconds. */
export type QueuedImageEnd = { readonly again?: { readonly seconds: number; readonly problem: Problem } }

export type Progress = {
  readonly layers: number
  readonly layersDone: number
  readonly layersReused: number
  /** Compressed bytes to read; a reused layer costs none. */
  readonly bytes: number
  readonly bytesDone: number
  /** The layers that are being read, from the lowest; absent, as `waiting`, before the analysis knows its layers. */
  readonly reading?: readonly LayerProgress[] | undefined
  /** Numbers of the layers that nobody reads yet. Those in neither list are done. */
  readonly waiting?: readonly number[] | undefined
}

export type LayerProgress = {
  readonly layer: number
  /** Compressed. */
  readonly bytes: number
  readonly bytesDone: number
}

/** The work of reading a layer: bytes of the blob, and decoded bytes of the tar. */
export type LayerWork = { readonly readBytes: number; readonly decodedBytes: number }

/** What a job tells of itself while it runs. */
export type JobProgress = Progress & {
  /** How long it has waited for its source: not for its turn, for the machine, or while it computed. */
  readonly waitedMilliseconds?: number
}

export type JobState = {
  readonly status: 'queued' | 'running' | 'succeeded' | 'failed'
  /** Grows with every change. */
  readonly version: number
  /** The repository that the work began for: in the caller's registry, but not always the caller's own. */
  readonly place: string
  readonly createdAt: string
  readonly finishedAt?: string
  readonly progress: JobProgress
  readonly error?: ProblemDocument
}

/**
 * Requests share a job only within one registry and with one credential: a failure of one caller must not reach
 * another. Callers share a layer's job only if their manifests agree about the layer: a manifest can lie about its
 * size, its URLs, and whether it is encrypted. The formats that the job writes belong to its key: while a new version is deployed,
 * objects that work go on with the old one, and what they write is of no use to the new one.
 */
export function jobKey(job: Job): string {
  const digest = job.kind === 'layer' ? job.descriptor.digest : job.digest
  const { source } = job
  const place = job.kind === 'image' || job.alone ? locationOf(source) : originOf(source)
  const caller = createHash('sha256')
    .update(JSON.stringify([place, callerOf(source), ...inputsOf(job)]))
    .digest('hex')
  return `${job.kind}/${WRITES[job.kind]}/${digest}/${caller}`
}

const WRITES = { layer: LAYER_FORMAT, image: `${LAYER_FORMAT}-${IMAGE_FORMAT}` } as const

function inputsOf(job: Job): readonly unknown[] {
  const read = job.read === undefined ? [] : [job.read]
  if (job.kind === 'image') return read
  const { descriptor } = job
  const declared = [descriptor.size, descriptor.urls ?? [], isEncrypted(descriptor)]
  return job.read === undefined ? declared : [...declared, ...read, descriptor.annotations]
}

/** The claimant, from the widest group to the narrowest; those of one level take turns. */
export type Claim = readonly string[]

/** Registries take turns, and the images of each. */
export function claimOf(job: Job): Claim {
  return [originOf(job.source), job.kind === 'layer' ? job.image : job.digest]
}

export function isFinished(state: JobState): boolean {
  return state.status === 'succeeded' || state.status === 'failed'
}
