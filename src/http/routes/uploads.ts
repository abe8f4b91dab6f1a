/** Archives that callers upload: stored, listed, deleted. */
import { createRoute, z } from '@hono/zod-openapi'
import { Problem } from '../../problem.ts'
import { within } from '../../timeout.ts'
import { admitUpload, deleteUpload, receiveUpload, type Upload } from '../../uploads/upload.ts'
import {
  completeUpload,
  openUploadInParts,
  readUploadOrParts,
  storePart,
} from '../../uploads/upload-in-parts.ts'
import type { App, Backend, RequestContext } from '../backend.ts'
import { json, problems } from '../openapi/describe.ts'
import { parsed } from '../problems.ts'
import { beginningUploadSchema, openUploadSchema, uploadIdSchema, uploadSchema } from './uploads.schema.ts'

const PATH = '/v1/uploads'
const HEADERS = { 'Cache-Control': 'private, no-cache' }

/** How long an upload waits until others have arrived. */
const PLACE_MILLISECONDS = 30_000
const RETRY_AFTER_SECONDS = 10

const nothing = z.strictObject({})
const params = z.strictObject({ id: uploadIdSchema })
const creation = z.strictObject({
  parts: z.literal('1').optional().openapi({
    description: 'Sends the archive in parts: the body is empty, and the answer says how large they are.',
  }),
})
/** More than the largest archive that may be allowed has. */
const MOST_PARTS = 999_999
const partParams = z.strictObject({
  id: uploadIdSchema,
  n: z
    .string()
    .regex(/^\d{1,6}$/)
    .openapi({ description: 'From 0.' }),
})
const completionSchema = z
  .strictObject({
    parts: z.number().int().min(1).max(MOST_PARTS).openapi({ description: 'How many there are.' }),
  })
  .openapi('Completion')

const description =
  'A tar of an OCI image layout or of Docker’s, plain, gzip or zstd, as `docker save`, `skopeo copy`, kaniko and others write it. Use its images as `upload:<id>`. It is deleted some time after its last use. `docker save app | curl -sS -T - "$LAMINA/v1/uploads"`'

const createUpload = (method: 'post' | 'put') =>
  createRoute({
    method,
    path: PATH,
    operationId: method === 'post' ? 'createUpload' : 'putUpload',
    tags: ['Uploads'],
    summary: 'Upload an image archive',
    description: method === 'post' ? description : 'As `POST`: what `curl -T` sends.',
    request: {
      query: creation,
      body: {
        description: 'The archive; nothing with `parts=1`.',
        content: { 'application/x-tar': { schema: { type: 'string', format: 'binary' } } },
      },
    },
    responses: {
      201: {
        ...json(
          'The upload, or with `parts=1` where its parts go.',
          z.union([uploadSchema, beginningUploadSchema]),
        ),
        headers: { Location: { description: 'URL of the upload.', schema: { type: 'string' } } },
      },
      ...problems('service', [401, 413, 422, 429, 503]),
    },
  })

const getUpload = createRoute({
  method: 'get',
  path: `${PATH}/{id}`,
  operationId: 'getUpload',
  tags: ['Uploads'],
  summary: 'Get an upload',
  description:
    'Lists its images and when it expires. Each request counts as a use and extends its life. Of an upload in parts that is not complete: which have arrived.',
  request: { params, query: nothing },
  responses: {
    200: json('The upload.', z.union([uploadSchema, openUploadSchema])),
    ...problems('service', [401, 404, 503]),
  },
})

const putPart = createRoute({
  method: 'put',
  path: `${PATH}/{id}/parts/{n}`,
  operationId: 'putUploadPart',
  tags: ['Uploads'],
  summary: 'Send a part of an upload',
  description: 'In any order, several at once; the same part again replaces it.',
  request: {
    params: partParams,
    query: nothing,
    body: {
      description: 'All parts but the last have `partBytes` bytes.',
      required: true,
      content: { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } },
    },
  },
  responses: {
    204: { description: 'The part is stored.' },
    ...problems('service', [401, 404, 413, 422, 429, 503]),
  },
})

const finishUpload = createRoute({
  method: 'post',
  path: `${PATH}/{id}/complete`,
  operationId: 'completeUpload',
  tags: ['Uploads'],
  summary: 'Complete an upload in parts',
  description:
    'Reads the archive that its parts are. Repeat it if the answer was lost, or names a missing part.',
  request: {
    params,
    query: nothing,
    body: { required: true, content: { 'application/json': { schema: completionSchema } } },
  },
  responses: {
    201: json('The upload.', uploadSchema),
    ...problems('service', [401, 404, 409, 413, 422, 429, 503]),
  },
})

const removeUpload = createRoute({
  method: 'delete',
  path: `${PATH}/{id}`,
  operationId: 'deleteUpload',
  tags: ['Uploads'],
  summary: 'Delete an upload',
  description: 'Deletes its bytes, and everything known from it alone.',
  request: { params, query: nothing },
  responses: {
    204: { description: 'The upload is deleted.' },
    ...problems('service', [401, 404, 503]),
  },
})

export function addUploads(app: App, backend: Backend): void {
  for (const method of ['post', 'put'] as const) {
    app.openAPIRegistry.registerPath(createUpload(method))
    app[method](PATH, (c) => receive(backend, c))
  }

  app.openapi(getUpload, async (c) => {
    const upload = await readUploadOrParts(backend, c.req.valid('param').id)
    return c.json(upload, 200, HEADERS)
  })

  // Not validated by the framework, which would read the bodies.
  app.openAPIRegistry.registerPath(putPart)
  app.put(`${PATH}/:id/parts/:n`, (c) => receivePart(backend, c))
  app.openAPIRegistry.registerPath(finishUpload)
  app.post(`${PATH}/:id/complete`, (c) => complete(backend, c))

  app.openapi(removeUpload, async (c) => {
    await deleteUpload(backend, c.req.valid('param').id)
    return c.body(null, 204, HEADERS)
  })
}

async function receive(backend: Backend, context: RequestContext): Promise<Response> {
  const { parts } = parsed(creation, context.req.query())
  if (parts !== undefined) {
    const { id, ...rest } = await openUploadInParts(backend)
    return context.json({ id, ...rest }, 201, { ...HEADERS, Location: `${PATH}/${id}` })
  }
  admitUpload(backend, lengthOf(context.req.header('Content-Length')))
  const { signal } = context.req.raw
  const body = bodyOf(backend, context)
  const isAnalysed = await mayAnalyse(backend, context)
  const leave = await takeTurn(backend, context)
  const receiving = receiveUpload(backend, body, { signal, isAnalysed }).finally(leave)
  return created(context, await toItsEnd(backend, context, receiving))
}

async function receivePart(backend: Backend, context: RequestContext): Promise<Response> {
  parsed(nothing, context.req.query())
  const { id, n } = parsed(partParams, context.req.param())
  const { signal } = context.req.raw
  const leave = await takeTurn(backend, context)
  const body = bodyOf(backend, context)
  const storing = storePart(backend, { id, number: Number(n) }, body, signal).finally(leave)
  await toItsEnd(backend, context, storing)
  return context.body(null, 204, HEADERS)
}

/** A client that leaves does not end this: it may ask again. */
async function complete(backend: Backend, context: RequestContext): Promise<Response> {
  parsed(nothing, context.req.query())
  const { id } = parsed(params, context.req.param())
  const body = await backend.bodies.json(context.req.raw, backend.clientOf(context))
  const { parts: count } = parsed(completionSchema, body)
  const isAnalysed = await mayAnalyse(backend, context)
  const leave = await takeTurn(backend, context)
  const completing = completeUpload(backend, { id, count, isAnalysed }).finally(leave)
  return created(context, await toItsEnd(backend, context, completing))
}

function created(context: RequestContext, upload: Upload): Response {
  return context.json(upload, 201, { ...HEADERS, Location: `${PATH}/${upload.id}` })
}

function bodyOf(backend: Backend, context: RequestContext): ReadableStream<Uint8Array> | null {
  return backend.bodyOf?.(context) ?? context.req.raw.body
}

/** Hosts that cancel the work of disconnected clients must be asked for time to clean up. */
function toItsEnd<T>(backend: Backend, context: RequestContext, work: Promise<T>): Promise<T> {
  const settled = work.then(
    () => undefined,
    () => undefined,
  )
  backend.keepAlive(context, settled)
  return work
}

/** Waits for a place among the uploads that arrive: meanwhile the body is not read. @throws Problem `rate_limited` */
async function takeTurn({ uploads, clientOf }: Backend, context: RequestContext): Promise<() => void> {
  const { signal } = context.req.raw
  const error = () =>
    new Problem('rate_limited', 'too many uploads are incoming at once; try again later', {
      retryAfter: RETRY_AFTER_SECONDS,
    })
  const limit = { milliseconds: PLACE_MILLISECONDS, signal, error }
  const permit = await within(limit, (signal) => uploads.acquire([clientOf(context)], signal))
  return () => permit.release()
}

/** Whether the client may start an analysis now. If not, the archive is only stored: the first report may start it later. */
async function mayAnalyse(backend: Backend, context: RequestContext): Promise<boolean> {
  try {
    await backend.rate.admit(backend.clientOf(context))
    return true
  } catch (error) {
    if (error instanceof Problem) return false
    throw error
  }
}

function lengthOf(header: string | undefined): number | undefined {
  return header !== undefined && /^\d{1,16}$/.test(header) ? Number(header) : undefined
}
