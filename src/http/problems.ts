/** Errors as answers: `application/problem+json` (RFC 9457). */

import type { z } from '@hono/zod-openapi'
import { HTTPException } from 'hono/http-exception'
import { Problem, type ProblemDocument } from '../problem.ts'
import { toJson } from '../text/json.ts'
import { type Backend, logUnforeseen, type RequestContext } from './backend.ts'

/** The body of an answer, or of an analysis that failed. */
export type ProblemBody = Omit<ProblemDocument, 'permanent' | 'retryAfter' | 'authenticate'> & {
  readonly type: string
  readonly title: string
  readonly status: number
}

export function problemBody(problem: Problem): ProblemBody {
  const { retryAfter: _retryAfter, authenticate: _authenticate, ...fields } = problem.fields
  return {
    type: `urn:lamina:problem:${problem.code}`,
    title: problem.title,
    status: problem.status,
    detail: problem.message,
    code: problem.code,
    ...fields,
  }
}

export function problemResponse(problem: Problem): Response {
  const headers = new Headers({ 'Content-Type': 'application/problem+json', 'Cache-Control': 'no-store' })
  const { retryAfter, authenticate } = problem.fields
  if (retryAfter !== undefined) headers.set('Retry-After', String(retryAfter))
  if (authenticate !== undefined) headers.set('WWW-Authenticate', authenticate)
  return new Response(toJson(problemBody(problem)), { status: problem.status, headers })
}

/** The problem to show for an error. Unexpected errors are logged, unless the reader has left; their details stay internal. */
export function problemFor(backend: Backend, context: RequestContext, error: unknown): Problem {
  const known = problemOf(error)
  if (known !== undefined) return known
  if (!context.req.raw.signal.aborted) logUnforeseen(backend, context, error)
  return new Problem(
    'internal_error',
    `internal error; the service logged it under request ID ${context.var.requestId}`,
  )
}

/** The problem to show for an error; undefined for errors inside this service. */
export function problemOf(error: unknown): Problem | undefined {
  if (error instanceof Problem) return error
  if (error instanceof HTTPException && error.status === 413) {
    return new Problem('too_large', 'the body is larger than 1 MiB', { parameter: 'body' })
  }
  if (error instanceof HTTPException && error.status < 500) {
    return new Problem('invalid_parameter', error.message || 'the request cannot be read', {
      parameter: 'body',
    })
  }
  return undefined
}

/** @throws Problem `invalid_parameter` */
export function parsed<T>(schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value)
  if (!result.success) throw invalidParameter(result.error)
  return result.data
}

/** The first error; a misspelt name comes first, since it may be why another parameter is missing. */
export function invalidParameter(error: z.ZodError): Problem {
  const issue = error.issues.find(({ code }) => code === 'unrecognized_keys') ?? error.issues[0]
  if (issue === undefined) return new Problem('invalid_parameter', 'the request cannot be read')
  if (issue.code === 'unrecognized_keys') {
    const parameter = [...issue.path, issue.keys[0] ?? ''].join('.')
    return new Problem('invalid_parameter', `unknown parameter ${JSON.stringify(parameter)}`, {
      parameter,
    })
  }
  const parameter = issue.path.join('.') || 'body'
  return new Problem('invalid_parameter', `${parameter} ${reason(issue)}`, { parameter })
}

function reason(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      if (issue.message.endsWith('received undefined')) return 'is missing'
      if (issue.message.endsWith('received array')) return 'must be given only once'
      return `is not a ${issue.expected}`
    case 'invalid_value':
      return `must be one of ${issue.values.map(String).join(', ')}`
    default:
      return issue.message
  }
}
