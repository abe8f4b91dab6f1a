/** What the tags of a repository store, and what deleting some of them frees. Reads no layer. */

import { createRoute, z } from '@hono/zod-openapi'
import { csvHeader, csvItem } from '../../formats/csv.ts'
import { drawStorage } from '../../formats/storage-svg.ts'
import { storageMarkdown, storageText } from '../../formats/storage-text.ts'
import type { StorageView } from '../../formats/storage-view.ts'
import { Problem } from '../../problem.ts'
import { readStorage } from '../../service/fleet/storage.ts'
import type { Ledger } from '../../storage/ledger.ts'
import { reclaimOf, type StorageItem, storageItems, storageTotal } from '../../storage/storage.ts'
import { toJson } from '../../text/json.ts'
import { cacheControl } from '../answers.ts'
import type { App, Backend } from '../backend.ts'
import { callerCredentials } from '../caller.ts'
import { decodeCursor, encodeCursor, refused } from '../cursor.ts'
import { taggedAnswer } from '../middleware/conditional.ts'
import { chosenForm, contentTypeOf, FORMS, type FormName } from '../negotiation.ts'
import { json, list, problems } from '../openapi/describe.ts'
import { cursor, integer, PAGE_LIMIT, styleOf, type TextQuery, textQuery } from '../parameters.ts'
import { problemBody } from '../problems.ts'
import { deletionOf, storageQuery } from '../storage-query.ts'
import { repositoryOf } from './registry.ts'
import { storageItemSchema, storageProgressSchema, storageSchema } from './storage.schema.ts'

const FORMATS = ['json', 'ndjson', 'markdown', 'text', 'csv', 'svg'] as const

const COLUMNS = ['name', 'digest', 'bytes', 'uniqueBytes', 'sharedBytes', 'created', 'problem']
const MAX_WAIT = 300
const RETRY_AFTER_SECONDS = 1

const query = z.strictObject({
  ...storageQuery,
  wait: integer({ min: 0, max: MAX_WAIT }, 'Seconds to read tags; then the answer is 202.')
    .default(MAX_WAIT)
    .openapi({ default: MAX_WAIT }),
  limit: integer(
    { min: 1, max: 1000 },
    'Tags per page; JSON has 100 by default, other forms all.',
  ).optional(),
  cursor: cursor.openapi({ description: 'The `nextCursor` of the previous page.' }),
  format: z.enum(FORMATS).optional().openapi({
    description: 'Overrides `Accept`. `ndjson` and `csv` are the tags, `svg` a bar for each.',
  }),
  ...textQuery,
})

type Query = z.infer<typeof query>

const route = createRoute({
  method: 'get',
  path: '/v1/storage',
  operationId: 'getStorage',
  tags: ['Images'],
  summary: 'What the tags of a repository store, and what deleting some of them frees',
  description: 'From manifests and configs alone, for up to 1,000 tags. Deletes nothing.',
  request: { query },
  responses: {
    200: list('The tags.', storageSchema, storageItemSchema, [
      'text/markdown',
      'text/plain',
      'image/svg+xml',
    ]),
    202: json('Not ready yet. `Retry-After` says when to retry.', storageProgressSchema),
    ...problems('registry', [413]),
  },
})

export function addStorage(app: App, backend: Backend): void {
  app.openapi(route, async (c) => {
    const asked = c.req.valid('query')
    const { registry, repository } = repositoryOf(asked.repository)
    const name = `${registry}/${repository}`
    const deletion = deletionOf(asked)
    const place =
      asked.cursor === undefined ? undefined : String(decodeCursor(asked.cursor, pinned(asked)).at)
    const format = chosenForm(c, asked.format, FORMATS)
    const { ledger, isPublic } = await readStorage(backend, {
      repository: { registry, repository },
      credentials: callerCredentials(backend.host.configuration, c, [name]),
      tags: asked.tag,
      wait: asked.wait,
      signal: c.req.raw.signal,
    })
    if (ledger.left.length > 0) return pending(ledger, format)
    const items = storageItems(ledger, asked.sort)
    const reclaim = deletion && reclaimOf(ledger, deletion)
    const { shown, next } = pageOf(items, place, asked.limit ?? (format === 'json' ? PAGE_LIMIT : undefined))
    const view = { repository: name, total: storageTotal(ledger), items: shown, reclaim }
    const nextCursor = next && encodeCursor({ pins: [], at: next }, pinned(asked))
    const body = write({ ...view, hasMore: next !== undefined }, { format, nextCursor, style: asked })
    const headers = new Headers({
      'Cache-Control': cacheControl(backend, { isPublic, isFixed: false }),
      'Content-Type': contentTypeOf(format),
    })
    return taggedAnswer(c, body, headers)
  })
}

/** What a cursor belongs to: pages may differ in how long they wait, and in their form. */
function pinned({
  format: _,
  color: _color,
  columns: _columns,
  ...query
}: Query): Omit<Query, 'format' | 'color' | 'columns'> {
  return query
}

/** @throws Problem `analysis_pending` unless the answer is JSON */
function pending(ledger: Ledger, format: FormName): Response {
  const tags = ledger.names.length
  const tagsDone = tags - ledger.left.length
  if (format !== 'json') {
    const detail = `${tagsDone} of ${tags} tags are read; ask again to read on`
    throw new Problem('analysis_pending', detail, { retryAfter: RETRY_AFTER_SECONDS })
  }
  return new Response(toJson({ status: 'running', tags, tagsDone }), {
    status: 202,
    headers: {
      'Content-Type': FORMS.json,
      'Cache-Control': 'no-store',
      'Retry-After': String(RETRY_AFTER_SECONDS),
    },
  })
}

/** @param place the name of its first tag */
function pageOf(
  items: readonly StorageItem[],
  place: string | undefined,
  limit = items.length,
): { readonly shown: readonly StorageItem[]; readonly next: string | undefined } {
  const begin = place === undefined ? 0 : items.findIndex(({ name }) => name === place)
  if (begin < 0)
    throw refused(`belongs to a list with the tag ${place}, which is gone: start again without it`)
  return { shown: items.slice(begin, begin + limit), next: items[begin + limit]?.name }
}

type Form = {
  readonly format: FormName
  readonly nextCursor: string | undefined
  readonly style: TextQuery
}

function write(view: StorageView, { format, nextCursor, style }: Form): string {
  switch (format) {
    case 'json':
      return toJson({
        total: view.total,
        items: view.items.map(bodyOf),
        reclaim: view.reclaim,
        nextCursor,
      })
    case 'ndjson':
      return view.items.map((item) => `${toJson(bodyOf(item))}\n`).join('')
    case 'csv':
      return csvHeader(COLUMNS) + view.items.map((item) => csvItem(COLUMNS, bodyOf(item))).join('')
    case 'text':
      return storageText(view, styleOf(style))
    case 'markdown':
      return storageMarkdown(view)
    case 'svg':
      return drawStorage(view)
  }
}

function bodyOf(item: StorageItem) {
  return 'problem' in item ? { name: item.name, problem: problemBody(item.problem) } : item
}
