/** Lists the packages that an image has installed. */
import { createRoute, z } from '@hono/zod-openapi'
import { PACKAGES_TABLE, packagesTotal } from '../../formats/list-tables.ts'
import { PACKAGES } from '../../image/package-table.ts'
import { inOrder } from '../../service/fleet/listings.ts'
import { packagesOf } from '../../service/images/image-tables.ts'
import { packageOwners } from '../../service/images/package-owners.ts'
import { plainRow } from '../../table/table.ts'
import type { App, Backend } from '../backend.ts'
import { answerList } from '../lists.ts'
import { chosenForm } from '../negotiation.ts'
import { list, pending, problems } from '../openapi/describe.ts'
import { cursor, format, imageQuery, limit, textQuery } from '../parameters.ts'
import { pathAsked } from '../paths.ts'
import { packagePageSchema, packageSchema } from './packages.schema.ts'

const FORMATS = ['json', 'ndjson', 'csv', 'markdown', 'text'] as const

const listPackages = createRoute({
  method: 'get',
  path: '/v1/packages',
  operationId: 'listPackages',
  tags: ['Reports'],
  summary: 'The installed packages',
  description: 'From package databases and metadata, sorted by type and name.',
  request: {
    query: z.strictObject({
      ...imageQuery,
      owns: z.string().min(1).optional().openapi({
        description: 'Only packages that own the file at this path.',
      }),
      limit,
      cursor,
      format: format(FORMATS),
      ...textQuery,
    }),
  },
  responses: {
    200: list('The packages.', packagePageSchema, packageSchema, ['text/plain', 'text/markdown']),
    202: pending,
    ...problems('image'),
  },
})

export function addPackages(app: App, backend: Backend): void {
  const { store } = backend.host
  app.openapi(listPackages, (c) => {
    const { format, color, columns, ...query } = c.req.valid('query')
    const form = {
      form: chosenForm(c, format, FORMATS),
      fields: Object.keys(packageSchema.shape),
      table: PACKAGES_TABLE,
      style: { color, columns },
    }
    const owned = pathAsked({ path: query.owns })
    return answerList(backend, c, { query, form }, async ({ image, facts }) => ({
      listing: inOrder({
        from: await packagesOf(store, image),
        keeps: owned === undefined ? undefined : (await packageOwners(store, image)).owning(owned),
        show: (row) => plainRow(PACKAGES, row),
      }),
      total: owned === undefined ? packagesTotal(facts) : 'Owners of one file',
    }))
  })
}
