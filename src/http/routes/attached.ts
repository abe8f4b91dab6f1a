/** What is attached to an image: attestations, signatures, bills of materials. */
import { createRoute, z } from '@hono/zod-openapi'
import { type Attached, type AttachedItem, requireComplete } from '../../attached/items.ts'
import { KINDS, type Kind } from '../../attached/kinds.ts'
import { attachedMarkdown, attachedText } from '../../formats/attached-text.ts'
import { csvHeader, csvItem } from '../../formats/csv.ts'
import type { OpenedImage } from '../../open/open-image.ts'
import { Problem } from '../../problem.ts'
import { listAttached } from '../../service/attached/list.ts'
import { toJson } from '../../text/json.ts'
import { cacheControl, openFor } from '../answers.ts'
import type { App, Backend } from '../backend.ts'
import { decodeCursor, encodeCursor, refused } from '../cursor.ts'
import { taggedAnswer } from '../middleware/conditional.ts'
import { chosenForm, contentTypeOf, type ListFormName } from '../negotiation.ts'
import { list, problems } from '../openapi/describe.ts'
import {
  cursor,
  format,
  image,
  integer,
  PAGE_LIMIT,
  platform,
  repeatable,
  styleOf,
  type TextQuery,
  textQuery,
} from '../parameters.ts'
import { attachedItemSchema, attachedSchema } from './attached.schema.ts'

const FORMATS = ['json', 'ndjson', 'csv', 'markdown', 'text'] as const
const COLUMNS = Object.keys(attachedItemSchema.shape)

const query = z.strictObject({
  image,
  platform,
  kind: repeatable(`Only these: ${KINDS.map((kind) => `\`${kind}\``).join(', ')}.`).optional(),
  limit: integer(
    { min: 1, max: 1000 },
    'Items per page; JSON has 100 by default, other forms all.',
  ).optional(),
  cursor: cursor.openapi({ description: 'The `nextCursor` of the previous page.' }),
  format: format(FORMATS),
  ...textQuery,
})

type Query = z.infer<typeof query>

const getAttached = createRoute({
  method: 'get',
  path: '/v1/attached',
  operationId: 'listAttached',
  tags: ['Images'],
  summary: 'What is attached to an image: attestations, signatures, bills of materials',
  description:
    'By the index, the referrers API, its fallback tag and the tags of cosign. Nothing is verified. If something cannot be read, `complete` is `false`; CSV and NDJSON, which cannot say so, are then a `502`.',
  request: { query },
  responses: {
    200: list('What is attached.', attachedSchema, attachedItemSchema, ['text/markdown', 'text/plain']),
    ...problems('image'),
  },
})

export function addAttached(app: App, backend: Backend): void {
  app.openapi(getAttached, async (c) => {
    const asked = c.req.valid('query')
    const kinds = kindsOf(asked.kind)
    const start =
      asked.cursor === undefined ? undefined : String(decodeCursor(asked.cursor, pinned(asked)).at)
    const form = chosenForm(c, asked.format, FORMATS)
    const opened = await openFor(backend, c, asked)
    const attached = await listAttached(backend, opened, { signal: c.req.raw.signal })
    if (form === 'csv' || form === 'ndjson') requireComplete(attached)
    const items = attached.items.filter(({ kind }) => kinds === undefined || kinds.has(kind))
    const limit = asked.limit ?? (form === 'json' ? PAGE_LIMIT : undefined)
    const { shown, next } = pageOf(items, start, limit)
    const nextCursor = next && encodeCursor({ pins: [], at: next }, pinned(asked))
    const page = { image: opened, attached, shown, count: items.length, nextCursor }
    const isPublic = opened.source.isPublic && attached.complete
    const headers = new Headers({
      'Content-Type': contentTypeOf(form),
      'Cache-Control': cacheControl(backend, { isPublic, isFixed: false }),
    })
    return taggedAnswer(c, write(page, form, asked), headers)
  })
}

/** What a cursor belongs to. */
function pinned({ format: _, color: _color, columns: _columns, ...others }: Query) {
  return others
}

function kindsOf(given: readonly string[] | undefined): ReadonlySet<Kind> | undefined {
  if (given === undefined) return undefined
  const kinds = KINDS.filter((kind) => given.includes(kind))
  const unknown = given.find((one) => !kinds.some((kind) => kind === one))
  if (unknown === undefined) return new Set(kinds)
  const detail = `kind is ${JSON.stringify(unknown)}; use ${KINDS.join(', ')}`
  throw new Problem('invalid_parameter', detail, { parameter: 'kind' })
}

/** @param start names the first item; the list may have grown since the page before */
function pageOf(
  items: readonly AttachedItem[],
  start: string | undefined,
  limit = items.length,
): { readonly shown: readonly AttachedItem[]; readonly next: string | undefined } {
  const names = namesOf(items)
  const begin = start === undefined ? 0 : names.indexOf(start)
  if (begin < 0)
    throw refused('belongs to a list with an item that is no longer attached: start again without it')
  return { shown: items.slice(begin, begin + limit), next: names[begin + limit] }
}

/** A manifest's digest, and which of its items it is. */
function namesOf(items: readonly AttachedItem[]): readonly string[] {
  const counts = new Map<string, number>()
  return items.map(({ manifest }) => {
    const count = counts.get(manifest) ?? 0
    counts.set(manifest, count + 1)
    return `${manifest} ${count}`
  })
}

type Page = {
  readonly image: OpenedImage
  readonly attached: Attached
  readonly shown: readonly AttachedItem[]
  /** Of all pages. */
  readonly count: number
  readonly nextCursor: string | undefined
}

function write(page: Page, form: ListFormName, style: TextQuery): string {
  const { shown: items, count, image: opened, attached } = page
  const view = { ...attached, image: opened.identity, items, count }
  switch (form) {
    case 'json':
      return toJson(bodyOf(page))
    case 'ndjson':
      return items.map((item) => `${toJson(item)}\n`).join('')
    case 'csv':
      return csvHeader(COLUMNS) + items.map((item) => csvItem(COLUMNS, item)).join('')
    case 'text':
      return attachedText(view, styleOf(style))
    case 'markdown':
      return attachedMarkdown(view)
  }
}

function bodyOf({ image: opened, attached, shown, nextCursor }: Page) {
  const found = attached.problems.map(({ source, problem }) => ({
    source,
    code: problem.code,
    detail: problem.message,
  }))
  return {
    image: opened.identity,
    subjects: attached.subjects,
    items: shown,
    complete: attached.complete,
    ...(found.length === 0 ? {} : { problems: found }),
    verified: false,
    nextCursor,
  }
}
