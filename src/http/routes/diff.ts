/** What changed between two images: the summary, and the list of changed paths. */

import { createRoute, z } from '@hono/zod-openapi'
import type { FileChange } from '../../diff/change.ts'
import { pageChanges, streamChanges } from '../../diff/list.ts'
import type { Diff } from '../../diff/summary.ts'
import { diffMarkdown } from '../../formats/diff-markdown.ts'
import { diffText } from '../../formats/diff-text.ts'
import type { ObjectStore } from '../../host.ts'
import { changePicture } from '../../pages/diff/map.ts'
import { diffDocument } from '../../pages/diff-document.ts'
import { basesInTime } from '../../service/base/base-in-time.ts'
import type { Listing } from '../../service/fleet/listings.ts'
import { newAdvice } from '../../service/images/advice.ts'
import type { AnalysedImage } from '../../service/images/analyse.ts'
import { changesBetween, diffOf, type Pair } from '../../service/images/diff.ts'
import { filesOf } from '../../service/images/image-tables.ts'
import { pullBetween } from '../../service/images/update.ts'
import { toJson } from '../../text/json.ts'
import { answerSubject, type Form } from '../answers.ts'
import type { App, Backend, RequestContext } from '../backend.ts'
import { baseCaller } from '../caller.ts'
import { globFilter } from '../glob-filter.ts'
import { chosenForm, preferredType } from '../negotiation.ts'
import { json, list, pending, problems } from '../openapi/describe.ts'
import { answerPair, answerPairList, type PairQuery, pairQuery, pairSubject } from '../pairs.ts'
import {
  cursor,
  format as formatParameter,
  glob,
  limit,
  pictureWidth,
  styleOf,
  type TextQuery,
  textQuery,
} from '../parameters.ts'
import { forAnyPage } from '../pictures.ts'
import { changeKindSchema, diffSchema, fileChangePageSchema, fileChangeSchema } from './diff.schema.ts'

/** `Accept` chooses by type, `format` by name. */
const FORMATS = {
  json: 'application/json',
  markdown: 'text/markdown',
  text: 'text/plain',
  html: 'text/html',
} as const

type Format = keyof typeof FORMATS

const NAMES: readonly [Format, ...Format[]] = ['json', 'markdown', 'text', 'html']

const SVG = 'image/svg+xml'

const getDiff = createRoute({
  method: 'get',
  path: '/v1/diff',
  operationId: 'getDiff',
  tags: ['Diffs'],
  summary: 'What changed between two images',
  description: 'Markdown fits a pull-request comment, text a terminal; HTML is a page.',
  request: {
    query: z.strictObject({
      ...pairQuery,
      format: z
        .enum([...NAMES, 'svg'])
        .optional()
        .openapi({
          description:
            'Overrides `Accept`. `svg` is a treemap of what was added, removed and changed; `width` applies to it.',
        }),
      width: pictureWidth,
      ...textQuery,
    }),
  },
  responses: {
    200: json('The diff, or its treemap.', diffSchema, ['text/markdown', 'text/plain', 'text/html', SVG]),
    202: pending,
    ...problems('image'),
  },
})

const LIST_FORMATS = ['json', 'ndjson', 'csv'] as const

const changesQuery = z.strictObject({
  ...pairQuery,
  change: changeKindSchema.optional().openapi({ description: 'Only changes of this kind.' }),
  glob,
  sort: z.enum(['path', '-delta']).default('path').openapi({
    description: 'By path (`/` sorts first) or by absolute delta, largest first.',
  }),
  limit,
  cursor,
  format: formatParameter(LIST_FORMATS),
})

type ChangesQuery = Omit<z.output<typeof changesQuery>, 'format'>

const listChanges = createRoute({
  method: 'get',
  path: '/v1/diff/files',
  operationId: 'listChanges',
  tags: ['Diffs'],
  summary: 'The paths that differ between two images',
  description: 'Paths that differ only in their mtime are not listed; the diff counts them.',
  request: { query: changesQuery },
  responses: {
    200: list('The paths.', fileChangePageSchema, fileChangeSchema),
    202: pending,
    ...problems('image'),
  },
})

export function addDiff(app: App, backend: Backend): void {
  const { store } = backend.host

  app.openapi(getDiff, async (c) => {
    const query = c.req.valid('query')
    if (query.format === 'svg') return pictureAnswer(backend, c, query)
    const format = query.format ?? acceptedFormat(c)
    const type = FORMATS[format]
    const form = {
      contentType: format === 'json' ? type : `${type}; charset=utf-8`,
      pending: format === 'json' ? 'accepted' : 'unavailable',
    } as const
    if (format === 'markdown') return markdownAnswer(backend, c, query, form)
    const response = await answerPair(backend, c, { query, form }, async (pair) =>
      write(await diffOf(store, pair), format, query),
    )
    // The style sheet is inline; the page has no script.
    if (format === 'html') response.headers.set('Content-Security-Policy', PAGE_POLICY)
    return response
  })

  app.openapi(listChanges, async (c) => {
    const { format, ...query } = c.req.valid('query')
    const changes = changesOf(query)
    const form = { form: chosenForm(c, format, LIST_FORMATS), fields: Object.keys(fileChangeSchema.shape) }
    return answerPairList(backend, c, { query, form }, async (pair) => ({
      listing: await changes(store, pair),
    }))
  })
}

/** It says besides whether the base moved, which only registries know. */
async function markdownAnswer(
  backend: Backend,
  c: RequestContext,
  query: PairQuery,
  form: Form,
): Promise<Response> {
  const { store } = backend.host
  const subject = await pairSubject(backend, c, query)
  const outcome = await subject.analyse(query.wait)
  const { bases, isPublic } =
    'pending' in outcome
      ? {}
      : await basesInTime(backend, outcome.analysed, baseCaller(backend, c, [query.from, query.to]))
  const found = { ...subject, also: JSON.stringify(bases), isPublic, analyse: async () => outcome }
  return answerSubject(backend, c, { subject: found, wait: query.wait, form }, async (pair) =>
    diffMarkdown(await diffOf(store, pair), {
      advice: await newAdvice(store, pair),
      update: await pullBetween(store, pair),
      bases,
    }),
  )
}

const PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"

async function pictureAnswer(
  backend: Backend,
  c: RequestContext,
  query: PairQuery & { readonly width: number },
): Promise<Response> {
  const form = { contentType: `${SVG}; charset=utf-8`, pending: 'unavailable' } as const
  const answer = await answerPair(backend, c, { query, form }, async (pair) =>
    changePicture(
      pair.from.image.identity,
      pair.to.image.identity,
      await changesBetween(backend.host.store, pair),
      query.width,
    ),
  )
  return forAnyPage(answer)
}

function acceptedFormat(c: RequestContext): Format {
  const accepted = preferredType(c.req.header('Accept'), [
    'application/json',
    'text/markdown',
    'text/plain',
    'text/html',
  ])
  return NAMES.find((name) => FORMATS[name] === accepted) ?? 'json'
}

async function write(diff: Diff, format: Exclude<Format, 'markdown'>, style: TextQuery): Promise<string> {
  switch (format) {
    case 'json':
      return toJson(diff)
    case 'text':
      return diffText(diff, styleOf(style))
    case 'html':
      return diffDocument(diff)
  }
}

/** @throws Problem `invalid_parameter` if the glob is invalid */
function changesOf({ change, glob, sort }: ChangesQuery) {
  const matches = globFilter(glob)
  const query = { filter: { change, glob: matches }, sort }
  return async (store: ObjectStore, { from, to }: Pair<AnalysedImage>): Promise<Listing<FileChange>> => {
    const tables = { from: await filesOf(store, from.image), to: await filesOf(store, to.image) }
    return {
      page: (at, limit) =>
        pageChanges(tables, query, { limit, position: at === undefined ? undefined : String(at) }),
      all: () => streamChanges(tables, query),
    }
  }
}
