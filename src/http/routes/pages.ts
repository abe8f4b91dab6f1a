/** The pages for people: the first page with what it leads to, the documentation, and the files that they load. */

import { allOf } from '../../concurrency.ts'
import { PACKAGES } from '../../image/package-table.ts'
import type { Package } from '../../image/report.ts'
import { showWasted } from '../../image/waste.ts'
import type { JobState } from '../../job.ts'
import { ASSETS_PATH, type Assets, assetType } from '../../pages/assets.ts'
import { diffPage } from '../../pages/diff.ts'
import { DOCS_POLICY, docsPage } from '../../pages/docs.ts'
import { failurePage } from '../../pages/failure.ts'
import { homePage } from '../../pages/home.ts'
import { type Html, link, PAGE_POLICY } from '../../pages/page.ts'
import { pastedReference } from '../../pages/pasted.ts'
import { progressPage, type WaitingFor } from '../../pages/progress.ts'
import { reportPage } from '../../pages/report.ts'
import { Problem } from '../../problem.ts'
import type { AnalysedImage } from '../../service/analyse.ts'
import { nameAnalysis } from '../../service/analyses.ts'
import { diffOf } from '../../service/diff.ts'
import { WorkElsewhere } from '../../service/elsewhere.ts'
import type { OpenedImage } from '../../service/open.ts'
import { duplicatesOf, packagesOf, WHOLE_FETCH_BYTES, wasteOf } from '../../service/tables.ts'
import { Largest } from '../../table/largest.ts'
import { plainRow } from '../../table/table.ts'
import { locationOf } from '../analysis-body.ts'
import { factsOf, openFor } from '../answers.ts'
import type { App, Backend, RequestContext } from '../backend.ts'
import { entityTag, isUnchanged, notModified } from '../middleware/conditional.ts'
import { tokenCheck } from '../middleware/tokens.ts'
import { openPair } from '../pairs.ts'
import { problemFor } from '../problems.ts'

const WASTE_ROWS = 20
const DUPLICATE_ROWS = 15
const PACKAGE_ROWS = 25

/** What the form of the first page asks for; `from` and `to` are what it becomes for two images. */
type PageQuery = Readonly<
  Partial<Record<'image' | 'baseline' | 'platform' | 'from' | 'to' | 'fromPlatform' | 'toPlatform', string>>
>

/** @param assets the files that pages load */
export function addPages(app: App, backend: Backend, assets: Assets): void {
  const checkToken = tokenCheck(backend.host.configuration.tokens)

  app.get('/', async (c) => {
    const query: PageQuery = givenOf(c.req.query())
    try {
      const { image, baseline, platform, from, to } = query
      if (image !== undefined && baseline !== undefined) {
        return c.redirect(
          link('/', { from: baseline, to: image, fromPlatform: platform, toPlatform: platform }),
          303,
        )
      }
      if (image === undefined && from === undefined && to === undefined) return pageAnswer(await homePage())
      checkToken(c.req.header('Authorization'))
      if (image !== undefined) return await answerReportPage(backend, c, { image, platform })
      return await answerDiffPage(backend, c, { ...query, ...bothOf(query), wait: 0 })
    } catch (error) {
      return failedAnswer(backend, c, error, query)
    }
  })

  app.get('/docs', async () => {
    const answer = pageAnswer(await docsPage())
    answer.headers.set('Content-Security-Policy', DOCS_POLICY)
    return answer
  })

  app.get(`${ASSETS_PATH}:name`, async (c) => {
    const name = c.req.param('name')
    const bytes = await assets(name)
    if (bytes === undefined) throw new Problem('not_found', 'no such file')
    const tag = tagOf(name, bytes)
    const headers = new Headers({ ETag: tag, 'Cache-Control': 'public, max-age=300' })
    if (isUnchanged(c.req.header('If-None-Match'), tag)) return notModified(headers)
    headers.set('Content-Type', assetType(name))
    return new Response(bytes, { headers })
  })
}

const REFERENCES = new Set(['image', 'baseline', 'from', 'to'])

/** The fields that were filled in, references as they were meant. */
function givenOf(query: Readonly<Record<string, string>>): PageQuery {
  const filled = Object.entries(query).map(([name, value]): [string, string] => [name, value.trim()])
  const given = filled
    .filter(([, value]) => value !== '')
    .map(([name, value]) => [name, REFERENCES.has(name) ? pastedReference(value) : value])
  return Object.fromEntries(given)
}

/** @throws Problem `invalid_parameter` where one of the two is missing */
function bothOf({ from, to }: PageQuery): { readonly from: string; readonly to: string } {
  if (from !== undefined && to !== undefined) return { from, to }
  const detail = 'a comparison needs two images: `from` and `to`'
  throw new Problem('invalid_parameter', detail, { parameter: from === undefined ? 'from' : 'to' })
}

async function answerReportPage(
  backend: Backend,
  context: RequestContext,
  query: { readonly image: string; readonly platform: string | undefined },
): Promise<Response> {
  const image = await openFor(backend, context, query)
  const result = await factsOf(backend, context, image, 0)
  if ('pending' in result) return progressAnswer([await waitingFor(backend, image, result.pending)])
  const { store } = backend.host
  const { origin } = new URL(context.req.url)
  const [waste, duplicates, packages] = await Promise.all([
    firstRows((await wasteOf(store, image))(0), WASTE_ROWS),
    firstRows((await duplicatesOf(store, image, 'image'))(0), DUPLICATE_ROWS),
    largestPackages((await packagesOf(store, image))(0, WHOLE_FETCH_BYTES)),
  ])
  const report = { image: image.identity, ...result.facts }
  return pageAnswer(await reportPage({ report, waste: waste.map(showWasted), duplicates, packages, origin }))
}

async function answerDiffPage(
  backend: Backend,
  context: RequestContext,
  query: Parameters<typeof openPair>[2],
): Promise<Response> {
  const images = await openPair(backend, context, query)
  const [from, to] = await allOf([
    stateOf(backend, context, images.from),
    stateOf(backend, context, images.to),
  ])
  if ('facts' in from && 'facts' in to)
    return pageAnswer(await diffPage(await diffOf(backend.host.store, { from, to })))
  return progressAnswer([from, to].flatMap((state) => ('facts' in state ? [] : [state])))
}

/** The image with its facts, or how its analysis stands. */
async function stateOf(
  backend: Backend,
  context: RequestContext,
  image: OpenedImage,
): Promise<AnalysedImage | WaitingFor> {
  const result = await factsOf(backend, context, image, 0)
  return 'facts' in result ? { image, facts: result.facts } : waitingFor(backend, image, result.pending)
}

async function waitingFor(backend: Backend, image: OpenedImage, state: JobState): Promise<WaitingFor> {
  const { id, platform, status, progress, ...analysis } = await nameAnalysis(backend, image, state)
  return { image: analysis.image, platform, status, progress, events: `${locationOf(id)}/events` }
}

async function firstRows<Row>(batches: AsyncIterable<readonly Row[]>, count: number): Promise<Row[]> {
  const first: Row[] = []
  for await (const batch of batches) {
    first.push(...batch.slice(0, count - first.length))
    if (first.length === count) break
  }
  return first
}

async function largestPackages(batches: AsyncIterable<readonly Package[]>): Promise<Package[]> {
  const largest = new Largest<Package>(PACKAGE_ROWS)
  let ordinal = 0
  for await (const batch of batches) {
    for (const found of batch) largest.add(found.bytes ?? 0, ordinal++, () => plainRow(PACKAGES, found))
  }
  return largest.sorted().map(({ item }) => item)
}

async function progressAnswer(analyses: readonly WaitingFor[]): Promise<Response> {
  return pageAnswer(await progressPage(analyses), 202)
}

/** In another thread, where that is what failed; else as a page. */
async function failedAnswer(
  backend: Backend,
  c: RequestContext,
  error: unknown,
  query: PageQuery,
): Promise<Response> {
  try {
    if (error instanceof WorkElsewhere && backend.elsewhere)
      return await backend.elsewhere(c, c.req.raw.signal)
    throw error
  } catch (other) {
    return failureAnswer(problemFor(backend, c, other), query)
  }
}

async function failureAnswer(problem: Problem, query: PageQuery): Promise<Response> {
  const { image = query.to, baseline = query.from, platform } = query
  const answer = pageAnswer(await failurePage(problem, { image, baseline, platform }), problem.status)
  const { retryAfter } = problem.fields
  if (retryAfter !== undefined) answer.headers.set('Retry-After', String(retryAfter))
  return answer
}

/** Pages are made anew each time: their making may change while what they tell does not. */
function pageAnswer(page: Awaited<Html>, status = 200): Response {
  return new Response(page.toString(), {
    status,
    headers: {
      'Content-Type': 'text/html; charset=utf-8',
      'Cache-Control': 'private, no-cache',
      'Content-Security-Policy': PAGE_POLICY,
    },
  })
}

const tags = new Map<string, string>()

/** Files stay the same as long as the service runs. */
function tagOf(name: string, bytes: Uint8Array): string {
  const known = tags.get(name)
  if (known !== undefined) return known
  const tag = entityTag([Buffer.from(bytes).toString('latin1')])
  tags.set(name, tag)
  return tag
}
