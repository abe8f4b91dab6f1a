/** What an image stores to no use: hidden files, and files that are there again. */
import { createRoute, z } from '@hono/zod-openapi'
import { showWasted } from '../../image/waste.ts'
import { inOrder } from '../../service/listings.ts'
import { duplicatesOf, wasteOf } from '../../service/tables.ts'
import type { App, Backend } from '../backend.ts'
import { answerList } from '../lists.ts'
import { list, pending, problems } from '../openapi/describe.ts'
import { cursor, imageQuery, limit } from '../parameters.ts'
import {
  duplicateGroupSchema,
  duplicatePageSchema,
  wastedFileSchema,
  wastePageSchema,
} from './waste.schema.ts'

const listWaste = createRoute({
  method: 'get',
  path: '/v1/waste',
  operationId: 'listWaste',
  tags: ['Reports'],
  summary: 'The wasted files of an image',
  description: 'Files that a later layer removed, replaced or stored again; largest first.',
  request: { query: z.strictObject({ ...imageQuery, limit, cursor }) },
  responses: {
    200: list('The files.', wastePageSchema, wastedFileSchema),
    202: pending,
    ...problems('analysed'),
  },
})

const listDuplicates = createRoute({
  method: 'get',
  path: '/v1/duplicates',
  operationId: 'listDuplicates',
  tags: ['Reports'],
  summary: 'The duplicate files of an image',
  description: 'Groups of files with the same content, largest waste first. Hard links count as one file.',
  request: {
    query: z.strictObject({
      ...imageQuery,
      scope: z.enum(['image', 'layers']).default('image').openapi({
        description: '`image`: the merged file system; `layers`: all layers, hidden files too.',
        example: 'layers',
      }),
      limit,
      cursor,
    }),
  },
  responses: {
    200: list('The groups.', duplicatePageSchema, duplicateGroupSchema),
    202: pending,
    ...problems('analysed'),
  },
})

export function addWaste(app: App, backend: Backend): void {
  const { store } = backend.host

  app.openapi(listWaste, (c) =>
    answerList(backend, c, c.req.valid('query'), async ({ image }) =>
      inOrder({ from: await wasteOf(store, image), show: showWasted }),
    ),
  )

  app.openapi(listDuplicates, (c) => {
    const query = c.req.valid('query')
    return answerList(backend, c, query, async ({ image }) => {
      const from = await duplicatesOf(store, image, query.scope)
      return inOrder({
        from,
        show: ({ sha256, bytes, count, wastedBytes, paths }) => ({
          sha256,
          bytes,
          count,
          wastedBytes,
          paths,
        }),
      })
    })
  })
}
