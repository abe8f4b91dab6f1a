/** The text diff of one file in two images. */

import { createRoute, z } from '@hono/zod-openapi'
import { allOf } from '../../concurrency.ts'
import { diffTextFiles, type FileSource, formatTextDiff, type ReadTextDiff } from '../../diff/text.ts'
import type { OpenedImage } from '../../open/open-image.ts'
import type { Service } from '../../open/service.ts'
import { Problem } from '../../problem.ts'
import type { AnalysedImage } from '../../service/images/analyse.ts'
import type { Pair } from '../../service/images/diff.ts'
import { type PathQuestion, resolvePath } from '../../service/inside/resolve.ts'
import { toJson } from '../../text/json.ts'
import { showPath } from '../../text/path.ts'
import type { App, Backend } from '../backend.ts'
import { preferredType } from '../negotiation.ts'
import { json, pending, problems } from '../openapi/describe.ts'
import { answerPair, pairQuery } from '../pairs.ts'
import { integer, path, pathBase64 } from '../parameters.ts'
import { pathAsked } from '../paths.ts'
import { textDiffSchema } from './diff.schema.ts'

const diffFile = createRoute({
  method: 'get',
  path: '/v1/diff/file',
  operationId: 'diffFile',
  tags: ['Diffs'],
  summary: 'What changed in one text file',
  description:
    'A unified diff, or the same as JSON, of texts up to 1 MiB; for other files, only that they differ. As `application/octet-stream` where a side is not UTF-8: the lines are the bytes of the files.',
  request: {
    query: z.strictObject({
      ...pairQuery,
      path,
      pathBase64,
      context: integer({ min: 0, max: 100 }, 'Lines of context around each change.')
        .default(3)
        .openapi({ default: 3 }),
      format: z.enum(['text', 'json']).optional().openapi({
        description: '`text` by default; overrides `Accept`.',
      }),
    }),
  },
  responses: {
    200: json('The diff.', textDiffSchema, ['text/plain', 'application/octet-stream']),
    202: pending,
    ...problems('image'),
  },
})

export function addDiffFile(app: App, backend: Backend): void {
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
      const read = await textDiffOf(backend, pair, { key, context: query.context, signal: c.req.raw.signal })
      return isJson ? toJson(read.diff) : patchOf(read)
    })
  })
}

/** A patch with other bytes than UTF-8 is not text. */
function patchOf(read: ReadTextDiff): BodyInit {
  const patch = formatTextDiff(read)
  return typeof patch === 'string' ? patch : new Blob([patch], { type: 'application/octet-stream' })
}

/**
 * @param question.context lines around each change
 * @throws Problem `path_not_found` if neither image has a regular file there, `too_large`
 */
export async function textDiffOf(
  service: Service,
  pair: Pair<AnalysedImage>,
  { key, context, signal }: PathQuestion & { readonly context: number },
): Promise<ReadTextDiff> {
  const [from, to] = await allOf([
    sideOf(service, pair.from.image, { key, signal }),
    sideOf(service, pair.to.image, { key, signal }),
  ])
  if (from === undefined && to === undefined) {
    const { path } = showPath(key)
    throw new Problem('path_not_found', `${JSON.stringify(path)} does not exist in either image`)
  }
  return diffTextFiles({ ...showPath(key), from, to }, { context })
}

/** Undefined if the image has no regular file there. */
async function sideOf(
  service: Service,
  image: OpenedImage,
  question: PathQuestion,
): Promise<FileSource | undefined> {
  try {
    const { tag, bytes, open } = await resolvePath(service, image, question)
    return { sha256: tag, bytes, open }
  } catch (error) {
    if (error instanceof Problem && error.code === 'path_not_found') return undefined
    throw error
  }
}
