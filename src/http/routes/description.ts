/** The API's own description, made from the routes. */
import { createRoute, z } from '@hono/zod-openapi'
import type { App } from '../backend.ts'
import { entityTag, isUnchanged, notModified } from '../middleware/conditional.ts'
import { json, openToAll, problems, text } from '../openapi/describe.ts'
import { openApiDocument, registerComponents } from '../openapi/document.ts'
import { openApiYaml } from '../openapi/yaml.ts'

const getJson = createRoute({
  method: 'get',
  path: '/openapi.json',
  operationId: 'getOpenApiJson',
  tags: ['Service'],
  summary: 'This description as JSON',
  security: openToAll,
  responses: {
    200: json('An OpenAPI 3.1 document.', z.looseObject({}).openapi({})),
    ...problems('service'),
  },
})

const getYaml = createRoute({
  method: 'get',
  path: '/openapi.yaml',
  operationId: 'getOpenApiYaml',
  tags: ['Service'],
  summary: 'This description as YAML',
  security: openToAll,
  responses: {
    200: text('An OpenAPI 3.1 document.', 'application/yaml'),
    ...problems('service'),
  },
})

type Written = { readonly text: string; readonly tag: string }

export function addDescription(app: App): void {
  registerComponents(app)
  /** Written on the first request, when all routes exist. */
  const kept = new Map<string, Written>()
  const written = (kind: string, write: () => string): Written => {
    const known = kept.get(kind)
    if (known !== undefined) return known
    const text = write()
    const made = { text, tag: entityTag([text]) }
    kept.set(kind, made)
    return made
  }
  const answer = ({ text, tag }: Written, contentType: string, ifNoneMatch: string | undefined) => {
    const headers = new Headers({ ETag: tag, 'Cache-Control': 'public, max-age=300' })
    if (isUnchanged(ifNoneMatch, tag)) return notModified(headers)
    headers.set('Content-Type', contentType)
    return new Response(text, { headers })
  }

  app.openapi(getJson, (c) => {
    const document = written('json', () => JSON.stringify(openApiDocument(app)))
    return answer(document, 'application/json', c.req.header('If-None-Match'))
  })

  app.openapi(getYaml, (c) => {
    const document = written('yaml', () => openApiYaml(openApiDocument(app)))
    return answer(document, 'application/yaml; charset=utf-8', c.req.header('If-None-Match'))
  })
}
