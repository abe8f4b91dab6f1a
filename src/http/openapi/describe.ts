/** What the documentation says of a call beyond its own parameters and answer: problems, security, media types. */
import type { RouteConfig, z } from '@hono/zod-openapi'
import type { ProblemCode } from '../../problem.ts'
import { analysisSchema } from '../routes/analyses.schema.ts'
import { problemSchema } from '../routes/problem.schema.ts'

type Responses = RouteConfig['responses']
type Content = NonNullable<Extract<Responses[string], { content?: unknown }>['content']>

const WHY: Readonly<Record<string, string>> = {
  400: 'Invalid request; the problem names the parameter',
  401: 'The registry needs other credentials, or this service needs a token',
  403: 'This service does not allow it',
  404: 'Not found',
  412: 'A rule is broken',
  413: 'Over a limit of this service; the problem names it',
  422: 'The image cannot be read; the problem says why and where',
  429: 'Too many requests, here or at the registry',
  500: 'This service failed',
  502: 'The registry failed',
  503: 'Not ready yet, or the store does not answer',
  504: 'The registry did not answer in time',
}

/** What can go wrong with every call. */
const SERVICE: Readonly<Record<string, readonly ProblemCode[]>> = {
  400: ['invalid_parameter'],
  403: ['forbidden_host'],
  500: ['internal_error'],
}

/** What can go wrong at the registry. */
const REGISTRY: Readonly<Record<string, readonly ProblemCode[]>> = {
  400: ['invalid_reference', 'invalid_parameter'],
  401: ['unauthorized'],
  403: ['forbidden_registry', 'forbidden_host'],
  404: ['image_not_found'],
  429: ['rate_limited'],
  500: ['internal_error'],
  502: ['registry_error'],
  503: ['store_error'],
  504: ['registry_timeout'],
}

/** What can go wrong with an image's manifest and config. */
const IMAGE: Readonly<Record<string, readonly ProblemCode[]>> = {
  ...REGISTRY,
  404: ['image_not_found', 'platform_not_found'],
  413: ['too_large'],
  422: ['not_an_image', 'invalid_image', 'unsupported_digest'],
}

/** What can go wrong with its layers. */
const ANALYSED: Readonly<Record<string, readonly ProblemCode[]>> = {
  ...IMAGE,
  422: ['not_an_image', 'invalid_image', 'unsupported_digest', 'layer_unavailable'],
  503: ['analysis_pending', 'store_error', 'queue_unavailable'],
}

const ABOUT = { service: SERVICE, registry: REGISTRY, image: IMAGE, analysed: ANALYSED }

/**
 * @param about what the call needs, which decides what can go wrong
 * @param more codes of this call's own, by status
 */
export function problems(
  about: keyof typeof ABOUT,
  more: Readonly<Record<string, readonly ProblemCode[]>> = {},
): Responses {
  const codes = ABOUT[about]
  const statuses = [...new Set([...Object.keys(codes), ...Object.keys(more)])].sort()
  const described = statuses.map((status) => {
    const all = [...(codes[status] ?? []), ...(more[status] ?? [])]
    const names = all.map((code) => `\`${code}\``).join(', ')
    const description = `${WHY[status] ?? 'A problem'}: ${names}.`
    return [
      status,
      { description, content: { 'application/problem+json': { schema: problemSchema } } },
    ] as const
  })
  return Object.fromEntries(described)
}

/** An answer of JSON. */
export function json(description: string, schema: z.ZodType): Responses[string] {
  return { description, content: { 'application/json': { schema } } }
}

/** The answer to a program while an image is not analysed. */
export const pending = json(
  'Not ready yet: the analysis so far. `Retry-After` says when to ask again.',
  analysisSchema,
)

/** A list: a page as JSON, or all of it as one object a line or as CSV. @param examples of text and Markdown, where it has them */
export function list(
  description: string,
  page: z.ZodType,
  item: z.ZodType,
  examples: Readonly<Record<string, string>> = {},
): Responses[string] {
  const content: Content = {
    'application/json': { schema: page },
    'application/x-ndjson': { schema: item },
    'text/csv': { schema: { type: 'string' } },
  }
  for (const [type, example] of Object.entries(examples))
    content[type] = { schema: { type: 'string' }, example }
  return { description, content }
}

/** Text of some kinds. */
export function text(description: string, examples: Readonly<Record<string, string>>): Responses[string] {
  const content: Content = {}
  for (const [type, example] of Object.entries(examples))
    content[type] = { schema: { type: 'string' }, example }
  return { description, content }
}

/** For calls that anybody may make. */
export const openToAll = [{}]
