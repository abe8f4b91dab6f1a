import { createRoute, z } from '@hono/zod-openapi'
import { PACKAGES } from '../../image/package-table.ts'
import { inOrder } from '../../service/listings.ts'
import { packagesOf } from '../../service/tables.ts'
import { plainRow } from '../../table/table.ts'
import type { App, Backend } from '../backend.ts'
import { answerList } from '../lists.ts'
import { list, pending, problems } from '../openapi/describe.ts'
import { cursor, imageQuery, limit } from '../parameters.ts'
import { packagePageSchema, packageSchema } from './packages.schema.ts'

const listPackages = createRoute({
  method: 'get',
  path: '/v1/packages',
  operationId: 'listPackages',
  tags: ['Reports'],
  summary: 'The installed packages',
  description:
    'From the databases of dpkg, apk and rpm and the metadata of npm and Python packages, sorted by type and name.',
  request: { query: z.strictObject({ ...imageQuery, limit, cursor }) },
  responses: {
    200: list('The packages.', packagePageSchema, packageSchema),
    202: pending,
    ...problems('analysed'),
  },
})

export function addPackages(app: App, backend: Backend): void {
  app.openapi(listPackages, (c) =>
    answerList(backend, c, c.req.valid('query'), async ({ image }) =>
      inOrder({ from: await packagesOf(backend.host.store, image), show: (row) => plainRow(PACKAGES, row) }),
    ),
  )
}
