/** What the manifest and the config say, without reading a layer. */
import { createRoute, z } from '@hono/zod-openapi'
import { rebuildDockerfile } from '../../oci/dockerfile.ts'
import { answerFromManifest } from '../answers.ts'
import type { App, Backend } from '../backend.ts'
import { json, problems, text } from '../openapi/describe.ts'
import { image, platform } from '../parameters.ts'
import { configSchema } from './registry.schema.ts'

const request = { query: z.strictObject({ image, platform }) }

const getConfig = createRoute({
  method: 'get',
  path: '/v1/config',
  operationId: 'getConfig',
  tags: ['Images'],
  summary: "An image's config",
  description: 'The config, byte for byte as in the registry. Reads no layer.',
  request,
  responses: { 200: json('The config.', configSchema), ...problems('image') },
})

const getDockerfile = createRoute({
  method: 'get',
  path: '/v1/dockerfile',
  operationId: 'getDockerfile',
  tags: ['Images'],
  summary: 'A Dockerfile rebuilt from the history',
  description:
    'Each step with the compressed size of its layer as a comment. Steps that the history omits are missing. Reads no layer.',
  request,
  responses: { 200: text('The Dockerfile.', 'text/plain'), ...problems('image') },
})

export function addConfig(app: App, backend: Backend): void {
  app.openapi(getConfig, (c) =>
    answerFromManifest(
      backend,
      c,
      { query: c.req.valid('query'), contentType: 'application/json' },
      ({ configBytes }) => Uint8Array.from(configBytes),
    ),
  )

  app.openapi(getDockerfile, (c) =>
    answerFromManifest(
      backend,
      c,
      { query: c.req.valid('query'), contentType: 'text/plain; charset=utf-8' },
      ({ manifest, config }) => rebuildDockerfile(manifest, config),
    ),
  )
}
