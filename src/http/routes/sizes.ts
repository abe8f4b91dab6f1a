/** What each tool says of the size of an image: `docker image ls` shows another number than a registry. */

import { createRoute, z } from '@hono/zod-openapi'
import { csvHeader, csvItem } from '../../formats/csv.ts'
import { type SizesView, sizesMarkdown, sizesText } from '../../formats/sizes-text.ts'
import { sizesOf } from '../../service/images/sizes.ts'
import { toJson } from '../../text/json.ts'
import { answerAnalysed } from '../answers.ts'
import type { App, Backend } from '../backend.ts'
import { chosenForm, contentTypeOf, type ListFormName } from '../negotiation.ts'
import { list, pending, problems } from '../openapi/describe.ts'
import { format, imageQuery, styleOf, type TextQuery, textQuery } from '../parameters.ts'
import { sizesSchema, toolSizeSchema } from './sizes.schema.ts'

const FORMATS = ['json', 'ndjson', 'csv', 'markdown', 'text'] as const
const COLUMNS = Object.keys(toolSizeSchema.shape)

const route = createRoute({
  method: 'get',
  path: '/v1/sizes',
  operationId: 'getSizes',
  tags: ['Images'],
  summary: 'What each tool says of the size of an image, and why',
  description: 'By formulas that were measured with Docker 26.1, containerd 1.7 and podman 5.4.',
  request: { query: z.strictObject({ ...imageQuery, format: format(FORMATS), ...textQuery }) },
  responses: {
    200: list('The sizes.', sizesSchema, toolSizeSchema, ['text/plain', 'text/markdown']),
    202: pending,
    ...problems('image'),
  },
})

export function addSizes(app: App, backend: Backend): void {
  app.openapi(route, (c) => {
    const query = c.req.valid('query')
    const form = chosenForm(c, query.format, FORMATS)
    const pending = form === 'json' ? 'accepted' : 'unavailable'
    return answerAnalysed(
      backend,
      c,
      { query, form: { contentType: contentTypeOf(form), pending } },
      async (analysed) => {
        const items = await sizesOf(backend.host.store, analysed)
        return write({ image: analysed.image.identity, items }, form, query)
      },
    )
  })
}

function write(view: SizesView, form: ListFormName, style: TextQuery): string {
  switch (form) {
    case 'json':
      return toJson(view)
    case 'ndjson':
      return view.items.map((item) => `${toJson(item)}\n`).join('')
    case 'csv':
      return csvHeader(COLUMNS) + view.items.map((item) => csvItem(COLUMNS, item)).join('')
    case 'markdown':
      return sizesMarkdown(view)
    case 'text':
      return sizesText(view, styleOf(style))
  }
}
