/** The treemap of one directory as a page: of an image, or of what changed between two. */
import { z } from '@hono/zod-openapi'
import { parametersOf } from '../../pages/image-links.ts'
import { insideMapPage, mapPage } from '../../pages/map.ts'
import type { Html } from '../../pages/page.ts'
import { WIDE } from '../../pages/treemap/figure.ts'
import { smallestShare } from '../../pages/treemap/layout.ts'
import { Problem } from '../../problem.ts'
import { countBaseLayers } from '../../service/base/auto.ts'
import type { AnalysedImage } from '../../service/images/analyse.ts'
import { TREEMAP_COLOURS, type TreemapColour, treemapOf } from '../../service/images/treemap.ts'
import { openPathInside } from '../../service/inside/open-path.ts'
import { openFor } from '../answers.ts'
import type { App, RequestContext } from '../backend.ts'
import { baseCaller } from '../caller.ts'
import { imagePage, keptPage, type PageBackend, progressAnswer, stateOf } from '../page-answers.ts'
import { pathAsked } from '../paths.ts'
import { parsed } from '../problems.ts'
import { changeMapAnswer, pairPageQuery } from './diff-pages.ts'
import { lookAt } from './files-page.ts'

/** Levels of directories that a page shows at once. */
export const MAP_DEPTH = 5

const query = z.object({
  image: z.string(),
  platform: z.string().optional(),
  path: z.string().optional(),
  pathBase64: z.string().optional(),
  color: z.enum(TREEMAP_COLOURS).default('layer'),
})

export function addMapPage(app: App, pages: PageBackend): void {
  app.get('/map', (c) =>
    imagePage(pages, c, { image: c.req.query('image'), platform: c.req.query('platform') }, () => {
      if (c.req.query('from') !== undefined)
        return changeMapAnswer(pages, c, parsed(pairPageQuery, c.req.query()))
      const { color: colour, ...asked } = parsed(query, c.req.query())
      return mapAnswer(pages, c, { ...asked, colour })
    }),
  )
}

type Asked = Omit<z.output<typeof query>, 'color'> & { readonly colour: TreemapColour }

async function mapAnswer(pages: PageBackend, c: RequestContext, asked: Asked): Promise<Response> {
  const { backend } = pages
  const opened = await openFor(backend, c, asked)
  const baseLayers =
    asked.colour === 'base'
      ? (await countBaseLayers(backend, opened, baseCaller(backend, c, [asked.image]))).count
      : 0
  const state = await stateOf(backend, c, opened)
  if (!('facts' in state)) return progressAnswer(pages, [state])
  return keptPage(pages, c, { images: [state.image], also: String(baseLayers) }, async () => {
    const shown = await directoryMap(pages, state, { ...asked, baseLayers })
    return shown ?? fileMap(pages, state, { ...asked, signal: c.req.raw.signal })
  })
}

/** Undefined if the path is not a directory of the image. */
async function directoryMap(
  { backend }: PageBackend,
  analysed: AnalysedImage,
  { colour, baseLayers, ...asked }: Asked & { readonly baseLayers: number },
): Promise<Html | undefined> {
  const { identity } = analysed.image
  const key = pathAsked(asked) ?? ''
  try {
    const question = { key, depth: MAP_DEPTH, colour, baseLayers, smallest: smallestShare(WIDE) }
    const top = await treemapOf(backend.host.store, analysed, question)
    return mapPage(identity, { parameters: parametersOf(identity), top, colour })
  } catch (error) {
    if (!isMissing(error)) throw error
    return undefined
  }
}

/** The treemap goes on in a file that can be opened; another shows its page. */
async function fileMap(
  { backend }: PageBackend,
  analysed: AnalysedImage,
  { colour, signal, ...asked }: Asked & { readonly signal: AbortSignal },
): Promise<Html> {
  const { image } = analysed
  const question = { key: pathAsked(asked) ?? '', signal }
  try {
    const opened = await openPathInside(backend, image, question)
    return insideMapPage(image.identity, { parameters: parametersOf(image.identity), opened }, colour)
  } catch (error) {
    if (!isMissing(error)) throw error
    return lookAt(backend, analysed, question, { ...asked, sort: 'bytes' })
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Problem && (error.code === 'path_not_found' || error.code === 'unknown_format')
}
