/** The pages about two images: their diff, the treemap of one directory of it, the diff of one text file. */
import { z } from '@hono/zod-openapi'
import { allOf } from '../../concurrency.ts'
import type { TextDiff } from '../../diff/text.ts'
import type { Service } from '../../open/service.ts'
import { type InsideDiffView, insideDiffPage } from '../../pages/diff/inside.ts'
import { changeMapPage, changesAt } from '../../pages/diff/map.ts'
import { diffPage } from '../../pages/diff/page.ts'
import { textDiffPage } from '../../pages/diff/text.ts'
import type { Html } from '../../pages/page.ts'
import { Problem } from '../../problem.ts'
import type { AnalysedImage } from '../../service/images/analyse.ts'
import { changesBetween, diffParts, type Pair } from '../../service/images/diff.ts'
import { pullBetween } from '../../service/images/update.ts'
import { diffInside } from '../../service/inside/diff-inside.ts'
import { type PathQuestion, resolvePath } from '../../service/inside/resolve.ts'
import type { App, RequestContext } from '../backend.ts'
import { imagePage, keptPage, type PageBackend, progressAnswer, stateOf } from '../page-answers.ts'
import { openPair } from '../pairs.ts'
import { pathAsked } from '../paths.ts'
import { parsed } from '../problems.ts'
import { textDiffOf } from './diff-file.ts'
import { mapAsked } from './map-asked.ts'

const CONTEXT_LINES = 3

export const pairPageQuery = z.object({
  from: z.string(),
  to: z.string(),
  fromPlatform: z.string().optional(),
  toPlatform: z.string().optional(),
  path: z.string().optional(),
  pathBase64: z.string().optional(),
})

type PairPageQuery = z.output<typeof pairPageQuery>

export function addDiffPages(app: App, pages: PageBackend): void {
  const { backend } = pages
  app.get('/diff', (c) => {
    const { from, to } = c.req.query()
    return imagePage(pages, c, { image: to, baseline: from }, () => {
      const query = parsed(pairPageQuery, c.req.query())
      const key = pathAsked(query)
      if (key === undefined)
        throw new Problem('invalid_parameter', 'path or pathBase64 is required', { parameter: 'path' })
      const question = { key, signal: c.req.raw.signal }
      return pairPage(pages, c, query, async (pair) => {
        const [before, after] = [pair.from.image.identity, pair.to.image.identity]
        const text = await textBetween(backend, pair, question)
        if (text !== undefined) return textDiffPage(before, after, text)
        return insideDiffPage(before, after, await insideBetween(backend, pair, question))
      })
    })
  })
}

/** Undefined if the file is not text in both, or too large to be compared as text. */
async function textBetween(
  service: Service,
  pair: Pair<AnalysedImage>,
  question: PathQuestion,
): Promise<TextDiff | undefined> {
  try {
    const { diff } = await textDiffOf(service, pair, { ...question, context: CONTEXT_LINES })
    const isOpened = diff.binary && !diff.identical && diff.from !== undefined && diff.to !== undefined
    return isOpened ? undefined : diff
  } catch (error) {
    if (error instanceof Problem && error.code === 'too_large') return undefined
    throw error
  }
}

async function insideBetween(
  service: Service,
  { from, to }: Pair<AnalysedImage>,
  question: PathQuestion,
): Promise<InsideDiffView> {
  const [before, after] = await allOf([
    resolvePath(service, from.image, question),
    resolvePath(service, to.image, question),
  ])
  const view = { key: question.key, fromBytes: before.bytes, toBytes: after.bytes }
  try {
    const insides = await allOf([before.inside(), after.inside()])
    return { ...view, changes: diffInside(insides[0], insides[1], undefined) }
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    return { ...view, changes: error }
  }
}

/** The page about two images. */
export function diffAnswer(pages: PageBackend, c: RequestContext, query: PairPageQuery): Promise<Response> {
  const { store } = pages.backend.host
  return pairPage(pages, c, query, async (pair) => {
    const parts = { ...(await diffParts(store, pair)), update: await pullBetween(store, pair) }
    return diffPage(parts, mapAsked(c).key)
  })
}

/** The treemap of what changed in one directory. */
export function changeMapAnswer(
  pages: PageBackend,
  c: RequestContext,
  query: PairPageQuery,
): Promise<Response> {
  const { store } = pages.backend.host
  const key = pathAsked(query) ?? ''
  return pairPage(pages, c, query, async (pair) =>
    changeMapPage(
      pair.from.image.identity,
      pair.to.image.identity,
      changesAt(await changesBetween(store, pair), key),
    ),
  )
}

/** Shows the progress until both images are analysed. */
async function pairPage(
  pages: PageBackend,
  context: RequestContext,
  query: PairPageQuery,
  make: (pair: Pair<AnalysedImage>) => Promise<Html>,
): Promise<Response> {
  const { backend } = pages
  const images = await openPair(backend, context, { ...query, wait: 0 })
  const [from, to] = await allOf([
    stateOf(backend, context, images.from),
    stateOf(backend, context, images.to),
  ])
  if ('facts' in from && 'facts' in to)
    return keptPage(pages, context, { images: [from.image, to.image] }, () => make({ from, to }))
  return progressAnswer(
    pages,
    [from, to].flatMap((state) => ('facts' in state ? [] : [state])),
  )
}
