/** The bytes of what is attached to an image. */
import { createRoute, z } from '@hono/zod-openapi'
import type { SbomFormat } from '../../attached/kinds.ts'
import { SBOM_MEDIA_TYPES } from '../../export/sbom.ts'
import {
  attachedBytes,
  attachedSbom,
  attachedStatement,
  requireStreamable,
} from '../../service/attached/content.ts'
import { findAttached } from '../../service/attached/list.ts'
import { pathToKey } from '../../text/path.ts'
import { cacheControl, type ImageQuery, openFor } from '../answers.ts'
import { attachment } from '../attachment.ts'
import { type App, type Backend, logCut, type RequestContext } from '../backend.ts'
import { entityTag, isUnchanged, notModified } from '../middleware/conditional.ts'
import { requireOtherThread } from '../offload.ts'
import { problems } from '../openapi/describe.ts'
import { digest } from '../openapi/fields.ts'
import { image, platform } from '../parameters.ts'
import { streamBody } from '../stream.ts'

const PARTS = ['raw', 'statement', 'predicate'] as const
const JSON_TYPE = 'application/json'
const TEXT_TYPE = 'text/plain; charset=utf-8'
const BINARY_TYPE = 'application/octet-stream'
const EXTENSIONS = { [JSON_TYPE]: '.json', [TEXT_TYPE]: '.txt', [BINARY_TYPE]: '' } as const

const getContent = createRoute({
  method: 'get',
  path: '/v1/attached/content',
  operationId: 'getAttachedContent',
  tags: ['Images'],
  summary: 'The content of one attached item',
  description:
    'Verified by its digest: a failure breaks the connection. Always an attachment of at most 64 MiB; what is taken out of an envelope may have 16 MiB. No signature is checked.',
  request: {
    query: z.strictObject({
      image,
      platform,
      digest: digest('The `digest` of an item of `/v1/attached`'),
      as: z.enum(PARTS).default('raw').openapi({
        description:
          '`statement`: the in-toto statement in a DSSE envelope or a Sigstore bundle; `predicate`: what that says.',
      }),
    }),
  },
  responses: {
    200: {
      description: 'The content; its type is JSON, text or neither, by its media type.',
      content: {
        [JSON_TYPE]: { schema: {} },
        'text/plain': { schema: { type: 'string' } },
        [BINARY_TYPE]: { schema: { type: 'string', format: 'binary' } },
      },
    },
    ...problems('image'),
  },
})

export function addAttachedContent(app: App, backend: Backend): void {
  app.openapi(getContent, async (c) => {
    const query = c.req.valid('query')
    const part = query.as
    if (part !== 'raw') requireOtherThread(backend)
    const { signal } = c.req.raw
    const opened = await openFor(backend, c, query)
    const found = await findAttached(backend, opened, query.digest, { signal })
    const hex = found.digest.slice('sha256:'.length)
    const type = part === 'raw' ? typeOf(found.mediaType) : JSON_TYPE
    const headers = new Headers({
      ETag: part === 'raw' ? `"${hex}"` : `"${hex}-${part}"`,
      'Cache-Control': cacheControl(backend, { isPublic: opened.source.isPublic, isFixed: false }),
    })
    if (isUnchanged(c.req.header('If-None-Match'), headers.get('ETag') ?? '')) return notModified(headers)
    headers.set(
      'Content-Disposition',
      attachment(pathToKey(`attached-${hex.slice(0, 12)}${EXTENSIONS[type]}`)),
    )
    headers.set('Content-Security-Policy', "sandbox; default-src 'none'")
    headers.set('Content-Type', type)
    if (part !== 'raw') {
      const client = backend.clientOf(c)
      const body = await attachedStatement(backend, opened, found, { part, signal, client })
      return new Response(Buffer.from(body), { headers })
    }
    requireStreamable(found)
    headers.set('Content-Length', String(found.bytes))
    if (c.req.method === 'HEAD') return new Response(null, { headers })
    const body = await streamBody(
      (left) => attachedBytes(backend, opened, found, AbortSignal.any([signal, left])),
      (error) => logCut(backend, c, error),
    )
    return new Response(body, { headers })
  })
}

/** The answer of `/v1/sbom` with the one that is attached. */
export async function answerAttachedSbom(
  backend: Backend,
  c: RequestContext,
  { image: reference, platform: named, format }: ImageQuery & { readonly format: SbomFormat },
): Promise<Response> {
  requireOtherThread(backend)
  const opened = await openFor(backend, c, { image: reference, platform: named })
  const options = { signal: c.req.raw.signal, client: backend.clientOf(c) }
  const sbom = await attachedSbom(backend, opened, format, options)
  const tag = entityTag([c.req.path, 'attached', format, sbom.digest])
  const headers = new Headers({
    ETag: tag,
    'Cache-Control': cacheControl(backend, { isPublic: opened.source.isPublic, isFixed: false }),
  })
  if (isUnchanged(c.req.header('If-None-Match'), tag)) return notModified(headers)
  headers.set('Content-Type', SBOM_MEDIA_TYPES[format])
  return new Response(Buffer.from(await sbom.read()), { headers })
}

/** Never one that a browser runs. */
function typeOf(mediaType: string): keyof typeof EXTENSIONS {
  const type = mediaType.toLowerCase()
  if (/[+/]json$/.test(type)) return JSON_TYPE
  return type.startsWith('text/') ? TEXT_TYPE : BINARY_TYPE
}
