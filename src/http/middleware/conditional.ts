/** Conditional requests (RFC 9110, section 13) and how long an answer may be cached. */
import { createHash } from 'node:crypto'
import type { RequestContext } from '../backend.ts'

/** A strong tag: the same inputs always give the same bytes. */
export function entityTag(parts: readonly string[]): string {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part).update('\0')
  return `"${hash.digest('base64url').slice(0, 27)}"`
}

/** Whether `If-None-Match` names the tag; a GET compares weakly. */
export function isUnchanged(ifNoneMatch: string | undefined, tag: string): boolean {
  if (ifNoneMatch === undefined) return false
  if (ifNoneMatch.trim() === '*') return true
  return ifNoneMatch.split(',').some((candidate) => candidate.trim().replace(/^W\//, '') === tag)
}

/** The answer to a caller that has these bytes already. */
export function notModified(headers: Headers): Response {
  return new Response(null, { status: 304, headers })
}

/** The answer, or a `304`. The tag is made of the body, where that has everything that a source said. */
export function taggedAnswer(context: RequestContext, body: string, headers: Headers): Response {
  const tag = entityTag([body])
  headers.set('ETag', tag)
  if (!isUnchanged(context.req.header('If-None-Match'), tag)) return new Response(body, { headers })
  headers.delete('Content-Type')
  return notModified(headers)
}
