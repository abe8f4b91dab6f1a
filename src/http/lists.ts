/** Lists: one page as JSON, or all items as NDJSON, CSV, text or Markdown. */

import { type ListTable, listMarkdown, listText } from '../formats/list.ts'
import { pinnedReference } from '../oci/image-reference.ts'
import { type OpenedImage, openImage } from '../open/open-image.ts'
import { Problem } from '../problem.ts'
import { inOrder, type Listing, otherList, type Position } from '../service/fleet/listings.ts'
import type { AnalysedImage } from '../service/images/analyse.ts'
import { fromTables } from '../service/images/choose-reading.ts'
import { toJson } from '../text/json.ts'
import { type AnalysedQuery, answerSubject, imageSubject, openFor, type Subject } from './answers.ts'
import { type Backend, logCut, type RequestContext } from './backend.ts'
import { callerCredentials } from './caller.ts'
import { decodeCursor, encodeCursor, refused } from './cursor.ts'
import { jsonLines } from './ndjson.ts'
import { contentTypeOf, type ListFormName, requireNoPage } from './negotiation.ts'
import { PAGE_LIMIT, styleOf, type TextQuery } from './parameters.ts'
import { csvLines, textBody } from './text-bodies.ts'

export type ListQuery = AnalysedQuery & {
  readonly limit?: number | undefined
  readonly cursor?: string | undefined
}

type PageQuery = Pick<ListQuery, 'wait' | 'limit' | 'cursor'>

/** What the list is about. */
export type Listed<Item> = {
  readonly listing: Listing<Item>
  /** The heading of text and Markdown. */
  readonly total?: string
  /** What a page as JSON says besides its items. */
  readonly facts?: object | undefined
  /** The columns of CSV, where they depend on what is listed. */
  readonly fields?: readonly string[]
}

/** The form of a list's answer. */
export type ListForm<Item> = {
  readonly form: ListFormName
  /** The fields of an item, which are the columns of CSV. */
  readonly fields: readonly string[]
  /** Absent if the list has no text or Markdown. */
  readonly table?: ListTable<Item>
  readonly style?: TextQuery
}

type List<T, Item> = {
  readonly query: PageQuery
  readonly form: ListForm<Item>
  /**
   * Opens what the list is about.
   *
   * @param pins names of the indexes that the first page was about; undefined for a first page
   */
  readonly open: (pins?: readonly string[]) => Promise<Subject<T>>
  readonly list: (analysed: T) => Promise<Listed<Item>>
}

/** A page of a list, or the whole list. Later pages are about the same images as the first page. */
export async function answerListOf<T, Item extends object>(
  backend: Backend,
  context: RequestContext,
  { query, form: asked, open, list }: List<T, Item>,
): Promise<Response> {
  const { form, fields, table, style = { color: '0', columns: 80 } } = asked
  if (form === 'ndjson' || form === 'csv') requireNoPage(query, form)
  const cursor = query.cursor === undefined ? undefined : decodeCursor(query.cursor, query)
  const subject = await open(cursor?.pins)
  const kind = {
    contentType: contentTypeOf(form),
    pending: form === 'json' ? 'accepted' : 'unavailable',
  } as const
  return answerSubject(backend, context, { subject, wait: query.wait, form: kind }, async (analysed) => {
    const { listing, total = '', facts, fields: own = fields } = await list(analysed)
    const onCut = (error: unknown) => logCut(backend, context, error)
    switch (form) {
      case 'json': {
        const pins = subject.images.map(({ index }) => index)
        return pageBody({ listing, facts }, cursor?.at, query, pins)
      }
      case 'ndjson':
        return jsonLines(listing.all(), onCut)
      case 'csv':
        return csvLines(own, listing.all(), onCut)
      case 'text':
      case 'markdown': {
        if (table === undefined)
          throw new Problem('invalid_parameter', `this list is not available as ${form}`)
        const names = subject.images.map(({ identity }) => `${identity.reference} (${identity.platform})`)
        const heading = { subject: names.join(' → '), total: [total] }
        const { batches, more } = await shownOf(listing, cursor?.at, query)
        return textBody(
          form === 'text'
            ? listText(heading, batches, table, { ...styleOf(style), more })
            : listMarkdown(heading, batches, table, more),
          onCut,
        )
      }
    }
  })
}

const MORE = 'There are more: raise limit, or omit it to list all.'

/** The whole list, or the requested page. */
async function shownOf<Item>(
  listing: Listing<Item>,
  at: Position | undefined,
  { limit }: { readonly limit?: number | undefined },
): Promise<{ readonly batches: AsyncIterable<readonly Item[]>; readonly more?: string }> {
  if (limit === undefined && at === undefined) return { batches: listing.all() }
  const { items, next } = await listing.page(at, limit ?? PAGE_LIMIT)
  return { batches: one(items), ...(next === undefined ? {} : { more: MORE }) }
}

async function* one<Item>(items: readonly Item[]): AsyncGenerator<readonly Item[]> {
  yield items
}

/** {@link answerListOf} for one image. */
export function answerList<Item extends object>(
  backend: Backend,
  context: RequestContext,
  { query, form }: { readonly query: ListQuery; readonly form: ListForm<Item> },
  list: (analysed: AnalysedImage) => Promise<Listed<Item>>,
): Promise<Response> {
  const open = async (pins?: readonly string[]) => {
    const image =
      pins === undefined
        ? await openFor(backend, context, query)
        : await openPinned(backend, context, { reference: query.image, index: pins[0] })
    return imageSubject(backend, context, image)
  }
  return answerListOf(backend, context, { query, form, open, list })
}

/**
 * A page as JSON.
 *
 * @param pins names of the indexes of the listed images
 */
async function pageBody(
  { listing, facts }: Pick<Listed<unknown>, 'listing' | 'facts'>,
  at: Position | undefined,
  query: { readonly limit?: number | undefined },
  pins: readonly string[],
): Promise<string> {
  const { items, next } = await listing.page(at, query.limit ?? PAGE_LIMIT)
  const nextCursor = next === undefined ? {} : { nextCursor: encodeCursor({ pins, at: next }, query) }
  return toJson({ ...facts, items, ...nextCursor })
}

type PinnedImage = {
  readonly reference: string
  /** The name of the index that the first page began with. */
  readonly index: string | undefined
  /** Every reference of the request; by default only this one. */
  readonly references?: readonly string[]
}

/**
 * @throws Problem `invalid_parameter` if the registry no longer has what the cursor began with
 */
export async function openPinned(
  backend: Backend,
  context: RequestContext,
  { reference, index, references = [reference] }: PinnedImage,
): Promise<OpenedImage> {
  if (index === undefined) throw otherList()
  const [digest = ''] = index.split('/')
  try {
    const image = await openImage(backend, {
      reference: pinnedReference(reference, digest),
      credentials: callerCredentials(backend.host.configuration, context, references),
      signal: context.req.raw.signal,
    })
    return index === digest ? image : fromTables(image)
  } catch (error) {
    if (error instanceof Problem && error.code === 'image_not_found') {
      throw refused('belongs to an image that the registry no longer has: start again without it')
    }
    throw error
  }
}

/** A list that is in memory. */
export function listOf<Row, Item>(rows: readonly Row[], show: (row: Row) => Item): Listing<Item> {
  return inOrder({
    async *from(start) {
      yield rows.slice(start)
    },
    show,
  })
}
