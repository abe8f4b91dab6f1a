import { createRoute, z } from '@hono/zod-openapi'
import { imageTree, layerTree } from '../../image/tree.ts'
import { directoriesTable, filesTable, membersTable } from '../../service/tables.ts'
import { answerAnalysed } from '../answers.ts'
import type { App, Backend } from '../backend.ts'
import { json, pending, problems } from '../openapi/describe.ts'
import { imageQuery, integer, layer, PAGE_LIMIT, pathBase64 } from '../parameters.ts'
import { pathAsked } from '../paths.ts'
import { treeSchema } from './files.schema.ts'

const getTree = createRoute({
  method: 'get',
  path: '/v1/tree',
  operationId: 'getTree',
  tags: ['Reports'],
  summary: 'The sizes below a directory',
  description:
    'A directory as `du --apparent-size -l` shows it: every path of a hard link counts, directories themselves are 0. Children are sorted by size, largest first.',
  request: {
    query: z.strictObject({
      ...imageQuery,
      path: z.string().optional().openapi({
        description: 'The directory; the root by default.',
        example: 'usr/lib',
      }),
      pathBase64,
      depth: integer(
        { min: 1, max: 10 },
        {
          description: 'Levels below the directory. Of a very large tree the deepest levels are left out.',
          example: 2,
        },
      )
        .default(1)
        .openapi({ default: 1 }),
      layer: layer.openapi({
        description: 'Only this layer. By default the merged file system.',
      }),
      limit: integer({ min: 1, max: 1000 }, { description: 'Children of each directory.', example: 20 })
        .default(PAGE_LIMIT)
        .openapi({ default: PAGE_LIMIT }),
    }),
  },
  responses: {
    200: json('The directory.', treeSchema),
    202: pending,
    ...problems('analysed', { 404: ['path_not_found'] }),
  },
})

export function addTree(app: App, backend: Backend): void {
  const { store } = backend.host
  app.openapi(getTree, (c) => {
    const query = c.req.valid('query')
    const key = pathAsked(query) ?? ''
    const form = { contentType: 'application/json', pending: 'accepted' } as const
    return answerAnalysed(backend, c, { query, form }, async ({ image }) => {
      if (query.layer !== undefined) {
        return JSON.stringify(await layerTree(await membersTable(store, image, query.layer), key, query))
      }
      const [files, directories] = await Promise.all([
        filesTable(store, image),
        directoriesTable(store, image),
      ])
      return JSON.stringify(await imageTree({ files, directories }, key, query))
    })
  })
}
