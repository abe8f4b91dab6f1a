import { createRoute, z } from '@hono/zod-openapi'
import { answerAnalysed } from '../answers.ts'
import type { App, Backend } from '../backend.ts'
import { json, pending, problems } from '../openapi/describe.ts'
import { imageQuery } from '../parameters.ts'
import { reportSchema } from './report.schema.ts'

const getReport = createRoute({
  method: 'get',
  path: '/v1/report',
  operationId: 'getReport',
  tags: ['Reports'],
  summary: 'What is inside an image',
  description:
    'Sizes, counts, layers, waste, duplicates, efficiency, the largest files and directories, packages and warnings. The first request starts the analysis: ask again, or use `wait`.',
  request: { query: z.strictObject(imageQuery) },
  responses: {
    200: json('The report.', reportSchema),
    202: pending,
    ...problems('analysed'),
  },
})

export function addReport(app: App, backend: Backend): void {
  app.openapi(getReport, (c) =>
    answerAnalysed(
      backend,
      c,
      { query: c.req.valid('query'), form: { contentType: 'application/json', pending: 'accepted' } },
      ({ image, facts }) => JSON.stringify({ image: image.identity, ...facts }),
    ),
  )
}
