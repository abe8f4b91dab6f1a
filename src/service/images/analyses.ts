/** Analyses that a caller can come back to: an ID for the caller's own question, valid for an hour. */
import { z } from 'zod'
import { observe } from '../../follow-job.ts'
import { addChecksum, readChecked } from '../../index/checksummed.ts'
import { isFinished, type JobProgress, type JobState, jobKey, type Progress } from '../../job.ts'
import { pinnedReference } from '../../oci/image-reference.ts'
import { locationOf } from '../../oci/source-ref.ts'
import type { AnalysisRecord } from '../../open/caches.ts'
import { type CallerCredentials, type OpenedImage, openImage } from '../../open/open-image.ts'
import type { Service } from '../../open/service.ts'
import type { ProblemDocument } from '../../problem.ts'
import { Problem } from '../../problem.ts'
import { pause } from '../../timeout.ts'
import { imageJob, knownFacts } from './analyse.ts'
import { ANALYSES_PREFIX, LIFE_MILLISECONDS, nameNow, sweepAnalyses } from './analysis-names.ts'
import { fromTables } from './choose-reading.ts'

const Record = z.object({
  id: z.uuid(),
  image: z.string(),
  platform: z.string(),
  digest: z.string(),
  createdAt: z.iso.datetime(),
  read: z.literal('toc').exactOptional(),
  isOrdered: z.literal(true).exactOptional(),
  /** Why it failed, if the queue gave up. */
  failure: z
    .object({
      finishedAt: z.iso.datetime(),
      error: z.custom<ProblemDocument>((value) => typeof value === 'object' && value !== null),
    })
    .optional(),
})
type KeptRecord = z.infer<typeof Record>

/** How often the queue is checked for callers that follow an analysis waiting there. */
const QUEUE_MILLISECONDS = 1_000

export type Analysis = AnalysisRecord & {
  readonly status: JobState['status']
  readonly finishedAt?: string
  readonly progress: Progress
  readonly error?: ProblemDocument
}

/** Gives an ID to the analysis of an image that the registry has shown to this caller. */
export async function nameAnalysis(service: Service, image: OpenedImage, state: JobState): Promise<Analysis> {
  return describe(await recordOf(service, image, {}), state)
}

/** The same for an analysis that is about to be queued. */
export async function nameQueued(service: Service, image: OpenedImage): Promise<Analysis> {
  return describe(await recordOf(service, image, { isOrdered: true }), waiting(image))
}

/** Marks a queued analysis as failed for good. */
export async function failQueued(service: Service, id: string, problem: Problem): Promise<void> {
  const record = await readRecord(service, id)
  if (record === undefined) return
  const failure = { finishedAt: new Date().toISOString(), error: problem.toDocument() }
  const key = ANALYSES_PREFIX + id
  await service.host.store.put(key, addChecksum(key, { ...record, failure }))
}

async function recordOf(
  service: Service,
  image: OpenedImage,
  kind: Pick<AnalysisRecord, 'isOrdered'>,
): Promise<AnalysisRecord> {
  const { reference, platform, digest } = image.identity
  const key = `${image.source.scope} ${reference} ${platform} ${digest} ${kind.isOrdered ? 'ordered' : image.read}`
  const { named } = service.memory
  let record = named.get(key)
  if (record === undefined) {
    const createdAt = new Date().toISOString()
    const read = image.read === 'toc' ? { read: image.read } : {}
    record = { id: nameNow(), image: reference, platform, digest, createdAt, ...read, ...kind }
    const place = ANALYSES_PREFIX + record.id
    await service.host.store.put(place, addChecksum(place, record))
    named.set(key, record)
    await sweepAnalyses(service.host.store)
  }
  return record
}

/**
 * The current state of the analysis. Starts nothing: a lost analysis counts as failed, and starts again with the next request
 * for the report.
 *
 * @throws Problem `analysis_not_found`; what `openImage` throws
 */
export async function readAnalysis(
  service: Service,
  id: string,
  credentials: CallerCredentials,
): Promise<Analysis> {
  for await (const analysis of followAnalysis(service, id, { credentials, milliseconds: 0 })) return analysis
  throw notFound()
}

export type FollowOptions = {
  readonly credentials: CallerCredentials
  readonly milliseconds: number
  readonly signal?: AbortSignal
}

/** Yields each state of the analysis until it has finished or `milliseconds` have passed. */
export async function* followAnalysis(
  service: Service,
  id: string,
  { credentials, milliseconds, signal }: FollowOptions,
): AsyncGenerator<Analysis, void> {
  const record = await recall(service, id)
  const opened = await openImage(service, {
    reference: pinned(record),
    platform: record.platform,
    credentials,
    signal,
  })
  const image = record.read === 'toc' ? fromTables(opened) : opened
  const finished = await outcome(service, image)
  if (finished !== undefined && !comesAgain(record, finished)) {
    yield describe(record, finished)
    return
  }
  const deadline = Date.now() + milliseconds
  for (;;) {
    const left = Math.max(0, deadline - Date.now())
    const states = observe(service.host.jobs, jobKey(imageJob(image)), left, signal)
    let last: JobState | undefined
    let next = await states.next()
    for (; !next.done; next = await states.next()) {
      last = comesAgain(record, next.value) ? await inQueue(service, record, image) : next.value
      yield describe(record, last)
    }
    if (next.value === 'unknown') {
      last = (await outcome(service, image)) ?? (await inQueue(service, record, image))
      yield describe(record, last)
    }
    if (last === undefined || isFinished(last) || Date.now() >= deadline) return
    await pause(Math.min(QUEUE_MILLISECONDS, left), signal)
  }
}

/** A temporary failure does not end an analysis that the queue will retry. */
function comesAgain({ isOrdered }: AnalysisRecord, { status, error }: JobState): boolean {
  return isOrdered === true && status === 'failed' && !error?.permanent
}

/** No job is known and there is no result: it is waiting, the queue gave up, or a restart lost it. */
async function inQueue(service: Service, record: AnalysisRecord, image: OpenedImage): Promise<JobState> {
  if (!record.isOrdered) return lost(image)
  const failure = (await readRecord(service, record.id))?.failure
  if (failure !== undefined) return { ...endOf(image), status: 'failed', ...failure }
  return (await service.host.imageQueue.holds(record.id)) === false ? lost(image) : waiting(image)
}

function waiting(image: OpenedImage): JobState {
  const progress = {
    layers: image.manifest.layers.length,
    layersDone: 0,
    layersReused: 0,
    bytes: 0,
    bytesDone: 0,
  }
  return { ...endOf(image), status: 'queued', progress }
}

/** No server knows it any more, and there is no result. */
function lost(image: OpenedImage): JobState {
  const error = new Problem(
    'analysis_pending',
    'the analysis was interrupted; ask for the report to start it again',
    {
      retryAfter: 1,
    },
  )
  return { ...endOf(image), status: 'failed', error: error.toDocument() }
}

async function recall(service: Service, id: string): Promise<AnalysisRecord> {
  if (!z.uuid().safeParse(id).success) throw notFound()
  const record = await readRecord(service, id)
  if (record === undefined) throw notFound()
  if (Date.now() - Date.parse(record.createdAt) < LIFE_MILLISECONDS) return record
  await service.host.store.delete(ANALYSES_PREFIX + id)
  throw notFound()
}

async function readRecord(service: Service, id: string): Promise<KeptRecord | undefined> {
  return Record.safeParse(await readChecked(service.host.store, ANALYSES_PREFIX + id)).data
}

function notFound(): Problem {
  return new Problem('analysis_not_found', 'no such analysis; analyses are kept for an hour')
}

/** The tag may have moved since; the analysis is about the image that it named then. */
function pinned(record: AnalysisRecord): string {
  return pinnedReference(record.image, record.digest)
}

/** The state of an analysis whose result is in the store. */
async function outcome(service: Service, image: OpenedImage): Promise<JobState | undefined> {
  const running = await service.host.jobs.watch(jobKey(imageJob(image)), -1, 0)
  if (running !== undefined && isFinished(running)) return running
  try {
    const facts = await knownFacts(service, image)
    return facts === undefined ? undefined : { ...endOf(image), status: 'succeeded' }
  } catch (error) {
    if (error instanceof Problem && error.permanent)
      return { ...endOf(image), status: 'failed', error: error.toDocument() }
    throw error
  }
}

function endOf(image: OpenedImage): Omit<JobState, 'status'> {
  const layers = image.manifest.layers.length
  return {
    version: 0,
    place: locationOf(image.source.ref),
    createdAt: '',
    progress: { layers, layersDone: layers, layersReused: layers, bytes: 0, bytesDone: 0 },
  }
}

function describe(record: AnalysisRecord, state: JobState): Analysis {
  return {
    ...record,
    status: state.status,
    ...(state.finishedAt === undefined ? {} : { finishedAt: state.finishedAt }),
    progress: withoutWaiting(state.progress),
    ...(state.error === undefined ? {} : { error: state.error }),
  }
}

/** How long it waited for its source is for the job runner alone. */
function withoutWaiting({ waitedMilliseconds: _, ...progress }: JobProgress): Progress {
  return progress
}
