/** What an image stands on. */
import { createRoute, z } from '@hono/zod-openapi'
import type { BaseReport } from '../../base/base.ts'
import { allOf, inParallel } from '../../concurrency.ts'
import { baseMarkdown } from '../../formats/base-markdown.ts'
import { baseText } from '../../formats/base-text.ts'
import type { JobState } from '../../job.ts'
import { pinnedReference } from '../../oci/image-reference.ts'
import { verifiedImage } from '../../open/layer-indexes.ts'
import type { OpenedImage } from '../../open/open-image.ts'
import { Problem } from '../../problem.ts'
import { type DescribedBase, describeBase } from '../../service/base/describe.ts'
import { withPackages } from '../../service/base/packages.ts'
import type { AnalysedImage } from '../../service/images/analyse.ts'
import { toJson } from '../../text/json.ts'
import { cacheControl, factsOf, openFor, pendingAnswer } from '../answers.ts'
import type { App, Backend, RequestContext } from '../backend.ts'
import { baseCaller } from '../caller.ts'
import { entityTag, isUnchanged, notModified } from '../middleware/conditional.ts'
import { chosenForm, contentTypeOf } from '../negotiation.ts'
import { json, pending, problems } from '../openapi/describe.ts'
import {
  format,
  image,
  integer,
  platform,
  repeatable,
  styleOf,
  type TextQuery,
  textQuery,
  waitUpTo,
} from '../parameters.ts'
import { problemBody } from '../problems.ts'
import { baseSchema } from './base.schema.ts'

const FORMATS = ['json', 'markdown', 'text'] as const
const MAX_CANDIDATES = 20
const MAX_ALTERNATIVES = 10
const ANALYSED_AT_ONCE = 4

const getBase = createRoute({
  method: 'get',
  path: '/v1/base',
  operationId: 'getBase',
  tags: ['Images'],
  summary: 'What an image stands on',
  description:
    'The base image by annotations, labels, provenance, candidates, other images that this service analysed, or a guess by the history; what its tag names now; smaller variants. From manifests and configs alone, unless `packages=1`.',
  request: {
    query: z.strictObject({
      image,
      platform,
      candidate: repeatable(`An image that may be the base, up to ${MAX_CANDIDATES}.`).optional(),
      alternatives: integer({ min: 0, max: MAX_ALTERNATIVES }, 'How many variants of the base to list.')
        .optional()
        .openapi({ default: 0 }),
      packages: z.enum(['0', '1']).default('0').openapi({
        description: '`1`: with packages and uncompressed bytes, which needs analyses.',
      }),
      wait: waitUpTo(0),
      format: format(FORMATS),
      ...textQuery,
    }),
  },
  responses: {
    200: json('The base.', baseSchema, ['text/markdown', 'text/plain']),
    202: pending,
    ...problems('image'),
  },
})

export function addBase(app: App, backend: Backend): void {
  app.openapi(getBase, async (c) => {
    const query = c.req.valid('query')
    const { candidate: candidates = [], alternatives = 0, packages, wait } = query
    if (candidates.length > MAX_CANDIDATES) {
      const detail = `candidate may be given at most ${MAX_CANDIDATES} times`
      throw new Problem('invalid_parameter', detail, { parameter: 'candidate' })
    }
    const form = chosenForm(c, query.format, FORMATS)
    const opened = await openFor(backend, c, query)
    const described = await describeBase(backend, {
      image: opened,
      candidates,
      alternatives,
      ...baseCaller(backend, c, [query.image]),
    })
    if (packages === '0') return answer(backend, c, described, write(described.report, form, query))
    const report = await withAnalyses(backend, c, { image: opened, described, wait })
    if ('pending' in report)
      return pendingAnswer(
        backend,
        report.image,
        report.pending,
        form === 'json' ? 'accepted' : 'unavailable',
      )
    return answer(backend, c, described, write(report, form, query))
  })
}

type Form = (typeof FORMATS)[number]
type Written = { readonly form: Form; readonly text: string }

/** The tag is made of the body, which has everything that the registries said. */
function answer(backend: Backend, c: RequestContext, described: DescribedBase, written: Written): Response {
  const tag = entityTag([c.req.path, written.form, written.text])
  const headers = new Headers({
    ETag: tag,
    'Cache-Control': cacheControl(backend, { isPublic: described.isPublic, isFixed: false }),
  })
  if (isUnchanged(c.req.header('If-None-Match'), tag)) return notModified(headers)
  headers.set('Content-Type', contentTypeOf(written.form))
  return new Response(written.text, { headers })
}

function write(report: BaseReport, form: Form, style: TextQuery): Written {
  switch (form) {
    case 'json':
      return { form, text: toJson(bodyOf(report)) }
    case 'text':
      return { form, text: baseText(report, styleOf(style)) }
    case 'markdown':
      return { form, text: baseMarkdown(report) }
  }
}

function bodyOf({ update, warnings, ...report }: BaseReport) {
  return {
    ...report,
    ...(update === undefined ? {} : { update: withBody(update) }),
    warnings: warnings.map(withBody),
  }
}

function withBody<T extends { readonly problem?: Problem }>({ problem, ...others }: T) {
  return { ...others, ...(problem === undefined ? {} : { problem: problemBody(problem) }) }
}

type Analysing = {
  readonly image: OpenedImage
  readonly described: DescribedBase
  readonly wait: number
}

type Waiting = { readonly image: OpenedImage; readonly pending: JobState }
/** Undefined for an image that does not exist. */
type Outcome = AnalysedImage | Waiting | undefined

/** The report with packages, or the first image that is still being analysed. */
async function withAnalyses(
  backend: Backend,
  c: RequestContext,
  { image, described, wait }: Analysing,
): Promise<BaseReport | Waiting> {
  const { report, base, update, images } = described
  const analyse = async (one: OpenedImage | undefined): Promise<Outcome> => {
    if (one === undefined) return undefined
    const result = await factsOf(backend, c, one, wait)
    return 'facts' in result
      ? { image: verifiedImage(one, result.facts), ...result }
      : { image: one, ...result }
  }
  const opened = await inParallel(report.alternatives ?? [], ANALYSED_AT_ONCE, ({ reference, digest }) =>
    images.image(`docker://${pinnedReference(reference, digest)}`),
  )
  const [subject, below, now] = await allOf([
    analyse(image),
    analyse(base),
    analyse(report.update?.state === 'behind' ? update : undefined),
  ])
  const others = await inParallel(opened, ANALYSED_AT_ONCE, async (one) =>
    one instanceof Problem ? undefined : unlessProblem(analyse(one)),
  )
  const all: readonly Outcome[] = [subject, below, now, ...others]
  const waiting = all.find(isWaiting)
  if (waiting !== undefined) return waiting
  const [analysed, analysedBase, analysedUpdate, ...alternatives] = all.filter(isReady)
  if (analysed === undefined) throw new Error('the image is neither analysed nor pending')
  return withPackages(backend.host.store, report, {
    image: analysed,
    base: analysedBase,
    update: analysedUpdate,
    alternatives,
  })
}

function isWaiting(outcome: Outcome): outcome is Waiting {
  return outcome !== undefined && 'pending' in outcome
}

function isReady(outcome: Outcome): outcome is AnalysedImage | undefined {
  return !isWaiting(outcome)
}

/** An alternative that cannot be analysed is listed without packages. */
async function unlessProblem<T>(analysing: Promise<T>): Promise<T | undefined> {
  try {
    return await analysing
  } catch (error) {
    if (error instanceof Problem) return undefined
    throw error
  }
}
