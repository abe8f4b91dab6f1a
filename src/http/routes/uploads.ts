/** Archives that callers upload: stored, listed, deleted. */
import { createRoute, z } from '@hono/zod-openapi'
import { Problem } from '../../problem.ts'
import { admitUpload, deleteUpload, readUpload, receiveUpload } from '../../service/upload.ts'
import type { App, Backend, RequestContext } from '../backend.ts'
import { json, problems } from '../openapi/describe.ts'
import { parsed } from '../problems.ts'
import { uploadIdSchema, uploadSchema } from './uploads.schema.ts'

const PATH = '/v1/uploads'
const HEADERS = { 'Cache-Control': 'private, no-cache' }

const nothing = z.strictObject({})
const params = z.strictObject({ id: uploadIdSchema })

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
      query: nothing,
      body: {
        description: 'The archive.',
        required: true,
        content: { 'application/x-tar': { schema: { type: 'string', format: 'binary' } } },
      },
    },
    responses: {
      201: {
        ...json('The upload.', uploadSchema),
        headers: { Location: { description: 'URL of the upload.', schema: { type: 'string' } } },
      },
      ...problems('service', [401, 413, 422, 503]),
    },
  })

const getUpload = createRoute({
  method: 'get',
  path: `${PATH}/{id}`,
  operationId: 'getUpload',
  tags: ['Uploads'],
  summary: 'Get an upload',
  description: 'Lists its images and when it expires. Each request counts as a use and extends its life.',
  request: { params, query: nothing },
  responses: {
    200: json('The upload.', uploadSchema),
    ...problems('service', [401, 404, 503]),
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
    const upload = await readUpload(backend, c.req.valid('param').id)
    return c.json(upload, 200, HEADERS)
  })

  app.openapi(removeUpload, async (c) => {
    await deleteUpload(backend, c.req.valid('param').id)
    return c.body(null, 204, HEADERS)
  })
}

async function receive(backend: Backend, context: RequestContext): Promise<Response> {
  parsed(nothing, context.req.query())
  admitUpload(backend, lengthOf(context.req.header('Content-Length')))
  const { signal } = context.req.raw
  const body = backend.bodyOf?.(context) ?? context.req.raw.body
  const isAnalysed = await mayAnalyse(backend, context)
  const receiving = receiveUpload(backend, body, { signal, isAnalysed })
  // Hosts that cancel the work of disconnected clients must be asked for time to clean up.
  backend.keepAlive(
    context,
    receiving.then(
      () => undefined,
      () => undefined,
    ),
  )
  const upload = await receiving
  return context.json(upload, 201, { ...HEADERS, Location: `${PATH}/${upload.id}` })
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
