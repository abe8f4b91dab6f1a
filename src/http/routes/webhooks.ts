/** Registries report a push: the image is analysed before anybody asks for it. */
import { createRoute, z } from '@hono/zod-openapi'
import { Problem } from '../../problem.ts'
import { readPush, WEBHOOK_KINDS, type WebhookKind } from '../../service/fleet/webhooks.ts'
import type { App, Backend } from '../backend.ts'
import { presents, requireSignature } from '../middleware/secrets.ts'
import { WEBHOOKS_PATH } from '../middleware/tokens.ts'
import { json, openToAll, problems } from '../openapi/describe.ts'
import { optional } from '../parameters.ts'
import { parsed } from '../problems.ts'
import { notificationSchema, pushSchema } from './webhooks.schema.ts'

const query = z.strictObject({
  secret: optional('For registries that send no header. Access logs may keep it.'),
})

const receivePush = createRoute({
  method: 'post',
  path: '/v1/webhooks/{kind}',
  operationId: 'receivePush',
  tags: ['Analyses'],
  summary: 'Report a push',
  description:
    'For webhooks of registries; off unless `LAMINA_WEBHOOK_SECRETS` is set. They send one of these secrets as `Authorization: Bearer` or `secret`, or sign with it in `X-Hub-Signature-256`. Pushed images of `LAMINA_ALLOWED_REGISTRIES` are queued and read with the service’s own credentials.',
  security: openToAll,
  request: {
    params: z.object({
      kind: z.enum(WEBHOOK_KINDS).openapi({ description: 'The registry that sends it.', example: 'quay' }),
    }),
    query,
    body: {
      required: true,
      description: 'The notification, at most 1 MiB.',
      content: { 'application/json': { schema: notificationSchema } },
    },
  },
  responses: {
    200: json('Nothing to analyse.', pushSchema),
    202: json('The images are queued.', pushSchema),
    ...problems('service', [401, 404, 413, 429]),
  },
})

export function addWebhooks(app: App, backend: Backend): void {
  // Read by hand: the signature covers the exact bytes of the body.
  app.openAPIRegistry.registerPath(receivePush)
  app.post(`${WEBHOOKS_PATH}:kind`, async (c) => {
    const { configuration, imageQueue } = backend.host
    const { webhookSecrets } = configuration
    if (webhookSecrets.length === 0)
      throw new Problem('not_found', 'webhooks are off; set LAMINA_WEBHOOK_SECRETS to turn them on')
    const { secret } = parsed(query, c.req.query())
    const shown = {
      query: secret,
      authorization: c.req.header('Authorization'),
      signature: c.req.header('X-Hub-Signature-256'),
    }
    const isKnown = presents(webhookSecrets, shown)
    const bytes = await backend.bodies.bytes(c.req.raw, backend.clientOf(c))
    if (!isKnown) requireSignature(webhookSecrets, shown, bytes)
    const kind = kindOf(c.req.param('kind'))
    const { images, ignored } = readPush(kind, jsonOf(bytes), configuration)
    await imageQueue.add(images.map((image) => ({ image, analyses: [] })))
    const body = {
      ...(images.length > 0 ? { items: images.map((image) => ({ image })) } : {}),
      ...(ignored.length > 0 ? { ignored } : {}),
    }
    return c.json(body, images.length > 0 ? 202 : 200, { 'Cache-Control': 'no-store' })
  })
}

function kindOf(name: string): WebhookKind {
  const kind = WEBHOOK_KINDS.find((known) => known === name)
  if (kind !== undefined) return kind
  throw new Problem('not_found', `unknown kind of webhook; the kinds are ${WEBHOOK_KINDS.join(', ')}`)
}

function jsonOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    throw new Problem(
      'invalid_parameter',
      'the body is not JSON: choose application/json as the content type of the webhook',
      { parameter: 'body' },
    )
  }
}
