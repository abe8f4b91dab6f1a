/** What a machine that has one image downloads for another, and why. */

import { createRoute, z } from '@hono/zod-openapi'
import { updateMarkdown } from '../../formats/update-markdown.ts'
import { updateText } from '../../formats/update-text.ts'
import { updateBetween } from '../../service/images/update.ts'
import { toJson } from '../../text/json.ts'
import type { Update } from '../../update/update.ts'
import type { App, Backend } from '../backend.ts'
import { chosenForm, contentTypeOf } from '../negotiation.ts'
import { json, pending, problems } from '../openapi/describe.ts'
import { answerPair, pairQuery } from '../pairs.ts'
import { format, styleOf, type TextQuery, textQuery } from '../parameters.ts'
import { updateSchema } from './update.schema.ts'

const FORMATS = ['json', 'markdown', 'text'] as const

const getUpdate = createRoute({
  method: 'get',
  path: '/v1/update',
  operationId: 'getUpdate',
  tags: ['Updates'],
  summary: 'What an update pulls, and why',
  description:
    '`pull` is what a machine with `from` downloads for `to`; `causes` say what of it need not be.',
  request: { query: z.strictObject({ ...pairQuery, format: format(FORMATS), ...textQuery }) },
  responses: {
    200: json('The update.', updateSchema, ['text/markdown', 'text/plain']),
    202: pending,
    ...problems('image'),
  },
})

export function addUpdate(app: App, backend: Backend): void {
  app.openapi(getUpdate, (c) => {
    const query = c.req.valid('query')
    const name = chosenForm(c, query.format, FORMATS)
    const form = {
      contentType: contentTypeOf(name),
      pending: name === 'json' ? 'accepted' : 'unavailable',
    } as const
    return answerPair(backend, c, { query, form }, async (pair) =>
      write(await updateBetween(backend.host, pair, c.req.raw.signal), name, query),
    )
  })
}

function write(update: Update, form: (typeof FORMATS)[number], style: TextQuery): string {
  switch (form) {
    case 'json':
      return toJson(update)
    case 'text':
      return updateText(update, styleOf(style))
    case 'markdown':
      return updateMarkdown(update)
  }
}
