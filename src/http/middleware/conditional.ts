/** Conditional requests (RFC 9110, section 13) and how long an answer may be cached. */
import { createHash } from 'node:crypto'

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
