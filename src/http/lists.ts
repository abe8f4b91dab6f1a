/** Lists: pages as JSON, or all of it as one object a line. */

import { pinnedReference } from '../oci/image-reference.ts'
import { Problem } from '../problem.ts'
import type { AnalysedImage } from '../service/analyse.ts'
import { type Listing, otherList, type Position } from '../service/listings.ts'
import { type OpenedImage, openImage } from '../service/open.ts'
import { type AnalysedQuery, answerOpened, openFor } from './answers.ts'
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

/** @param list what is listed of the image, once it is analysed */
export async function answerList(
  backend: Backend,
  context: RequestContext,
  query: ListQuery,
  list: (analysed: AnalysedImage) => Promise<Listing>,
): Promise<Response> {
  if (wantsLines(context, query)) {
    const image = await openFor(backend, context, query)
    const form = { contentType: 'application/x-ndjson', pending: 'unavailable' } as const
    return answerOpened(backend, context, { image, wait: query.wait, form }, async (analysed) => {
      const listing = await list(analysed)
      return jsonLines(listing.all(), (error) => logCut(backend, context, error))
    })
  }
  const { image, at } = await openPage(backend, context, query)
  const form = { contentType: 'application/json', pending: 'accepted' } as const
  return answerOpened(backend, context, { image, wait: query.wait, form }, async (analysed) => {
    const listing = await list(analysed)
    return pageBody(listing, at, query, [image.identity.digest])
  })
}

/**
 * A page as JSON.
 *
 * @param pins digests of the manifests that are listed
 */
export async function pageBody(
  listing: Listing,
  at: Position | undefined,
  query: { readonly limit?: number | undefined },
  pins: readonly string[],
): Promise<string> {
  const { items, next } = await listing.page(at, query.limit ?? PAGE_LIMIT)
  const nextCursor = next === undefined ? {} : { nextCursor: encodeCursor({ pins, at: next }, query) }
  return JSON.stringify({ items, ...nextCursor })
}

/** Of a first page the image that the reference names now, of all others the one that the first was of. */
async function openPage(
  backend: Backend,
  context: RequestContext,
  query: ListQuery,
): Promise<{ readonly image: OpenedImage; readonly at: Position | undefined }> {
  if (query.cursor === undefined) return { image: await openFor(backend, context, query), at: undefined }
  const { pins, at } = decodeCursor(query.cursor, query)
  return { image: await openPinned(backend, context, { reference: query.image, digest: pins[0] }), at }
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
