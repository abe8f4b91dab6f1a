/** Many images at once, from manifests and configs alone: a repository's tags with their sizes, and what images share. */

import { createRoute, z } from '@hono/zod-openapi'
import { readAppearance } from '../../badge/appearance.ts'
import { drawChart, drawNotice } from '../../badge/chart.ts'
import { inParallel } from '../../concurrency.ts'
import { type CsvItem, csvHeader, csvItem } from '../../formats/csv.ts'
import { imagesMarkdown, imagesText } from '../../formats/images-table.ts'
import { sharedMarkdown, sharedText } from '../../formats/shared-table.ts'
import type { Repository } from '../../oci/reference.ts'
import { Problem } from '../../problem.ts'
import { RepositoryImages, SORTS, type TaggedImage } from '../../service/fleet/repository-images.ts'
import { type Sharing, sharingOf } from '../../service/fleet/shared.ts'
import { compileGlobs } from '../../text/glob.ts'
import { toJson } from '../../text/json.ts'
import { cacheControl, cacheInputs, freshness, openFor, unchanged } from '../answers.ts'
import { type App, type Backend, logCut, logUnforeseen, type RequestContext } from '../backend.ts'
import { callerCredentials } from '../caller.ts'
import { decodeCursor, encodeCursor } from '../cursor.ts'
import { taggedAnswer } from '../middleware/conditional.ts'
import { jsonLines } from '../ndjson.ts'
import { FORMS, type FormName, preferredType } from '../negotiation.ts'
import { json, list, problems } from '../openapi/describe.ts'
import {
  cursor,
  integer,
  optional,
  platform,
  reference,
  repeatable,
  styleOf,
  type TextQuery,
  textQuery,
} from '../parameters.ts'
import { invalidParameter, problemBody, problemOf } from '../problems.ts'
import { streamBody } from '../stream.ts'
import { repositoryImagePageSchema, repositoryImageSchema, sharingSchema } from './images.schema.ts'
import { repositoryOf } from './registry.ts'

const PAGE_LIMIT = 50
const MAX_PAGE = 200
const MIN_SHARED = 2
const MAX_SHARED = 50
/** How many images `/v1/shared` opens at the same time. */
const OPENED_AT_ONCE = 4

const CSV_COLUMNS = ['name', 'digest', 'id', 'platform', 'created', 'compressedBytes', 'layers', 'problem']

const color = z.string().optional()

const imagesQuery = z.strictObject({
  repository: reference('As for `docker pull`, without tag or digest.', 'alpine'),
  platform,
  tag: repeatable('Only tags that match one of these globs: `*`, `?`, `[…]`, `{…}`.').optional(),
  sort: z.enum(SORTS).default('name').openapi({
    description:
      '`name`: `v9` before `v10`; `created`: newest first; `-compressedBytes`: largest first; the last two for up to 1,000 tags.',
  }),
  limit: integer({ min: 1, max: MAX_PAGE }, 'Tags per page, or in the chart.')
    .optional()
    .openapi({ default: PAGE_LIMIT }),
  cursor: cursor.openapi({ description: 'The `nextCursor` of the previous page.' }),
  format: z.enum(['json', 'text', 'markdown', 'csv', 'svg']).optional().openapi({
    description: 'Overrides `Accept`. `csv` is the whole list, `svg` a chart of the last tags by `sort`.',
  }),
  color: color.openapi({
    description: 'For `text`: `1` for a terminal. For `svg`: the line’s colour, as in badges.',
  }),
  columns: textQuery.columns,
  label: optional('For `svg`: text above the chart.'),
})

type ImagesQuery = z.infer<typeof imagesQuery>

const listImagesRoute = createRoute({
  method: 'get',
  path: '/v1/images',
  operationId: 'listImages',
  tags: ['Images'],
  summary: 'The images of a repository',
  description:
    'Reads no layer. If the registry limits requests, the page ends early with `nextCursor`. `svg` always answers `200` and shows an error as a picture.',
  request: { query: imagesQuery },
  responses: {
    200: list('The images.', repositoryImagePageSchema, repositoryImageSchema, [
      'text/plain',
      'text/markdown',
      'image/svg+xml',
    ]),
    ...problems('registry', [413]),
  },
})

const sharedQuery = z.strictObject({
  image: repeatable('An image; 2 to 50 of them.'),
  platform,
  format: z.enum(['json', 'text', 'markdown']).optional().openapi({
    description: 'Overrides `Accept`.',
  }),
  ...textQuery,
})

const listSharedRoute = createRoute({
  method: 'get',
  path: '/v1/shared',
  operationId: 'listShared',
  tags: ['Images'],
  summary: 'What images share',
  description: 'From manifests and configs alone: which layers images share, and which is built on which.',
  request: { query: sharedQuery },
  responses: {
    200: json('The shared layers.', sharingSchema, ['text/plain', 'text/markdown']),
    ...problems('image'),
  },
})

export function addImages(app: App, backend: Backend): void {
  app.openapi(listImagesRoute, async (c) => {
    const query = c.req.valid('query')
    const { columns: _, ...asked } = query
    const type = query.format === undefined ? acceptedList(c) : FORMS[query.format]
    if (type === FORMS.svg) return chartAnswer(backend, c, query)
    const repository = repositoryOf(query.repository)
    const images = openRepository(backend, c, query, repository)
    const whole = type === FORMS.csv || type === FORMS.ndjson
    const headers = new Headers({
      'Cache-Control': cacheControl(backend, { isPublic: images.isPublic, isFixed: false }),
      'Content-Type': type === FORMS.json || type === FORMS.ndjson ? type : `${type}; charset=utf-8`,
    })
    if (whole) {
      requireNoPage(query, type)
      const onCut = (error: unknown) => logCut(backend, c, error)
      const rows = rowsOf(images.all())
      const body = type === FORMS.ndjson ? jsonLines(rows, onCut) : streamBody(() => csvOf(rows), onCut)
      return new Response(await body, { headers })
    }
    const after = query.cursor === undefined ? undefined : String(decodeCursor(query.cursor, asked).at)
    const { items, next } = await images.page(after, query.limit ?? PAGE_LIMIT)
    const name = `${repository.registry}/${repository.repository}`
    const view = { repository: name, items, hasMore: next !== undefined }
    switch (type) {
      case FORMS.text:
        return taggedAnswer(c, imagesText(view, { colour: colourOf(query), width: query.columns }), headers)
      case FORMS.markdown:
        return taggedAnswer(c, imagesMarkdown(view), headers)
      default: {
        const nextCursor =
          next === undefined ? {} : { nextCursor: encodeCursor({ pins: [], at: next }, asked) }
        return taggedAnswer(c, toJson({ items: items.map(bodyOf), ...nextCursor }), headers)
      }
    }
  })

  app.openapi(listSharedRoute, async (c) => {
    const { image: references, platform, format, ...style } = c.req.valid('query')
    if (references.length < MIN_SHARED || references.length > MAX_SHARED)
      throw new Problem('invalid_parameter', `image must be given ${MIN_SHARED} to ${MAX_SHARED} times`, {
        parameter: 'image',
      })
    const type = format === undefined ? acceptedShared(c) : FORMS[format]
    const contentType = type === FORMS.json ? type : `${type}; charset=utf-8`
    const images = await inParallel(references, OPENED_AT_ONCE, (image) =>
      openFor(backend, c, { image, platform }, references),
    )
    const headers = freshness(backend, c, cacheInputs(images), contentType)
    const known = unchanged(c, headers)
    if (known !== undefined) return known
    headers.set('Content-Type', contentType)
    return new Response(writeSharing(sharingOf(images), type, style), { headers })
  })
}

function writeSharing(sharing: Sharing, type: string, style: TextQuery): string {
  if (type === FORMS.text) return sharedText(sharing, styleOf(style))
  return type === FORMS.markdown ? sharedMarkdown(sharing) : toJson(sharing)
}

function acceptedList(c: RequestContext): (typeof FORMS)[FormName] {
  const offers = [FORMS.json, FORMS.ndjson, FORMS.markdown, FORMS.text, FORMS.csv, FORMS.svg] as const
  return preferredType<(typeof offers)[number]>(c.req.header('Accept'), offers)
}

function acceptedShared(c: RequestContext): (typeof FORMS)['json' | 'markdown' | 'text'] {
  const offers = [FORMS.json, FORMS.markdown, FORMS.text] as const
  return preferredType<(typeof offers)[number]>(c.req.header('Accept'), offers)
}

/** @throws Problem `invalid_parameter` if a page of a whole list is requested */
function requireNoPage(query: ImagesQuery, type: string): void {
  for (const parameter of ['cursor', 'limit'] as const) {
    if (query[parameter] === undefined) continue
    throw new Problem(
      'invalid_parameter',
      `${parameter} does not apply to ${type}, which has the whole list`,
      {
        parameter,
      },
    )
  }
}

/** @throws Problem `invalid_parameter` if it is neither 0 nor 1 */
function colourOf({ color = '0' }: ImagesQuery): boolean {
  const parsed = z.strictObject({ color: z.enum(['0', '1']) }).safeParse({ color })
  if (!parsed.success) throw invalidParameter(parsed.error)
  return color === '1'
}

function openRepository(
  backend: Backend,
  c: RequestContext,
  { tag, platform, sort }: ImagesQuery,
  repository: Repository,
): RepositoryImages {
  const names = [`${repository.registry}/${repository.repository}`]
  return new RepositoryImages(backend, {
    repository: { registry: repository.registry, repository: repository.repository },
    credentials: callerCredentials(backend.host.configuration, c, names),
    platform,
    tag: tagFilter(tag),
    sort,
    signal: c.req.raw.signal,
  })
}

function tagFilter(globs: readonly string[] | undefined): (name: string) => boolean {
  if (globs === undefined) return () => true
  try {
    return compileGlobs(globs)
  } catch (error) {
    throw error instanceof Problem ? error.with({ parameter: 'tag' }) : error
  }
}

function bodyOf(item: TaggedImage): CsvItem {
  if ('problem' in item) return { name: item.name, problem: problemBody(item.problem) }
  const { stored: _, ...body } = item
  return body
}

async function* rowsOf(
  batches: AsyncIterable<readonly TaggedImage[]>,
): AsyncGenerator<readonly CsvItem[], void> {
  for await (const batch of batches) yield batch.map(bodyOf)
}

async function* csvOf(batches: AsyncIterable<readonly CsvItem[]>): AsyncGenerator<Uint8Array, void> {
  const encoder = new TextEncoder()
  let header = csvHeader(CSV_COLUMNS)
  for await (const batch of batches) {
    yield encoder.encode(header + batch.map((item) => csvItem(CSV_COLUMNS, item)).join(''))
    header = ''
  }
  if (header !== '') yield encoder.encode(header)
}

/** Always a picture. What the registry hides looks the same as what it does not have. */
async function chartAnswer(backend: Backend, c: RequestContext, query: ImagesQuery): Promise<Response> {
  const appearance = readAppearance(new URL(c.req.url).searchParams)
  const repository = repositoryOf(query.repository)
  const { label = `${repository.registry}/${repository.repository}` } = appearance
  const images = openRepository(backend, c, query, repository)
  const headers = new Headers({
    'Content-Type': 'image/svg+xml; charset=utf-8',
    // For use on any page, and for opening the file itself.
    'Cross-Origin-Resource-Policy': 'cross-origin',
    'Content-Security-Policy': "default-src 'none'; style-src 'unsafe-inline'",
    'Cache-Control': cacheControl(backend, { isPublic: images.isPublic, isFixed: false }),
  })
  try {
    const items = await images.newest(query.limit ?? PAGE_LIMIT)
    const points = items.flatMap((item) =>
      'problem' in item ? [] : [{ name: item.name, bytes: item.compressedBytes }],
    )
    return taggedAnswer(c, drawChart(points, { label, color: appearance.color }), headers)
  } catch (error) {
    const problem = problemOf(error)
    if (problem?.code === 'invalid_parameter') throw problem
    if (problem === undefined) logUnforeseen(backend, c, error)
    return taggedAnswer(c, drawNotice(noticeOf(problem), { label }), headers)
  }
}

function noticeOf(problem: Problem | undefined): string {
  const isHidden = problem?.code === 'unauthorized' || problem?.code === 'image_not_found'
  return isHidden ? 'private or unknown' : 'unavailable'
}
