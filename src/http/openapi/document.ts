/**
 * Makes `openapi.yaml` from routes and schemas. This file has the parts of the API's description that do not come from routes.
 */
import description from '../../../package.json' with { type: 'json' }
import type { App } from '../backend.ts'
import { problemSchema } from '../routes/problem.schema.ts'
import { identitySchema, wasteSumSchema } from '../routes/report.schema.ts'
import { digestSchema, platformNameSchema, readSchema, referenceSchema, sha256Schema } from './fields.ts'
import { type OpenApiDocument, shareComponents } from './share.ts'

const DESCRIPTION = [
  'Lamina shows what is inside a container image and what changed between two images, without a Docker daemon and without a pull.',
  'Sizes are in bytes. Times are RFC 3339 in UTC. Layers count from 0, the lowest. Paths have no leading slash; bytes that are not UTF-8 show as U+FFFD, and `pathBase64` has the exact bytes.',
  'The first request for an image starts its analysis. Until it ends, JSON endpoints answer `202` with the analysis and `Retry-After`; other formats answer `503`. `wait` makes a request wait for the result.',
  'Lists are paged: send `nextCursor` as `cursor` to get the next page. With `Accept: application/x-ndjson` a list is sent whole, one object per line. Errors are `application/problem+json`. Under `/v1` an unknown parameter is an error.',
].join('\n\n')

const TAGS = [
  { name: 'Reports', description: 'What is inside an image.' },
  { name: 'Exports', description: 'What leaves an image: tars, a runtime bundle, a bill of materials.' },
  { name: 'Diffs', description: 'What changed between two images.' },
  { name: 'Gate', description: 'Checks against rules, for CI.' },
  { name: 'Badges', description: 'Image figures as badges for a README.' },
  { name: 'Images', description: 'What the registry and the manifest say about an image.' },
  { name: 'Analyses', description: 'Starting and following an analysis.' },
  { name: 'Service', description: 'Health and description of the service.' },
]

const SECURITY_SCHEMES = {
  registryAuth: {
    type: 'apiKey',
    in: 'header',
    name: 'X-Registry-Auth',
    description:
      'As in the Docker Engine API: base64 or base64url of `{"username","password","serveraddress"?}`, `{"identitytoken"}` or `{"registrytoken"}`. A request with two registries needs `serveraddress`. Never stored.',
  },
  registryConfig: {
    type: 'apiKey',
    in: 'header',
    name: 'X-Registry-Config',
    description:
      'For several registries: base64url JSON that maps each to an object as in `X-Registry-Auth`. Never stored.',
  },
  token: {
    type: 'http',
    scheme: 'bearer',
    description:
      'A token of this service (`LAMINA_TOKENS`), if it has any. Callers with a token also use the registry credentials of the service.',
  },
} as const

/** The security of every call that does not state its own: a registry credential and a token, each if needed. */
const SECURITY = [
  {},
  { registryAuth: [] },
  { registryConfig: [] },
  { token: [] },
  { token: [], registryAuth: [] },
  { token: [], registryConfig: [] },
]

/** Registered first, so that a component is described by itself and not by the first field that refers to it. */
const BASE_SCHEMAS = {
  Digest: digestSchema,
  Sha256: sha256Schema,
  Reference: referenceSchema,
  PlatformName: platformNameSchema,
  Read: readSchema,
  Problem: problemSchema,
  Image: identitySchema,
  WasteSum: wasteSumSchema,
}

/** Called once for each app, before its routes. */
export function registerComponents(app: App): void {
  for (const [name, scheme] of Object.entries(SECURITY_SCHEMES)) {
    app.openAPIRegistry.registerComponent('securitySchemes', name, scheme)
  }
  for (const [name, schema] of Object.entries(BASE_SCHEMAS)) app.openAPIRegistry.register(name, schema)
}

/** The whole description of the routes added so far. */
export function openApiDocument(app: App): OpenApiDocument {
  const { webhooks: _none, ...document }: OpenApiDocument = app.getOpenAPI31Document({
    openapi: '3.1.0',
    info: {
      title: 'Lamina',
      version: description.version,
      description: DESCRIPTION,
      license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
    },
    servers: [{ url: '/', description: 'This service.' }],
    security: SECURITY,
    tags: TAGS,
  })
  const operations = operationsOf(document)
  for (const { parameters = [] } of operations) {
    for (const parameter of parameters) if ('in' in parameter) tidy(parameter)
  }
  shareComponents(document, operations)
  openAnswers(document, operations)
  return besideReferences(document)
}

/** OpenAPI 3.1 allows `{$ref, description}` in place of `{allOf: [{$ref}, {description}]}`. */
function besideReferences(document: OpenApiDocument): OpenApiDocument {
  return JSON.parse(JSON.stringify(document), (_key, value: unknown) => {
    const all: unknown =
      typeof value === 'object' && value !== null && 'allOf' in value ? value.allOf : undefined
    if (!Array.isArray(all) || all.length !== 2) return value
    const [reference, rest] = all
    return '$ref' in reference ? { ...reference, ...rest } : value
  })
}

/** An answer may gain fields in a later version, so only requests forbid unknown fields. */
function openAnswers(document: OpenApiDocument, operations: readonly { requestBody?: unknown }[]): void {
  const { schemas = {} } = document.components ?? {}
  const sent = new Set<string>()
  const collect = (value: unknown): void => {
    for (const [, name = ''] of JSON.stringify(value).matchAll(/"#\/components\/schemas\/(\w+)"/g)) {
      if (sent.has(name)) continue
      sent.add(name)
      collect(schemas[name])
    }
  }
  for (const { requestBody } of operations) if (requestBody !== undefined) collect(requestBody)
  for (const [name, schema] of Object.entries(schemas)) if (!sent.has(name)) open(schema)
}

function open(schema: unknown): void {
  if (typeof schema !== 'object' || schema === null) return
  if ('additionalProperties' in schema && !isTyped(schema.additionalProperties)) {
    Reflect.deleteProperty(schema, 'additionalProperties')
  }
  if ('properties' in schema && !isTyped(schema.properties)) Reflect.deleteProperty(schema, 'properties')
  Object.values(schema).forEach(open)
}

/** Neither `false` nor `{}`. */
function isTyped(rest: unknown): boolean {
  return typeof rest === 'object' && rest !== null && Object.keys(rest).length > 0
}

function operationsOf({ paths = {} }: OpenApiDocument) {
  return Object.values(paths)
    .flatMap(({ get, put, post, delete: remove, patch }) => [get, put, post, remove, patch])
    .filter((operation) => operation !== undefined)
}

type Parameter = {
  name?: string
  in?: string
  required?: boolean
  description?: string
  schema?: object
}

/** The generator repeats a parameter's description in its schema, and puts its name last. */
function tidy(parameter: Parameter): void {
  const { name, in: place, required, description, schema, ...rest } = parameter
  for (const key of Object.keys(parameter)) Reflect.deleteProperty(parameter, key)
  Object.assign(parameter, {
    name,
    in: place,
    ...(required === true ? { required } : {}),
    description,
    ...(schema === undefined ? {} : { schema: withoutDescription(schema, description) }),
    ...rest,
  })
}

function withoutDescription(schema: object, description: string | undefined): object {
  const { description: said, ...rest } = { description: undefined, ...schema }
  return said === description ? rest : schema
}
