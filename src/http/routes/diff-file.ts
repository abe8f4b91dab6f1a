import { createRoute, z } from '@hono/zod-openapi'
import { allOf } from '../../concurrency.ts'
import { diffTextFiles, type FileSource, formatTextDiff, type TextDiff } from '../../diff/text.ts'
import type { Host } from '../../host.ts'
import { findFile } from '../../image/lookup.ts'
import { Problem } from '../../problem.ts'
import type { AnalysedImage } from '../../service/analyse.ts'
import { openContent } from '../../service/content.ts'
import type { Pair } from '../../service/diff.ts'
import type { OpenedImage } from '../../service/open.ts'
import { filesTable } from '../../service/tables.ts'
import { toHex } from '../../text/bytes.ts'
import { type PathKey, showPath } from '../../text/path.ts'
import type { App, Backend } from '../backend.ts'
import { preferredType } from '../negotiation.ts'
import { pending, problems } from '../openapi/describe.ts'
import { answerPair, pairQuery } from '../pairs.ts'
import { integer, pathBase64 } from '../parameters.ts'
import { pathAsked } from '../paths.ts'
import { textDiffSchema } from './diff.schema.ts'

const EXAMPLE = `--- a/etc/debian_version\tsha256:5d2ff9… 5 bytes
+++ b/etc/debian_version\tsha256:7a4f71… 5 bytes
@@ -1,1 +1,1 @@
-13.5
+13.6
`

const diffFile = createRoute({
  method: 'get',
  path: '/v1/diff/file',
  operationId: 'diffFile',
  tags: ['Diffs'],
  summary: 'What changed in one text file',
  description:
    'A unified diff, or the same as JSON. For text files up to 1 MiB; for binary files it only says that they differ. If the texts differ in too many places, the diff replaces everything at once; the text then begins with a line that says so, and the JSON has `coarse`.',
  request: {
    query: z.strictObject({
      ...pairQuery,
      path: z.string().optional().openapi({
        description: 'The path in both images. Either `path` or `pathBase64` is required.',
        example: 'etc/os-release',
      }),
      pathBase64,
      context: integer(
        { min: 0, max: 100 },
        { description: 'Lines of context around each change.', example: 3 },
      )
        .default(3)
        .openapi({ default: 3 }),
      format: z.enum(['text', 'json']).optional().openapi({
        description: 'Format of the diff, `text` by default; overrides `Accept`.',
        example: 'json',
      }),
    }),
  },
  responses: {
    200: {
      description: 'The diff.',
      content: {
        'text/plain': { schema: { type: 'string' }, example: EXAMPLE },
        'application/json': { schema: textDiffSchema },
      },
    },
    202: pending,
    ...problems('analysed', { 404: ['path_not_found'] }),
  },
})

export function addDiffFile(app: App, backend: Backend): void {
  const { host } = backend
  app.openapi(diffFile, async (c) => {
    const query = c.req.valid('query')
    const key = pathAsked(query)
    if (key === undefined)
      throw new Problem('invalid_parameter', 'path or pathBase64 is required', { parameter: 'path' })
    const accepted = preferredType(c.req.header('Accept'), ['text/plain', 'application/json'])
    const isJson = query.format === undefined ? accepted === 'application/json' : query.format === 'json'
    const form = isJson
      ? ({ contentType: 'application/json', pending: 'accepted' } as const)
      : ({ contentType: 'text/plain; charset=utf-8', pending: 'unavailable' } as const)
    return answerPair(backend, c, { query, form }, async (pair) => {
      const diff = await textDiffOf(host, pair, { key, context: query.context })
      return isJson ? JSON.stringify(diff) : formatTextDiff(diff)
    })
  })
}

/**
 * @param question.context lines around each change
 * @throws Problem `path_not_found` if neither image has a regular file there, `too_large`
 */
export async function textDiffOf(
  host: Host,
  pair: Pair<AnalysedImage>,
  { key, context }: { readonly key: PathKey; readonly context: number },
): Promise<TextDiff> {
  const [from, to] = await allOf([sideOf(host, pair.from.image, key), sideOf(host, pair.to.image, key)])
  if (from === undefined && to === undefined) {
    const { path } = showPath(key)
    throw new Problem('path_not_found', `${JSON.stringify(path)} does not exist in either image`)
  }
  return diffTextFiles({ ...showPath(key), from, to }, { context })
}

/** Undefined if the image has no regular file there. */
async function sideOf(host: Host, image: OpenedImage, key: PathKey): Promise<FileSource | undefined> {
  try {
    const file = await findFile(await filesTable(host.store, image), key)
    return { sha256: toHex(file.sha256), bytes: file.bytes, open: () => openContent(host, image, file) }
  } catch (error) {
    if (error instanceof Problem && error.code === 'path_not_found') return undefined
    throw error
  }
}
