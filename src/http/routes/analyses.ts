/** Starts analyses, one or a list, and follows one by polling or by events. */
import { createRoute, z } from '@hono/zod-openapi'
import { parseImageReference } from '../../oci/image-reference.ts'
import { Problem } from '../../problem.ts'
import { doneBefore, orderBatch } from '../../service/fleet/queued-images.ts'
import { followAnalysis, nameAnalysis, readAnalysis } from '../../service/images/analyses.ts'
import { analysisBody, locationOf } from '../analysis-body.ts'
import { admit, factsOf, openFor, pendingAnswer } from '../answers.ts'
import type { App, Backend, RequestContext } from '../backend.ts'
import { callerCredentials } from '../caller.ts'
import { eventStream } from '../events.ts'
import { json, problems } from '../openapi/describe.ts'
import { parsed, problemBody } from '../problems.ts'
import { analysisRequestSchema, analysisSchema, batchRequestSchema, batchSchema } from './analyses.schema.ts'

/** A listener gets events for this long and must then reconnect. */
const LISTEN_MILLISECONDS = 3_600_000

const params = z.object({
  id: z.string().openapi({
    description: 'ID of the analysis.',
    example: '0f6a1c9e-59d2-4c0f-8e43-2f5f7a3f9d11',
  }),
})

/** Rejects misspelt parameters. */
const nothing = z.strictObject({})

const createAnalysis = createRoute({
  method: 'post',
  path: '/v1/analyses',
  operationId: 'createAnalysis',
  tags: ['Analyses'],
  summary: 'Start the analysis of an image, or of up to 1,000',
  description:
    'Asking for a report does the same. `Location` has the URL of the analysis. A list is queued and read with the service’s own credentials; images that need yours start at once.',
  request: {
    query: nothing,
    body: {
      required: true,
      description: 'The image to analyse, or a list of images.',
      content: {
        'application/json': { schema: z.union([analysisRequestSchema, batchRequestSchema]) },
      },
    },
  },
  responses: {
    200: json('The result is ready.', analysisSchema),
    202: json(
      'The analysis is queued or running; of a list one item for each.',
      z.union([analysisSchema, batchSchema]),
    ),
    ...problems('image'),
  },
})

const getAnalysis = createRoute({
  method: 'get',
  path: '/v1/analyses/{id}',
  operationId: 'getAnalysis',
  tags: ['Analyses'],
  summary: 'Get an analysis',
  description: 'Progress, then success or the error. Available for an hour.',
  request: { params, query: nothing },
  responses: {
    200: json('The analysis.', analysisSchema),
    ...problems('registry'),
  },
})

const EVENTS = `event: progress
data: {"id":"0f6a1c9e-…","status":"running",…}

event: succeeded
data: {"id":"0f6a1c9e-…","status":"succeeded",…}

`

const watchAnalysis = createRoute({
  method: 'get',
  path: '/v1/analyses/{id}/events',
  operationId: 'watchAnalysis',
  tags: ['Analyses'],
  summary: 'Follow an analysis',
  description:
    'Server-Sent Events: `progress` as it changes, then `succeeded` or `failed`. Late listeners get the last event.',
  request: { params, query: nothing },
  responses: {
    200: {
      description: 'The events; `data` is the analysis as JSON.',
      content: { 'text/event-stream': { schema: { type: 'string' }, example: EVENTS } },
    },
    ...problems('registry'),
  },
})

export function addAnalyses(app: App, backend: Backend): void {
  app.openAPIRegistry.registerPath(createAnalysis)
  app.post(createAnalysis.getRoutingPath(), async (c) => {
    parsed(nothing, c.req.query())
    const body = await backend.bodies.json(c.req.raw, backend.clientOf(c))
    if (typeof body === 'object' && body !== null && 'images' in body) return answerBatch(backend, c, body)
    const image = await openFor(backend, c, parsed(analysisRequestSchema, body))
    const result = await factsOf(backend, c, image, 0)
    if ('pending' in result) return pendingAnswer(backend, image, result.pending, 'accepted')
    const analysis = analysisBody(await nameAnalysis(backend, image, doneBefore(image)))
    return c.json(analysis, 200, { Location: locationOf(analysis.id), 'Cache-Control': 'no-store' })
  })

  app.openapi(getAnalysis, async (c) => {
    const { id } = c.req.valid('param')
    const analysis = await readAnalysis(backend, id, callerCredentials(backend.host.configuration, c))
    return c.json(analysisBody(analysis), 200, { 'Cache-Control': 'no-store' })
  })

  app.openapi(watchAnalysis, async (c) => {
    const { id } = c.req.valid('param')
    const { signal } = c.req.raw
    const credentials = callerCredentials(backend.host.configuration, c)
    const states = followAnalysis(backend, id, {
      credentials,
      milliseconds: LISTEN_MILLISECONDS,
      signal,
    })
    return eventStream(backend, c, states)
  })
}

async function answerBatch(backend: Backend, c: RequestContext, body: unknown): Promise<Response> {
  const { images } = parsed(batchRequestSchema, body)
  const references = images.map(({ image }) => image).filter(isReference)
  const { configuration } = backend.host
  const ordered = await orderBatch(backend, images, {
    credentials: callerCredentials(configuration, c, references),
    signal: c.req.raw.signal,
    // A caller with a token of the service may send a batch; for others each image counts.
    admit: configuration.tokens.length > 0 ? async () => {} : (image) => admit(backend, c, image),
  })
  const items = ordered.map((one) => (one instanceof Problem ? problemBody(one) : analysisBody(one)))
  return c.json({ items }, 202, { 'Cache-Control': 'no-store' })
}

/** A malformed reference is the problem of one item: it names no registry that a credential could be for. */
function isReference(name: string): boolean {
  try {
    parseImageReference(name)
    return true
  } catch (error) {
    if (error instanceof Problem) return false
    throw error
  }
}
