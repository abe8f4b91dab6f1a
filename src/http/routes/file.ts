/** Downloads one file from an image; nothing of it is stored. */
import { createRoute, z } from '@hono/zod-openapi'
import { resolvePath } from '../../service/inside/resolve.ts'
import { cacheControl, cacheInputs, factsInTime, openFor } from '../answers.ts'
import { attachment, sniff } from '../attachment.ts'
import { type App, type Backend, logCut } from '../backend.ts'
import { isUnchanged, notModified } from '../middleware/conditional.ts'
import { problems } from '../openapi/describe.ts'
import { imageQuery, layer, path, pathBase64 } from '../parameters.ts'
import { requirePath } from '../paths.ts'

const getFile = createRoute({
  method: 'get',
  path: '/v1/file',
  operationId: 'getFile',
  tags: ['Reports'],
  summary: 'The content of one file',
  description:
    'Streamed from the registry; where possible, only the part of the layer that holds the file is read. Symbolic links are followed inside the image. A path may lead into archives: `app.jar!/lib/x.jar`. Always an attachment; the `ETag` is the SHA-256 of the content, and in an archive that of the archive and the path.',
  request: {
    query: z.strictObject({
      ...imageQuery,
      path,
      pathBase64,
      layer,
    }),
  },
  responses: {
    200: {
      description: 'The content; `text/plain` if it begins as UTF-8.',
      content: {
        'text/plain': { schema: { type: 'string' } },
        'application/octet-stream': { schema: { type: 'string', format: 'binary' } },
      },
    },
    ...problems('image'),
  },
})

export function addFile(app: App, backend: Backend): void {
  app.openapi(getFile, async (c) => {
    const query = c.req.valid('query')
    const key = requirePath(query)
    const image = await openFor(backend, c, query)
    await factsInTime(backend, c, image, query.wait)
    const { signal } = c.req.raw
    const file = await resolvePath(backend, image, { key, layer: query.layer, signal })
    const headers = new Headers({
      ETag: `"${file.tag}"`,
      'Cache-Control': cacheControl(backend, cacheInputs([image])),
    })
    if (isUnchanged(c.req.header('If-None-Match'), headers.get('ETag') ?? '')) return notModified(headers)
    headers.set('Content-Disposition', attachment(key))
    headers.set('Content-Security-Policy', "sandbox; default-src 'none'")
    headers.set('Content-Length', String(file.bytes))
    // The type depends on the content, which a HEAD does not read.
    if (c.req.method === 'HEAD') return new Response(null, { headers })
    const { type, body } = await sniff(await file.open(), (error) => logCut(backend, c, error))
    headers.set('Content-Type', type)
    return new Response(body, { headers })
  })
}
