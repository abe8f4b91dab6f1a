/** The treemap of one directory as a page: of an image, or of what changed between two. */
import { z } from '@hono/zod-openapi'
import { mapPage } from '../../pages/map.ts'
import { placeOf } from '../../pages/place.ts'
import { WIDE } from '../../pages/treemap/figure.ts'
import { smallestShare } from '../../pages/treemap/layout.ts'
import { TREEMAP_COLOURS, treemapOf } from '../../service/images/treemap.ts'
import type { App } from '../backend.ts'
import { analysedPage, imagePage, type PageBackend } from '../page-answers.ts'
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
      return analysedPage(pages, c, asked, async (analysed) => {
        const key = pathAsked(asked) ?? ''
        const question = { key, depth: MAP_DEPTH, colour, smallest: smallestShare(WIDE) }
        const top = await treemapOf(pages.backend.host.store, analysed, question)
        const { identity } = analysed.image
        return mapPage(identity, { place: placeOf(identity), top, colour })
      })
    }),
  )
}
