/** Sends requests to a running service, and checks every JSON answer against `openapi.yaml`. */
import { readFileSync } from 'node:fs'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { parse } from 'yaml'
import { z } from 'zod'

const Responses = z.record(
  z.string(),
  z.object({
    $ref: z.string().optional(),
    content: z.record(z.string(), z.object({ schema: z.unknown() })).optional(),
  }),
)
const Operation = z.object({ responses: Responses })
const Document = z.looseObject({
  paths: z.record(z.string(), z.record(z.string(), z.unknown())),
  components: z.looseObject({ responses: Responses }),
})

const document = Document.parse(parse(readFileSync(new URL('../../openapi.yaml', import.meta.url), 'utf8')))
const ajv = new Ajv2020({ strict: false, allErrors: true })
addFormats.default(ajv)
ajv.addSchema(document, 'openapi')

export type Answer<Body> = { readonly status: number; readonly headers: Headers; readonly body: Body }

export type Query = Readonly<Record<string, string | number | readonly string[] | undefined>>

type Ask = {
  readonly query?: Query
  readonly headers?: Readonly<Record<string, string>>
  readonly method?: 'GET' | 'POST'
  /** Sent as JSON. */
  readonly json?: unknown
}

function pointer(...parts: string[]): string {
  const escaped = parts.map((part) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1')))
  return `openapi#/${escaped.join('/')}`
}

function templateOf(path: string): string {
  const found = Object.keys(document.paths).find((template) =>
    new RegExp(`^${template.replaceAll('.', '\\.').replace(/\{[^}]+\}/g, '[^/]+')}$`).test(path),
  )
  if (found === undefined) throw new Error(`openapi.yaml does not have ${path}`)
  return found
}

/** @throws Error if the answer is not what `openapi.yaml` promises */
export function hold(method: string, path: string, status: number, type: string, body: unknown): void {
  const template = templateOf(path)
  const { responses } = Operation.parse(document.paths[template]?.[method.toLowerCase()])
  const key = [String(status), `${String(status)[0]}XX`, 'default'].find((name) => name in responses)
  if (key === undefined) throw new Error(`openapi.yaml does not have ${status} for ${method} ${template}`)
  const shared = responses[key]?.$ref?.replace('#/components/responses/', '')
  const response = shared === undefined ? responses[key] : document.components.responses[shared]
  if (!(type in (response?.content ?? {})))
    throw new Error(`openapi.yaml does not have ${type} for ${status} of ${method} ${template}`)
  const place =
    shared === undefined
      ? ['paths', template, method.toLowerCase(), 'responses', key]
      : ['components', 'responses', shared]
  const location = [...place, 'content', type, 'schema']
  const validate = ajv.getSchema(pointer(...location))
  if (validate === undefined) throw new Error(`no schema at ${location.join(' ')}`)
  const lines = type === 'application/x-ndjson' ? (body as readonly unknown[]) : [body]
  for (const line of lines) {
    if (!validate(line))
      throw new Error(`${method} ${path}: ${ajv.errorsText(validate.errors)}: ${JSON.stringify(line)}`)
  }
}

function parseBody(type: string, text: string): unknown {
  if (type === 'application/x-ndjson') {
    const lines = text.split('\n').filter((line) => line !== '')
    return lines.map((line): unknown => JSON.parse(line))
  }
  return /json/.test(type) && text !== '' ? JSON.parse(text) : text
}

/**
 * @returns the answer, its body parsed: JSON as what it says, NDJSON as a list, all else as text
 * @throws Error if the answer is not what `openapi.yaml` promises
 */
// biome-ignore lint/suspicious/noExplicitAny: each test states what it expects of a body
export async function ask<Body = any>(base: string, path: string, what: Ask = {}): Promise<Answer<Body>> {
  const { query = {}, headers = {}, method = 'GET', json } = what
  const url = new URL(path, base)
  for (const [name, value] of Object.entries(query)) {
    for (const one of value === undefined ? [] : [value].flat()) url.searchParams.append(name, String(one))
  }
  const response = await fetch(url, {
    method,
    headers: {
      accept: 'application/json',
      ...(json ? { 'content-type': 'application/json' } : {}),
      ...headers,
    },
    ...(json ? { body: JSON.stringify(json) } : {}),
  })
  const type = (response.headers.get('content-type') ?? '').split(';')[0]?.trim() ?? ''
  const text = await response.text()
  const body = parseBody(type, text)
  if (/json/.test(type)) hold(method, path, response.status, type, body)
  return { status: response.status, headers: response.headers, body: body as Body }
}

/** As the value of `X-Registry-Auth`. */
export function registryAuth(credential: object): Record<string, string> {
  return { 'x-registry-auth': Buffer.from(JSON.stringify(credential)).toString('base64url') }
}
