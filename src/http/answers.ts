/** Steps shared by image endpoints: open the image, check for 304, wait for the analysis. */

import { allOf } from '../concurrency.ts'
import type { ImageFacts } from '../image/report.ts'
import { imageKey } from '../index/keys.ts'
import { type JobState, jobKey } from '../job.ts'
import { verifiedImage } from '../open/layer-indexes.ts'
import type { OpenedImage, Reading } from '../open/open-image.ts'
import { Problem } from '../problem.ts'
import { type AnalysedImage, analyse, imageJob, knownFacts } from '../service/images/analyse.ts'
import { nameAnalysis } from '../service/images/analyses.ts'
import { openReading } from '../service/images/choose-reading.ts'
import { recordName } from '../service/images/record-name.ts'
import { toJson } from '../text/json.ts'
import { analysisBody, locationOf } from './analysis-body.ts'
import type { Backend, RequestContext } from './backend.ts'
import { callerCredentials } from './caller.ts'
import { keepAnswer, keptAnswer } from './kept-answers.ts'
import { entityTag, isUnchanged, notModified } from './middleware/conditional.ts'

export type ImageQuery = {
  readonly image: string
  readonly platform?: string | undefined
  readonly read?: Reading | undefined
}
export type AnalysedQuery = ImageQuery & { readonly wait: number }

/** Seconds after which it is worth asking again. */
export const RETRY_AFTER_SECONDS = 2
/** How long a cache may keep a public answer: a tag can move, a digest cannot. */
const TAG_SECONDS = 60
const DIGEST_SECONDS = 300
/** Version of the shapes of answers: changing it invalidates everything that is cached. */
const ANSWER_VERSION = '1'

/**
 * Opens the image at its registry with the caller's credentials.
 *
 * @param references every reference of the request: they decide which registry a credential is for
 */
export function openFor(
  backend: Backend,
  context: RequestContext,
  query: ImageQuery,
  references: readonly string[] = [query.image],
): Promise<OpenedImage> {
  return openReading(backend, {
    reference: query.image,
    platform: query.platform,
    read: query.read,
    credentials: callerCredentials(backend.host.configuration, context, references),
    signal: context.req.raw.signal,
  })
}

/** What identifies an answer to caches. */
export type CacheInputs = {
  /** Identifies the bytes that the answer is made of. */
  readonly made: readonly string[]
  /** The registry gave them without credentials. */
  readonly isPublic: boolean
  /** The request named digests. */
  readonly isFixed: boolean
}

/** @param also what else the answer is made of, as text */
export function cacheInputs(images: readonly OpenedImage[], also?: string): CacheInputs {
  const facts = images.flatMap(({ identity, index }) => [
    imageKey(index, 'packages.parquet'),
    JSON.stringify(identity),
  ])
  return {
    made: also === undefined ? facts : [...facts, also],
    isPublic: images.every((image) => image.source.isPublic),
    isFixed: images.every((image) => image.reference.digest !== undefined),
  }
}

/**
 * `ETag` and `Cache-Control`.
 *
 * @param contentType which of the several answers of this path it is
 */
export function freshness(
  backend: Backend,
  context: RequestContext,
  source: CacheInputs,
  contentType: string,
): Headers {
  return new Headers({
    ETag: entityTag([ANSWER_VERSION, context.req.path, contentType, ...source.made]),
    'Cache-Control': cacheControl(backend, source),
  })
}

/** With tokens set, nothing is public. */
export function cacheControl(backend: Backend, { isPublic, isFixed }: Omit<CacheInputs, 'made'>): string {
  if (!isPublic || backend.host.configuration.tokens.length > 0) return 'private, no-cache'
  return `public, max-age=${isFixed ? DIGEST_SECONDS : TAG_SECONDS}`
}

/** A `304` if the caller already has this answer. */
export function unchanged(context: RequestContext, headers: Headers): Response | undefined {
  const tag = headers.get('ETag')
  if (tag === null || !isUnchanged(context.req.header('If-None-Match'), tag)) return undefined
  return notModified(headers)
}

/** The answer while an image is being analysed: `202` for JSON, otherwise `503`. */
export type WhilePending = 'accepted' | 'unavailable'

/** The image's facts, or why they are not ready yet. */
export async function factsOf(
  backend: Backend,
  context: RequestContext,
  image: OpenedImage,
  seconds: number,
): Promise<{ readonly facts: ImageFacts } | { readonly pending: JobState }> {
  const known = await knownFacts(backend, image)
  if (known !== undefined) return { facts: known }
  await admit(backend, context, image)
  const [analysed] = await allOf([
    analyse(backend, image, { seconds, signal: context.req.raw.signal }),
    recordName(backend, image),
  ])
  return analysed.done ? { facts: analysed.facts } : { pending: analysed.state }
}

/** A new analysis counts against the client's rate; joining a running one does not. */
export async function admit(backend: Backend, context: RequestContext, image: OpenedImage): Promise<void> {
  const running = await backend.host.jobs.watch(jobKey(imageJob(image)), -1, 0)
  if (running === undefined) await backend.rate.admit(backend.clientOf(context))
}

export async function pendingAnswer(
  backend: Backend,
  image: OpenedImage,
  state: JobState,
  pending: WhilePending,
): Promise<Response> {
  if (pending === 'unavailable') throw pendingProblem(image)
  const body = analysisBody(await nameAnalysis(backend, image, state))
  return new Response(toJson(body), {
    status: 202,
    headers: {
      'Content-Type': 'application/json',
      'Cache-Control': 'no-store',
      Location: locationOf(body.id),
      'Retry-After': String(RETRY_AFTER_SECONDS),
    },
  })
}

/**
 * The facts, for callers that cannot be answered without them.
 *
 * @throws Problem `analysis_pending`
 */
export async function factsInTime(
  backend: Backend,
  context: RequestContext,
  image: OpenedImage,
  seconds: number,
): Promise<ImageFacts> {
  const result = await factsOf(backend, context, image, seconds)
  if ('pending' in result) throw pendingProblem(image)
  return result.facts
}

export function pendingProblem(image: OpenedImage): Problem {
  const { reference } = image.identity
  return new Problem('analysis_pending', `${reference} is being analysed; try again in a few seconds`, {
    image: reference,
    retryAfter: RETRY_AFTER_SECONDS,
  })
}

export type Form = {
  readonly contentType: string
  readonly pending: WhilePending
}

/** What an answer is about, opened: one image, or two to compare. `T` is what their analysis gives. */
export type Subject<T> = {
  readonly images: readonly OpenedImage[]
  /** What else the answer is made of, as text. */
  readonly also?: string | undefined
  /** False if `also` is for this caller alone. */
  readonly isPublic?: boolean | undefined
  /** @param wait seconds */
  readonly analyse: (wait: number) => Promise<Outcome<T>>
}

/** An analysis, or the image that is still being analysed. */
export type Outcome<T> =
  | { readonly analysed: T }
  | { readonly image: OpenedImage; readonly pending: JobState }

export function imageSubject(
  backend: Backend,
  context: RequestContext,
  image: OpenedImage,
): Subject<AnalysedImage> {
  return {
    images: [image],
    analyse: async (wait) => {
      const result = await factsOf(backend, context, image, wait)
      if ('pending' in result) return { image, ...result }
      return { analysed: { image: verifiedImage(image, result.facts), ...result } }
    },
  }
}

type Answer<T> = {
  readonly subject: Subject<T>
  /** How long an analysis is waited for, in seconds. */
  readonly wait: number
  readonly form: Form
}

/**
 * An answer that needs its images analysed: `304` if the caller has it, `202` or a problem while it is not ready.
 *
 * @param make the body; a blob has its own type
 */
export async function answerSubject<T>(
  backend: Backend,
  context: RequestContext,
  { subject, wait, form }: Answer<T>,
  make: (analysed: T) => Promise<BodyInit> | BodyInit,
): Promise<Response> {
  const inputs = cacheInputs(subject.images, subject.also)
  const isPublic = inputs.isPublic && (subject.isPublic ?? true)
  const headers = freshness(backend, context, { ...inputs, isPublic }, form.contentType)
  const known = unchanged(context, headers)
  if (known !== undefined) return known
  const result = await subject.analyse(wait)
  if ('pending' in result) return pendingAnswer(backend, result.image, result.pending, form.pending)
  headers.set('Content-Type', form.contentType)
  // Not before: the analysis is shown only to a caller who may see every layer.
  const kept = keptAnswer(backend, context, headers)
  if (kept !== undefined) return kept
  const body = await make(result.analysed)
  if (body instanceof Blob) headers.set('Content-Type', body.type)
  return keepAnswer(backend, context, new Response(body, { headers }))
}

/** {@link answerSubject} for one image, which it opens. */
export async function answerAnalysed(
  backend: Backend,
  context: RequestContext,
  { query, form }: { readonly query: AnalysedQuery; readonly form: Form },
  make: (analysed: AnalysedImage) => Promise<BodyInit> | BodyInit,
): Promise<Response> {
  const subject = imageSubject(backend, context, await openFor(backend, context, query))
  return answerSubject(backend, context, { subject, wait: query.wait, form }, make)
}

/** An answer made from the manifest and the config alone. */
export async function answerFromManifest(
  backend: Backend,
  context: RequestContext,
  { query, contentType }: { readonly query: ImageQuery; readonly contentType: string },
  make: (image: OpenedImage) => BodyInit,
): Promise<Response> {
  const image = await openFor(backend, context, query)
  const headers = freshness(backend, context, cacheInputs([image]), contentType)
  const known = unchanged(context, headers)
  if (known !== undefined) return known
  headers.set('Content-Type', contentType)
  return new Response(make(image), { headers })
}
