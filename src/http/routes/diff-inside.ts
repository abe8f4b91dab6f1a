/** What changed inside one file between two images. */
import { createRoute, z } from '@hono/zod-openapi'
import { allOf } from '../../concurrency.ts'
import { PART_CHANGES_TABLE } from '../../formats/inside-tables.ts'
import { diffInside, type PartChange } from '../../service/inside/diff-inside.ts'
import { resolvePath } from '../../service/inside/resolve.ts'
import { encodeText } from '../../text/bytes.ts'
import { keyToPath, pathToKey, showPath } from '../../text/path.ts'
import type { App, Backend } from '../backend.ts'
import { globFilter } from '../glob-filter.ts'
import { listOf } from '../lists.ts'
import { chosenForm } from '../negotiation.ts'
import { list, pending, problems } from '../openapi/describe.ts'
import { answerPairList, pairQuery } from '../pairs.ts'
import { cursor, format, glob, limit, optional, path, pathBase64, textQuery } from '../parameters.ts'
import { pathAsked, requirePath } from '../paths.ts'
import { changeKindSchema } from './diff.schema.ts'
import { insideDiffSchema, partChangeSchema } from './inside.schema.ts'

const FORMATS = ['json', 'ndjson', 'csv', 'markdown', 'text'] as const

const query = z.strictObject({
  ...pairQuery,
  path,
  pathBase64,
  toPath: optional('The path in the second image, if it differs.'),
  of: z.literal('sections').optional().openapi({
    description: 'Sections even if the modules of both programs are known.',
  }),
  change: changeKindSchema.optional().openapi({ description: 'Only changes of this kind.' }),
  glob,
  sort: z.enum(['-delta', 'path']).default('-delta').openapi({
    description: 'By absolute delta, largest first, or by path.',
  }),
  limit,
  cursor,
  format: format(FORMATS),
  ...textQuery,
})

const diffInsideRoute = createRoute({
  method: 'get',
  path: '/v1/diff/inside',
  operationId: 'diffInside',
  tags: ['Diffs'],
  summary: 'What changed inside one file',
  description: 'Entries of archives, modules of Go programs, sections of ELF files.',
  request: { query },
  responses: {
    200: list('The changes.', insideDiffSchema, partChangeSchema, ['text/plain', 'text/markdown']),
    202: pending,
    ...problems('image'),
  },
})

export function addDiffInside(app: App, backend: Backend): void {
  app.openapi(diffInsideRoute, (c) => {
    const { format, color, columns, ...query } = c.req.valid('query')
    const key = requirePath(query)
    const toKey = query.toPath === undefined ? key : (pathAsked({ path: query.toPath }) ?? key)
    const matches = globFilter(query.glob)
    const { signal } = c.req.raw
    const form = {
      form: chosenForm(c, format, FORMATS),
      fields: Object.keys(partChangeSchema.shape),
      table: PART_CHANGES_TABLE,
      style: { color, columns },
    }
    return answerPairList<z.infer<typeof partChangeSchema>>(
      backend,
      c,
      { query, form },
      async ({ from, to }) => {
        const [before, after] = await allOf([
          resolvePath(backend, from.image, { key, signal }),
          resolvePath(backend, to.image, { key: toKey, signal }),
        ])
        const insides = await allOf([before.inside(), after.inside()])
        const keeps = ({ change, key: path, name = '' }: PartChange) =>
          (query.change === undefined || change === query.change) &&
          (matches?.(path === undefined ? name : keyToPath(path)) ?? true)
        const found = diffInside(insides[0], insides[1], query.of).filter(keeps)
        const changes =
          query.sort === 'path' ? found.toSorted((a, b) => (orderOf(a) < orderOf(b) ? -1 : 1)) : found
        return {
          listing: listOf(changes, show),
          total: `${showPath(key).path}: ${changes.length} changes`,
          facts: { kind: insides[0].kind },
        }
      },
    )
  })
}

function orderOf({ key, name = '' }: PartChange): string {
  return key ?? pathToKey(encodeText(name))
}

function show({ key, ...change }: PartChange): z.infer<typeof partChangeSchema> {
  return key === undefined ? change : { ...showPath(key), ...change }
}
