/**
 * Images that are analysed before anybody asks: batches, and pushes reported by registries. They wait in the host's queue and
 * are read with the service's own credentials: no other credentials are ever put there.
 */
import { inParallel } from '../../concurrency.ts'
import type { JobState, QueuedImage, QueuedImageEnd } from '../../job.ts'
import { pinnedReference } from '../../oci/image-reference.ts'
import { locationOf } from '../../oci/source-ref.ts'
import { type CallerCredentials, type OpenedImage, openImage } from '../../open/open-image.ts'
import type { Service } from '../../open/service.ts'
import { Problem, type ProblemCode } from '../../problem.ts'
import { analyse, imageJob, knownFacts } from '../images/analyse.ts'
import { type Analysis, failQueued, nameAnalysis, nameQueued } from '../images/analyses.ts'
import { recordName } from '../images/record-name.ts'

/** One image of a batch. */
export type BatchItem = { readonly image: string; readonly platform?: string | undefined }

export type BatchOptions = {
  readonly credentials: CallerCredentials
  readonly signal: AbortSignal
  /** Counts an image that is not analysed yet against the caller's rate. @throws Problem `rate_limited` */
  readonly admit: (image: OpenedImage) => Promise<void>
}

/** How many images of a batch are looked up at the same time. */
const OPENED_AT_ONCE = 8
/** Time limit for all images of a batch; the caller must send the rest again. */
const BATCH_MILLISECONDS = 300_000

/** How long an image waits for its analysis; the job continues, and the image checks again later. */
const IMAGE_SECONDS = 600
/** How long an image that had to wait is left alone before the next check. */
const LATER_SECONDS = 60
const FIRST_BACKOFF_SECONDS = 10
const MAX_BACKOFF_SECONDS = 3_600

/** Failures that may be temporary. */
const PASSING: ReadonlySet<ProblemCode> = new Set([
  'analysis_pending',
  'internal_error',
  'queue_unavailable',
  'rate_limited',
  'registry_error',
  'registry_timeout',
  'store_error',
])

/**
 * Queues the images of a batch. Each is opened first with the caller's credentials, since only those who may see an
 * image may learn its analysis id. Images that only the caller's credentials can read start at once instead of waiting
 * in the queue.
 *
 * @returns the result for each, in the order of the request
 */
export async function orderBatch(
  service: Service,
  items: readonly BatchItem[],
  options: BatchOptions,
): Promise<readonly (Analysis | Problem)[]> {
  const taken = new Map<string, Promise<Taken | Problem>>()
  const signal = AbortSignal.any([options.signal, AbortSignal.timeout(BATCH_MILLISECONDS)])
  const takeOnce = (item: BatchItem) => {
    const key = JSON.stringify([item.image, item.platform])
    const known = taken.get(key)
    if (known !== undefined) return known
    const made = take(service, item, { ...options, signal })
    taken.set(key, made)
    return made
  }
  const results = await inParallel(items, OPENED_AT_ONCE, takeOnce)
  const refusal = await queueImages(service, results)
  return results.map((result) => {
    if (result instanceof Problem) return result
    return result.queued !== undefined && refusal !== undefined ? refusal : result.analysis
  })
}

type Taken = { readonly analysis: Analysis; readonly queued?: QueuedImage }

async function take(
  service: Service,
  { image, platform }: BatchItem,
  options: BatchOptions,
): Promise<Taken | Problem> {
  const { credentials, signal, admit } = options
  try {
    signal.throwIfAborted()
    const opened = await openImage(service, { reference: image, platform, credentials, signal })
    const known = await knownFacts(service, opened)
    if (known !== undefined) return { analysis: await nameAnalysis(service, opened, doneBefore(opened)) }
    await admit(opened)
    await recordName(service, opened)
    if (!isServiceOwn(service, opened))
      return {
        analysis: await nameAnalysis(service, opened, await service.host.jobs.start(imageJob(opened))),
      }
    const analysis = await nameQueued(service, opened)
    const { reference, digest } = opened.identity
    return { analysis, queued: { image: pinnedReference(reference, digest), analyses: [analysis.id] } }
  } catch (error) {
    if (options.signal.aborted && !(error instanceof Problem))
      return new Problem('registry_timeout', 'no time left to look up this image; send it again', {
        image,
      })
    if (error instanceof Problem) return error.with({ image })
    throw error
  }
}

/** Whether the service can read it by itself: an upload's ID is a secret, and so are the caller's own credentials. */
function isServiceOwn({ host }: Service, { source: { ref } }: OpenedImage): boolean {
  if (ref.kind !== 'registry') return false
  return ref.credential === undefined || ref.credential === host.configuration.credentials.get(ref.registry)
}

/** The state of an analysis whose result existed before the request: nothing had to be read. */
export function doneBefore({ source, manifest }: OpenedImage): JobState {
  const layers = manifest.layers.length
  return {
    status: 'succeeded',
    version: 0,
    place: locationOf(source.ref),
    createdAt: '',
    progress: { layers, layersDone: layers, layersReused: layers, bytes: 0, bytesDone: 0 },
  }
}

/** Queues each image once, however many references name it. @returns why the queue did not take them */
async function queueImages(
  service: Service,
  results: readonly (Taken | Problem)[],
): Promise<Problem | undefined> {
  const images = new Map<string, Set<string>>()
  for (const result of results) {
    if (result instanceof Problem || result.queued === undefined) continue
    const { image, analyses } = result.queued
    const ids = images.get(image) ?? new Set()
    for (const id of analyses) ids.add(id)
    images.set(image, ids)
  }
  try {
    if (images.size > 0)
      await service.host.imageQueue.add([...images].map(([image, ids]) => ({ image, analyses: [...ids] })))
    return undefined
  } catch (error) {
    if (error instanceof Problem) return error
    throw error
  }
}

/**
 * Analyses an image with the service's own credentials; a known image costs one request to its registry. Never throws: the
 * image's analyses are told about permanent failures.
 *
 * @param attempt from 1
 */
export async function runQueuedImage(
  service: Service,
  queued: QueuedImage,
  attempt: number,
): Promise<QueuedImageEnd> {
  const { credentials } = service.host.configuration
  try {
    const image = await openImage(service, {
      reference: queued.image,
      credentials: { for: (registry) => credentials.get(registry) },
    })
    if (queued.analyses.length === 0) await recordName(service, image)
    const analysed = await analyse(service, image, { seconds: IMAGE_SECONDS })
    if (analysed.done) return {}
    const problem = new Problem('analysis_pending', `${queued.image} takes longer than ${IMAGE_SECONDS} s`)
    return { again: { seconds: LATER_SECONDS, problem } }
  } catch (error) {
    const problem = problemOf(error)
    if (!problem.permanent && PASSING.has(problem.code)) {
      const backoff = Math.min(FIRST_BACKOFF_SECONDS * 2 ** (attempt - 1), MAX_BACKOFF_SECONDS)
      const seconds = Math.min(Math.max(problem.fields.retryAfter ?? 0, backoff), MAX_BACKOFF_SECONDS)
      return { again: { seconds, problem } }
    }
    return endQueuedImage(service, queued, problem)
  }
}

/** If even the failure cannot be stored, the image is tried again: by then the store may answer. */
async function endQueuedImage(
  service: Service,
  queued: QueuedImage,
  problem: Problem,
): Promise<QueuedImageEnd> {
  try {
    await giveUpQueuedImage(service, queued, problem)
    return {}
  } catch (error) {
    return { again: { seconds: LATER_SECONDS, problem: problemOf(error) } }
  }
}

/** Tells the image's analyses why nobody retries it. @throws Problem `store_error` */
export async function giveUpQueuedImage(
  service: Service,
  { analyses }: QueuedImage,
  problem: Problem,
): Promise<void> {
  for (const id of analyses) await failQueued(service, id, problem)
}

function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error
  console.error('an image failed:', error)
  return new Problem('internal_error', 'the analysis failed because of an internal error')
}
