/** What the API's description says beyond its routes. */
import type { App } from '../backend.ts'

const DESCRIPTION = [
  'Lamina tells what is inside a container image, and what changed between two of them, without a Docker daemon and without pulling: it reads each layer once from the registry, keeps an index of it, and answers from the index.',
  "Sizes are in bytes and their names end in `Bytes`; times are RFC 3339 in UTC; a digest is `sha256:<hex>`, a file's `sha256` the bare hex. Paths are relative, without a leading slash.",
  'An image that is not analysed yet is analysed when it is asked for: a JSON answer is then `202` with the analysis and `Retry-After`, every other one a `503`; with `wait` the answer waits.',
  'Lists come in pages, `nextCursor` leading to the next one, and with `Accept: application/x-ndjson` whole, one object a line. Errors are `application/problem+json`. Under `/v1` an unknown parameter is an error.',
  'To try it on a registry of your own machine, start the service with `LAMINA_PRIVATE_REGISTRIES=127.0.0.0/8 LAMINA_INSECURE_REGISTRIES=127.0.0.0/8` and ask for `localhost:5000/name:tag`.',
].join('\n\n')

const TAGS = [
  { name: 'Reports', description: 'What is inside an image.' },
  { name: 'Diffs', description: 'What changed between two images.' },
  { name: 'Gate', description: 'Whether an image keeps the rules of a team, for CI.' },
  { name: 'Badges', description: 'Figures for a README.' },
  { name: 'Images', description: 'What the registry says of an image.' },
  { name: 'Analyses', description: 'Following an analysis while it runs.' },
  { name: 'Service', description: 'The service itself.' },
]

const SECURITY_SCHEMES = {
  registryAuth: {
    type: 'apiKey',
    in: 'header',
    name: 'X-Registry-Auth',
    description:
      'A credential for the registry, as the Docker Engine API has it: base64 or base64url of `{"username","password","serveraddress"?}`, `{"identitytoken"}` or `{"registrytoken"}`. It is sent to the one registry of the request; with two registries to `serveraddress` alone. Never stored.',
  },
  registryConfig: {
    type: 'apiKey',
    in: 'header',
    name: 'X-Registry-Config',
    description:
      'Credentials for several registries: base64url JSON, a map from registry to what `X-Registry-Auth` holds. Never stored.',
  },
  token: {
    type: 'http',
    scheme: 'bearer',
    description:
      'One of the tokens of this service (`LAMINA_TOKENS`), where it has some. It also lends the credentials for registries that the service was given.',
  },
} as const

/** Of every call that does not say otherwise: a credential for the registry and a token, each where it is needed. */
const SECURITY = [
  {},
  { registryAuth: [] },
  { registryConfig: [] },
  { token: [] },
  { token: [], registryAuth: [] },
  { token: [], registryConfig: [] },
]

export type OpenApiDocument = ReturnType<App['getOpenAPI31Document']>

/** Once for each app. */
export function registerSecurity(app: App): void {
  for (const [name, scheme] of Object.entries(SECURITY_SCHEMES)) {
    app.openAPIRegistry.registerComponent('securitySchemes', name, scheme)
  }
}

/** The whole description of the routes that the app has by now. */
export function openApiDocument(app: App): OpenApiDocument {
  const { webhooks: _none, ...document }: OpenApiDocument = app.getOpenAPI31Document({
    openapi: '3.1.0',
    info: {
      title: 'Lamina',
      version: '1.0.0',
      description: DESCRIPTION,
      license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
    },
    servers: [{ url: '/', description: 'This service.' }],
    security: SECURITY,
    tags: TAGS,
  })
  for (const { parameters = [] } of operationsOf(document)) {
    for (const parameter of parameters) if ('in' in parameter) sayOnce(parameter)
  }
  return document
}

function operationsOf({ paths = {} }: OpenApiDocument) {
  return Object.values(paths).flatMap(({ get, post }) =>
    [get, post].filter((operation) => operation !== undefined),
  )
}

type Parameter = { description?: string; schema?: object }

/** The generator says a parameter's description twice: of the parameter, and of its schema. */
function sayOnce(parameter: Parameter): void {
  const { description, schema } = parameter
  if (schema === undefined || !('description' in schema) || schema.description !== description) return
  const { description: _said, ...rest } = schema
  parameter.schema = rest
}
