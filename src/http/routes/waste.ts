/** Bytes that an image stores for nothing: hidden files and duplicates. */
import { createRoute, z } from '@hono/zod-openapi'
import { DUPLICATES_TABLE, duplicatesTotal, WASTE_TABLE, wasteTotal } from '../../formats/list-tables.ts'
import { showWasted } from '../../image/waste.ts'
import { inOrder } from '../../service/fleet/listings.ts'
import { duplicatesOf, wasteOf } from '../../service/images/image-tables.ts'
import type { App, Backend } from '../backend.ts'
import { answerList } from '../lists.ts'
import { chosenForm } from '../negotiation.ts'
import { list, pending, problems } from '../openapi/describe.ts'
import { cursor, format, imageQuery, limit, textQuery } from '../parameters.ts'
import {
  duplicateGroupSchema,
  duplicatePageSchema,
  wastedFileSchema,
  wastePageSchema,
} from './waste.schema.ts'

const FORMATS = ['json', 'ndjson', 'csv', 'markdown', 'text'] as const

const listWaste = createRoute({
  method: 'get',
  path: '/v1/waste',
  operationId: 'listWaste',
  tags: ['Reports'],
  summary: 'The wasted files of an image',
  description: 'Files that later layers removed, replaced or stored again; largest first.',
  request: { query: z.strictObject({ ...imageQuery, limit, cursor, format: format(FORMATS), ...textQuery }) },
  responses: {
    200: list('The files.', wastePageSchema, wastedFileSchema, ['text/plain', 'text/markdown']),
    202: pending,
    ...problems('image'),
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
      }),
      limit,
      cursor,
      format: format(FORMATS),
      ...textQuery,
    }),
  },
  responses: {
    200: list('The groups.', duplicatePageSchema, duplicateGroupSchema, ['text/plain', 'text/markdown']),
    202: pending,
    ...problems('image'),
  },
})

export function addWaste(app: App, backend: Backend): void {
  const { store } = backend.host

  app.openapi(listWaste, (c) => {
    const { format, color, columns, ...query } = c.req.valid('query')
    const form = {
      form: chosenForm(c, format, FORMATS),
      fields: Object.keys(wastedFileSchema.shape),
      table: WASTE_TABLE,
      style: { color, columns },
    }
    return answerList(backend, c, { query, form }, async ({ image, facts }) => ({
      listing: inOrder({ from: await wasteOf(store, image), show: showWasted }),
      total: wasteTotal(facts),
    }))
  })

  app.openapi(listDuplicates, (c) => {
    const { format, color, columns, ...query } = c.req.valid('query')
    const form = {
      form: chosenForm(c, format, FORMATS),
      fields: Object.keys(duplicateGroupSchema.shape),
      table: DUPLICATES_TABLE,
      style: { color, columns },
    }
    return answerList(backend, c, { query, form }, async ({ image, facts }) => {
      const from = await duplicatesOf(store, image, query.scope)
      const listing = inOrder({
        from,
        show: ({ sha256, bytes, count, wastedBytes, paths }) => ({
          sha256,
          bytes,
          count,
          wastedBytes,
          paths,
        }),
      })
      return { listing, total: duplicatesTotal(facts, query.scope) }
    })
  })
}
