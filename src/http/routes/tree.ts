/** The sizes of directories, as far below one as the caller asks. */

import { createRoute, z } from '@hono/zod-openapi'
import { treeMarkdown, treeText } from '../../formats/tree-text.ts'
import { imageTree, layerTree, type TreeNode, type TreeShape } from '../../image/tree.ts'
import type { OpenedImage } from '../../open/open-image.ts'
import { directoriesTable, filesTable, membersTable } from '../../service/images/image-tables.ts'
import { toJson } from '../../text/json.ts'
import type { PathKey } from '../../text/path.ts'
import { answerAnalysed } from '../answers.ts'
import type { App, Backend } from '../backend.ts'
import { chosenForm, contentTypeOf } from '../negotiation.ts'
import { json, pending, problems } from '../openapi/describe.ts'
import {
  directory,
  format,
  imageQuery,
  integer,
  layer,
  PAGE_LIMIT,
  pathBase64,
  styleOf,
  type TextQuery,
  textQuery,
} from '../parameters.ts'
import { pathAsked } from '../paths.ts'
import { treeSchema } from './files.schema.ts'

const FORMATS = ['json', 'markdown', 'text'] as const

const getTree = createRoute({
  method: 'get',
  path: '/v1/tree',
  operationId: 'getTree',
  tags: ['Reports'],
  summary: 'The sizes below a directory',
  description:
    'As `du --apparent-size -l` shows them: every path of a hard link counts, directories themselves are 0.',
  request: {
    query: z.strictObject({
      ...imageQuery,
      path: directory,
      pathBase64,
      depth: integer({ min: 1, max: 10 }, 'Levels below it. A very large tree omits the deepest.')
        .default(1)
        .openapi({ default: 1 }),
      layer,
      limit: integer({ min: 1, max: 1000 }, 'Children of each directory.')
        .default(PAGE_LIMIT)
        .openapi({ default: PAGE_LIMIT }),
      format: format(FORMATS),
      ...textQuery,
    }),
  },
  responses: {
    200: json('The directory.', treeSchema, ['text/plain', 'text/markdown']),
    202: pending,
    ...problems('image'),
  },
})

export function addTree(app: App, backend: Backend): void {
  app.openapi(getTree, (c) => {
    const query = c.req.valid('query')
    const key = pathAsked(query) ?? ''
    const chosen = chosenForm(c, query.format, FORMATS)
    const form = {
      contentType: contentTypeOf(chosen),
      pending: chosen === 'json' ? 'accepted' : 'unavailable',
    } as const
    return answerAnalysed(backend, c, { query, form }, async ({ image }) => {
      const { reference, platform } = image.identity
      const place = query.layer === undefined ? platform : `${platform}, layer ${query.layer}`
      return write(`${reference} (${place})`, await treeOf(backend, image, key, query), chosen, query)
    })
  })
}

async function treeOf(
  { host: { store } }: Backend,
  image: OpenedImage,
  key: PathKey,
  shape: TreeShape & { readonly layer?: number | undefined },
): Promise<TreeNode> {
  if (shape.layer !== undefined) return layerTree(await membersTable(store, image, shape.layer), key, shape)
  const [files, directories] = await Promise.all([filesTable(store, image), directoriesTable(store, image)])
  return imageTree({ files, directories }, key, shape)
}

function write(subject: string, tree: TreeNode, form: (typeof FORMATS)[number], style: TextQuery): string {
  switch (form) {
    case 'json':
      return toJson(tree)
    case 'text':
      return treeText(subject, tree, styleOf(style))
    case 'markdown':
      return treeMarkdown(subject, tree)
  }
}
