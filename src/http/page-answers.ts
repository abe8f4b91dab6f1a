/** Steps shared by the pages: a problem is shown as a page, a running analysis as a page with its progress. */
import type { JobState } from '../job.ts'
import { scopeOf } from '../oci/source-ref.ts'
import { verifiedImage } from '../open/layer-indexes.ts'
import type { OpenedImage } from '../open/open-image.ts'
import { type Assets, assetsVersion, withVersion } from '../pages/assets.ts'
import { failurePage } from '../pages/failure.ts'
import type { FormValues } from '../pages/form.ts'
import { loginLink } from '../pages/login.ts'
import { type Html, PAGE_POLICY } from '../pages/page.ts'
import { progressPage, type WaitingFor } from '../pages/progress.ts'
import type { Problem } from '../problem.ts'
import type { AnalysedImage } from '../service/images/analyse.ts'
import { nameAnalysis } from '../service/images/analyses.ts'
import { locationOf } from './analysis-body.ts'
import { cacheInputs, factsOf, openFor } from './answers.ts'
import type { Backend, RequestContext } from './backend.ts'
import { keepAnswer, keptAnswer } from './kept-answers.ts'
import { entityTag } from './middleware/conditional.ts'
import { tokenCheck } from './middleware/tokens.ts'
import { Offload } from './offload.ts'
import { problemFor } from './problems.ts'

/** What pages are answered with. */
export type PageBackend = {
  readonly backend: Backend
  readonly assets: Assets
  readonly offersLogin: boolean
}

export async function pageAnswer(
  { assets }: PageBackend,
  page: Html,
  { status = 200, policy = PAGE_POLICY }: { readonly status?: number; readonly policy?: string } = {},
): Promise<Response> {
  const markup = withVersion((await page).toString(), await assetsVersion(assets))
  return new Response(markup, { status, headers: pageHeaders(policy) })
}

function pageHeaders(policy = PAGE_POLICY): Headers {
  return new Headers({
    'Content-Type': 'text/html; charset=utf-8',
    'Cache-Control': 'private, no-cache',
    'Content-Security-Policy': policy,
  })
}

/**
 * A page about analysed images, kept like other answers, but for the registry that gave them and this caller: parts of files
 * are in pages, and cannot be verified. Browsers get no tag: another version of this service renders another page.
 *
 * @param also what else the page is made of, as text
 */
export async function keptPage(
  pages: PageBackend,
  context: RequestContext,
  { images, also }: { readonly images: readonly OpenedImage[]; readonly also?: string | undefined },
  make: () => Promise<Html>,
): Promise<Response> {
  const { backend } = pages
  const tag = entityTag([
    ...cacheInputs(images, also).made,
    ...images.map(({ source }) => scopeOf(source.ref)),
  ])
  const kept = keptAnswer(backend, context, pageHeaders(), tag)
  return kept ?? keepAnswer(backend, context, await pageAnswer(pages, await make()))
}

/**
 * A page about images, for callers that may use the service.
 *
 * @param values initial values of the form on a page that shows a problem
 */
export async function imagePage(
  pages: PageBackend,
  c: RequestContext,
  values: FormValues,
  make: () => Promise<Response>,
): Promise<Response> {
  const { backend } = pages
  try {
    tokenCheck(backend.host.configuration.tokens)(c.req.header('Authorization'))
    return await make()
  } catch (error) {
    if (error instanceof Offload) throw error
    return failedAnswer(pages, c, problemFor(backend, c, error), values)
  }
}

/** A page about one image, which shows the progress until the image is analysed. */
export async function analysedPage(
  pages: PageBackend,
  c: RequestContext,
  query: { readonly image: string; readonly platform?: string | undefined },
  make: (analysed: AnalysedImage) => Promise<Html>,
): Promise<Response> {
  const { backend } = pages
  const state = await stateOf(backend, c, await openFor(backend, c, query))
  return 'facts' in state
    ? keptPage(pages, c, { images: [state.image] }, () => make(state))
    : progressAnswer(pages, [state])
}

/** The image with its facts, or the state of its analysis. */
export async function stateOf(
  backend: Backend,
  context: RequestContext,
  image: OpenedImage,
): Promise<AnalysedImage | WaitingFor> {
  const result = await factsOf(backend, context, image, 0)
  return 'facts' in result
    ? { image: verifiedImage(image, result.facts), facts: result.facts }
    : waitingFor(backend, image, result.pending)
}

async function waitingFor(backend: Backend, image: OpenedImage, state: JobState): Promise<WaitingFor> {
  const { id, platform, status, progress, ...analysis } = await nameAnalysis(backend, image, state)
  return { image: analysis.image, platform, status, progress, events: `${locationOf(id)}/events` }
}

export async function progressAnswer(pages: PageBackend, analyses: readonly WaitingFor[]): Promise<Response> {
  return pageAnswer(pages, progressPage(analyses), { status: 202 })
}

/** Says what went wrong, or leads to where a reader signs in. */
async function failedAnswer(
  pages: PageBackend,
  c: RequestContext,
  problem: Problem,
  values: FormValues,
): Promise<Response> {
  if (!pages.offersLogin || problem.code !== 'unauthorized') return failureAnswer(pages, problem, { values })
  const login = loginFor(c, problem)
  // A browser goes on to the form; what else asks for pages is told why it gets none.
  return login.isForService && c.req.header('Accept')?.includes('text/html')
    ? c.redirect(login.address, 303)
    : failureAnswer(pages, problem, { values, login: login.address })
}

/** Where a reader signs in for what this request lacks: a token of the service, or credentials for a registry. */
function loginFor(c: RequestContext, { fields }: Problem) {
  const url = new URL(c.req.url)
  const [, registry] = /^Registry realm="([^"]+)"$/.exec(fields.authenticate ?? '') ?? []
  const isForService = registry === undefined
  return { isForService, address: loginLink(url.pathname + url.search, registry) }
}

async function failureAnswer(
  pages: PageBackend,
  problem: Problem,
  view: Parameters<typeof failurePage>[1],
): Promise<Response> {
  const answer = await pageAnswer(pages, failurePage(problem, view), { status: problem.status })
  const { retryAfter } = problem.fields
  if (retryAfter !== undefined) answer.headers.set('Retry-After', String(retryAfter))
  return answer
}
