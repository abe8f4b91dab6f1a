/** What the updates through a series of images cost: the tags of a repository, or a list of images. */

import { createRoute, z } from '@hono/zod-openapi'
import { inParallel } from '../../concurrency.ts'
import { csvHeader, csvItem } from '../../formats/csv.ts'
import { updatesMarkdown } from '../../formats/update-markdown.ts'
import { updatesText } from '../../formats/update-text.ts'
import { drawUpdates } from '../../formats/updates-svg.ts'
import type { JobState } from '../../job.ts'
import { verifiedImage } from '../../open/layer-indexes.ts'
import type { OpenedImage } from '../../open/open-image.ts'
import { Problem } from '../../problem.ts'
import { RepositoryImages } from '../../service/fleet/repository-images.ts'
import { chooseTags } from '../../service/fleet/tag-series.ts'
import { updatesThrough } from '../../service/fleet/updates.ts'
import type { AnalysedImage } from '../../service/images/analyse.ts'
import { nameAnalysis } from '../../service/images/analyses.ts'
import { toJson } from '../../text/json.ts'
import type { SkippedTag, Updates } from '../../update/series.ts'
import { analysisBody } from '../analysis-body.ts'
import {
  cacheInputs,
  factsOf,
  freshness,
  openFor,
  pendingProblem,
  RETRY_AFTER_SECONDS,
  unchanged,
} from '../answers.ts'
import type { App, Backend, RequestContext } from '../backend.ts'
import { callerCredentials } from '../caller.ts'
import { keepAnswer, keptAnswer } from '../kept-answers.ts'
import { chosenForm, contentTypeOf, FORMS, type FormName } from '../negotiation.ts'
import { json, list, problems } from '../openapi/describe.ts'
import {
  integer,
  platform,
  reference,
  repeatable,
  styleOf,
  type TextQuery,
  textQuery,
  waitUpTo,
} from '../parameters.ts'
import { parsed, problemBody } from '../problems.ts'
import { repositoryOf } from './registry.ts'
import {
  DEFAULT_PLAN,
  MAX_PLAN,
  MAX_SERIES,
  MIN_PLAN,
  MIN_SERIES,
  pendingUpdatesSchema,
  updateStepSchema,
  updatesRequestSchema,
  updatesSchema,
} from './update.schema.ts'

const FORMATS = ['json', 'ndjson', 'markdown', 'text', 'csv', 'svg'] as const

/** How many images are opened, or asked for, at the same time. */
const AT_ONCE = 4
const DEFAULT_LAST = 10
/** Of an image without an index, too. */
const PLATFORM = 'linux/amd64'

const answerQuery = {
  wait: waitUpTo(0),
  format: z.enum(FORMATS).optional().openapi({
    description: 'Overrides `Accept`. `ndjson` and `csv` are the steps, `svg` a bar for each.',
  }),
  ...textQuery,
}

const updatesQuery = z.strictObject({
  repository: reference('As for `docker pull`, without tag or digest.', 'alpine'),
  platform,
  tag: repeatable('Only tags that match one of these globs, in this order.').optional(),
  sort: z.enum(['name', 'created']).default('name').openapi({
    description: '`name`: `v9` before `v10`; `created`: oldest first, for up to 1,000 tags.',
  }),
  last: integer(
    { min: MIN_SERIES, max: MAX_SERIES },
    'How many of the newest images to compare; ignored if `tag` has names only.',
  )
    .optional()
    .openapi({ default: DEFAULT_LAST }),
  plan: integer({ min: MIN_PLAN, max: MAX_PLAN }, 'The most layers that the plan may have.')
    .optional()
    .openapi({ default: DEFAULT_PLAN }),
  baseImage: repeatable('The beginning that an image shares with one of these stays as it is.').optional(),
  ...answerQuery,
})

const postQuery = z.strictObject(answerQuery)

const responses = {
  200: list('The updates.', updatesSchema, updateStepSchema, [
    'text/markdown',
    'text/plain',
    'image/svg+xml',
  ]),
  202: json('Not ready yet. `Retry-After` says when to retry.', pendingUpdatesSchema),
  ...problems('image'),
}

const listUpdates = createRoute({
  method: 'get',
  path: '/v1/updates',
  operationId: 'listUpdates',
  tags: ['Updates'],
  summary: 'What the updates from tag to tag pull, and in which layers they would pull less',
  description: 'Reads the newest tags, oldest first, as reports do.',
  request: { query: updatesQuery },
  responses,
})

const compareImages = createRoute({
  method: 'post',
  path: '/v1/updates',
  operationId: 'compareUpdates',
  tags: ['Updates'],
  summary: 'What the updates through a list of images pull',
  description: 'The same for any images.',
  request: {
    query: postQuery,
    body: {
      required: true,
      description: 'The images, oldest first.',
      content: { 'application/json': { schema: updatesRequestSchema } },
    },
  },
  responses,
})

export function addUpdates(app: App, backend: Backend): void {
  app.openapi(listUpdates, async (c) => {
    const query = c.req.valid('query')
    const { registry, repository } = repositoryOf(query.repository)
    const name = `${registry}/${repository}`
    const baseImages = query.baseImage ?? []
    const references = [name, ...baseImages]
    const platform = query.platform ?? PLATFORM
    const images = new RepositoryImages(backend, {
      repository: { registry, repository },
      credentials: callerCredentials(backend.host.configuration, c, references),
      platform,
      tag: () => true,
      sort: 'name',
      signal: c.req.raw.signal,
    })
    const { tag: tags, sort, last = DEFAULT_LAST, plan } = query
    const { names, skipped } = await chooseTags({ images, tags, sort, last })
    const asked = names.map((tag) => ({ image: `${name}:${tag}`, platform }))
    return answer(backend, c, { asked, baseImages, plan, skipped }, query)
  })

  app.openAPIRegistry.registerPath(compareImages)
  app.post('/v1/updates', async (c) => {
    const query = parsed(postQuery, c.req.query())
    const body = parsed(updatesRequestSchema, await backend.bodies.json(c.req.raw, backend.clientOf(c)))
    const { images: asked, baseImage: baseImages = [], plan } = body
    return answer(backend, c, { asked, baseImages, plan, skipped: [] }, query)
  })
}

type Question = {
  readonly asked: readonly { readonly image: string; readonly platform?: string | undefined }[]
  readonly baseImages: readonly string[]
  readonly plan: number | undefined
  readonly skipped: readonly SkippedTag[]
}

type AnswerQuery = TextQuery & { readonly wait: number; readonly format?: FormName | undefined }

async function answer(
  backend: Backend,
  c: RequestContext,
  question: Question,
  query: AnswerQuery,
): Promise<Response> {
  const { plan = DEFAULT_PLAN, skipped } = question
  const { images, baseImages } = await openSeries(backend, c, question)
  const format = chosenForm(c, query.format, FORMATS)
  const contentType = contentTypeOf(format)
  const inputs = cacheInputs([...images, ...baseImages])
  const made = [...inputs.made, JSON.stringify([plan, baseImages.length, skipped.map(bodyOfSkipped)])]
  const headers = freshness(backend, c, { ...inputs, made }, contentType)
  const known = unchanged(c, headers)
  if (known !== undefined) return known
  const analysed = await analyseAll(backend, c, images, query.wait)
  if ('waiting' in analysed) {
    if (format === 'json') return pendingUpdates(backend, analysed.waiting)
    throw pendingProblem(analysed.waiting[0].image)
  }
  headers.set('Content-Type', contentType)
  const kept = keptAnswer(backend, c, headers)
  if (kept !== undefined) return kept
  const series = { images: analysed.images, plan, baseImages, skipped }
  const updates = await updatesThrough(backend.host.store, series)
  return keepAnswer(backend, c, new Response(write(updates, format, query), { headers }))
}

type OpenedSeries = {
  readonly images: readonly OpenedImage[]
  readonly baseImages: readonly OpenedImage[]
}

/** Neighbours that are one image count once, by the first name. */
async function openSeries(
  backend: Backend,
  c: RequestContext,
  { asked, baseImages: baseNames }: Question,
): Promise<OpenedSeries> {
  const references = [...asked.map(({ image }) => image), ...baseNames]
  const open = (one: Question['asked'][number]) => openFor(backend, c, one, references)
  const opened = asked.length < MIN_SERIES ? [] : await inParallel(asked, AT_ONCE, open)
  const images = opened.filter(({ index }, i) => index !== opened[i - 1]?.index)
  if (images.length < MIN_SERIES) {
    const count = asked.length < MIN_SERIES ? asked.length : images.length
    const detail = `a series needs at least ${MIN_SERIES} images; there ${count === 1 ? 'is 1' : `are ${count}`}`
    throw new Problem('too_few_tags', detail)
  }
  const platform = asked[0]?.platform
  const baseImages = await inParallel(baseNames, AT_ONCE, (image) => open({ image, platform }))
  return { images, baseImages }
}

type Waiting = { readonly image: OpenedImage; readonly pending: JobState }

type AllAnalysed =
  | { readonly images: readonly AnalysedImage[] }
  | { readonly waiting: readonly [Waiting, ...Waiting[]] }

/** All images, or those whose analyses are not ready. */
async function analyseAll(
  backend: Backend,
  c: RequestContext,
  images: readonly OpenedImage[],
  wait: number,
): Promise<AllAnalysed> {
  const results = await inParallel(images, AT_ONCE, async (image) => ({
    image,
    ...(await factsOf(backend, c, image, wait)),
  }))
  const [first, ...others] = results.flatMap((result) => ('pending' in result ? [result] : []))
  if (first !== undefined) return { waiting: [first, ...others] }
  const analysed = results.flatMap((result) => ('facts' in result ? [result] : []))
  return { images: analysed.map(({ image, facts }) => ({ image: verifiedImage(image, facts), facts })) }
}

async function pendingUpdates(backend: Backend, waiting: readonly Waiting[]): Promise<Response> {
  const items = await inParallel(waiting, AT_ONCE, async ({ image, pending }) =>
    analysisBody(await nameAnalysis(backend, image, pending)),
  )
  return new Response(toJson({ items }), {
    status: 202,
    headers: {
      'Content-Type': FORMS.json,
      'Cache-Control': 'no-store',
      'Retry-After': String(RETRY_AFTER_SECONDS),
    },
  })
}

function bodyOfSkipped({ name, problem }: SkippedTag) {
  return { name, problem: problemBody(problem) }
}

function bodyOf({ plan, skipped, ...updates }: Updates) {
  return {
    ...updates,
    plan: 'problem' in plan ? { problem: problemBody(plan.problem) } : plan,
    ...(skipped === undefined ? {} : { skipped: skipped.map(bodyOfSkipped) }),
  }
}

const COLUMNS = Object.keys(updateStepSchema.shape)

function write(updates: Updates, format: FormName, style: TextQuery): string {
  switch (format) {
    case 'json':
      return toJson(bodyOf(updates))
    case 'ndjson':
      return updates.steps.map((step) => `${toJson(step)}\n`).join('')
    case 'csv':
      return csvHeader(COLUMNS) + updates.steps.map((step) => csvItem(COLUMNS, step)).join('')
    case 'text':
      return updatesText(updates, styleOf(style))
    case 'markdown':
      return updatesMarkdown(updates)
    case 'svg':
      return drawUpdates(updates)
  }
}
