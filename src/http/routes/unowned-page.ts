/** The page of the largest files that no package owns, which the report loads when a reader asks. */
import { z } from '@hono/zod-openapi'
import { unownedPage } from '../../pages/owned.ts'
import { largestUnowned } from '../../service/images/package-owners.ts'
import type { App } from '../backend.ts'
import { analysedPage, imagePage, type PageBackend } from '../page-answers.ts'
import { parsed } from '../problems.ts'

const ROWS = 20

const query = z.object({ image: z.string(), platform: z.string().optional() })

export function addUnownedPage(app: App, pages: PageBackend): void {
  const { store } = pages.backend.host
  app.get('/unowned', (c) =>
    imagePage(pages, c, { image: c.req.query('image') }, () =>
      analysedPage(pages, c, parsed(query, c.req.query()), async ({ image }) =>
        unownedPage({ image: image.identity, files: await largestUnowned(store, image, ROWS) }),
      ),
    ),
  )
}
