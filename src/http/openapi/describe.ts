/** What the documentation says about a call besides its own parameters and answer: problems, security, media types. */
import type { RouteConfig, z } from '@hono/zod-openapi'
import { codesOf } from '../../problem.ts'
import { analysisSchema } from '../routes/analyses.schema.ts'
import { problemSchema } from '../routes/problem.schema.ts'

type Responses = RouteConfig['responses']
type Content = NonNullable<Extract<Responses[string], { content?: unknown }>['content']>

/** What an error status means; its codes follow. */
const WHY = {
  400: 'Invalid request.',
  401: 'The registry needs other credentials, or this service needs a token.',
  403: 'This service does not allow the registry, or the `Host` of the request.',
  404: 'Not found.',
  409: 'The upload is still open.',
  413: 'Over a limit of this service.',
  422: 'The image cannot be read.',
  429: 'Too many requests, here or at the registry.',
  500: 'This service failed.',
  501: 'This service runs where it cannot be done.',
  502: 'The registry failed.',
  503: 'Not ready yet, or the store is unavailable.',
  504: 'The registry did not answer in time.',
} as const

type ErrorStatus = keyof typeof WHY

/** What can go wrong with every call. */
const SERVICE: readonly ErrorStatus[] = [400, 403, 500]
/** What can go wrong at the registry. */
const REGISTRY: readonly ErrorStatus[] = [...SERVICE, 401, 404, 429, 502, 503, 504]
/** What can go wrong with an image. */
const IMAGE: readonly ErrorStatus[] = [...REGISTRY, 409, 413, 422]

const ABOUT = { service: SERVICE, registry: REGISTRY, image: IMAGE }

/**
 * @param about what the call needs, which decides what can go wrong
 * @param more further statuses of this call
 */
export function problems(about: keyof typeof ABOUT, more: readonly ErrorStatus[] = []): Responses {
  const statuses = [...new Set([...ABOUT[about], ...more])].sort()
  const described = statuses.map((status) => {
    const codes = codesOf(status).map((code) => `\`${code}\``)
    const description = `${WHY[status]} ${codes.join(', ')}.`
    return [
      status,
      { description, content: { 'application/problem+json': { schema: problemSchema } } },
    ] as const
  })
  return Object.fromEntries(described)
}

/** An answer of JSON. @param others media types of the same answer as text */
export function json(
  description: string,
  schema: z.ZodType,
  others: readonly string[] = [],
): Responses[string] {
  return { description, content: { 'application/json': { schema }, ...textual(others) } }
}

/** The answer to a program while an image is not analysed. */
export const pending = json(
  'Not ready yet: the analysis so far. `Retry-After` says when to retry.',
  analysisSchema,
)

/** A list: a page as JSON, or all of it as one object a line or as CSV. @param others further media types */
export function list(
  description: string,
  page: z.ZodType,
  item: z.ZodType,
  others: readonly string[] = [],
): Responses[string] {
  return {
    description,
    content: {
      'application/json': { schema: page },
      'application/x-ndjson': { schema: item },
      ...textual(['text/csv', ...others]),
    },
  }
}

/** An answer that is text. */
export function text(description: string, type: string): Responses[string] {
  return { description, content: textual([type]) }
}

function textual(types: readonly string[]): Content {
  return Object.fromEntries(types.map((type) => [type, { schema: { type: 'string' as const } }]))
}

/** For calls that anybody may make. */
export const openToAll = [{}]
