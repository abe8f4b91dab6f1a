/** Lists: pages as JSON, or all of it as one object a line. */

import { pinnedReference } from '../oci/image-reference.ts'
import { Problem } from '../problem.ts'
import type { AnalysedImage } from '../service/analyse.ts'
import { type Listing, otherList, type Position } from '../service/listings.ts'
import { type OpenedImage, openImage } from '../service/open.ts'
import { type AnalysedQuery, answerSubject, imageSubject, openFor, type Subject } from './answers.ts'
import { type Backend, logCut, type RequestContext } from './backend.ts'
import { callerCredentials } from './caller.ts'
import { decodeCursor, encodeCursor, refused } from './cursor.ts'
import { jsonLines } from './ndjson.ts'
import { wantsLines } from './negotiation.ts'
import { PAGE_LIMIT } from './parameters.ts'

export type ListQuery = AnalysedQuery & {
  readonly limit?: number | undefined
  readonly cursor?: string | undefined
}

type PageQuery = Pick<ListQuery, 'wait' | 'limit' | 'cursor'>

type List<T> = {
  readonly query: PageQuery
  /**
   * Opens what is listed.
   *
   * @param pins digests of the manifests that the first page was about; undefined for a first page
   */
  readonly open: (pins?: readonly string[]) => Promise<Subject<T>>
  readonly list: (analysed: T) => Promise<Listing>
}

/** A page of a list, or all of it as lines. Later pages are about the images that the first page was about. */
export async function answerListOf<T>(
  backend: Backend,
  context: RequestContext,
  { query, open, list }: List<T>,
): Promise<Response> {
  const lines = wantsLines(context, query)
  const cursor = query.cursor === undefined ? undefined : decodeCursor(query.cursor, query)
  const subject = await open(cursor?.pins)
  const form = lines
    ? ({ contentType: 'application/x-ndjson', pending: 'unavailable' } as const)
    : ({ contentType: 'application/json', pending: 'accepted' } as const)
  return answerSubject(backend, context, { subject, wait: query.wait, form }, async (analysed) => {
    const listing = await list(analysed)
    if (lines) return jsonLines(listing.all(), (error) => logCut(backend, context, error))
    const pins = subject.images.map(({ identity }) => identity.digest)
    return pageBody(listing, cursor?.at, query, pins)
  })
}

/** {@link answerListOf} for one image. */
export function answerList(
  backend: Backend,
  context: RequestContext,
  query: ListQuery,
  list: (analysed: AnalysedImage) => Promise<Listing>,
): Promise<Response> {
  const open = async (pins?: readonly string[]) => {
    const image =
      pins === undefined
        ? await openFor(backend, context, query)
        : await openPinned(backend, context, { reference: query.image, digest: pins[0] })
    return imageSubject(backend, context, image)
  }
  return answerListOf(backend, context, { query, open, list })
}

/**
 * A page as JSON.
 *
 * @param pins digests of the manifests that are listed
 */
async function pageBody(
  listing: Listing,
  at: Position | undefined,
  query: { readonly limit?: number | undefined },
  pins: readonly string[],
): Promise<string> {
  const { items, next } = await listing.page(at, query.limit ?? PAGE_LIMIT)
  const nextCursor = next === undefined ? {} : { nextCursor: encodeCursor({ pins, at: next }, query) }
  return JSON.stringify({ items, ...nextCursor })
}

type PinnedImage = {
  readonly reference: string
  readonly digest: string | undefined
  /** All that the request names; by default this one. */
  readonly references?: readonly string[]
}

/**
 * @throws Problem `invalid_parameter` where the registry no longer has what the cursor began with
 */
export async function openPinned(
  backend: Backend,
  context: RequestContext,
  { reference, digest, references = [reference] }: PinnedImage,
): Promise<OpenedImage> {
  if (digest === undefined) throw otherList()
  try {
    return await openImage(backend, {
      reference: pinnedReference(reference, digest),
      credentials: callerCredentials(backend.host.configuration, context, references),
      signal: context.req.raw.signal,
    })
  } catch (error) {
    if (error instanceof Problem && error.code === 'image_not_found') {
      throw refused('belongs to an image that the registry no longer has: start again without it')
    }
    throw error
  }
}
