/** The treemap of one directory as a page: of an image, or of what changed between two. */
import { z } from '@hono/zod-openapi'
import { mapPage } from '../../pages/map.ts'
import { placeOf } from '../../pages/place.ts'
import { WIDE } from '../../pages/treemap/figure.ts'
import { smallestShare } from '../../pages/treemap/layout.ts'
import { countBaseLayers } from '../../service/base/auto.ts'
import { TREEMAP_COLOURS, type TreemapColour, treemapOf } from '../../service/images/treemap.ts'
import { cacheInputs, openFor } from '../answers.ts'
import type { App, RequestContext } from '../backend.ts'
import { baseCaller } from '../caller.ts'
import { imagePage, keptPage, type PageBackend, progressAnswer, stateOf } from '../page-answers.ts'
import { pathAsked } from '../paths.ts'
import { parsed } from '../problems.ts'
import { changeMapAnswer, pairPageQuery } from './diff-pages.ts'

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

async function mapAnswer(
  pages: PageBackend,
  c: RequestContext,
  { colour, ...asked }: Asked,
): Promise<Response> {
  const { backend } = pages
  const opened = await openFor(backend, c, asked)
  const baseLayers =
    colour === 'base' ? await countBaseLayers(backend, opened, baseCaller(backend, c, [asked.image])) : 0
  const state = await stateOf(backend, c, opened)
  if (!('facts' in state)) return progressAnswer(pages, [state])
  return keptPage(pages, c, cacheInputs([state.image], String(baseLayers)), async () => {
    const key = pathAsked(asked) ?? ''
    const question = { key, depth: MAP_DEPTH, colour, baseLayers, smallest: smallestShare(WIDE) }
    const top = await treemapOf(backend.host.store, state, question)
    const { identity } = state.image
    return mapPage(identity, { place: placeOf(identity), top, colour })
  })
}
