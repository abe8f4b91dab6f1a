/** Paths as parameters. */

import { Problem } from '../problem.ts'
import { encodeText, toByteString } from '../text/bytes.ts'
import type { PathKey } from '../text/path.ts'

export type PathQuery = {
  readonly path?: string | undefined
  readonly pathBase64?: string | undefined
}

/**
 * The requested path, cleaned like the names in a tar: no empty or `.` part, `..` clamped at the root. Undefined if the request
 * has none.
 *
 * @throws Problem `invalid_parameter` if both are given, or `pathBase64` is not base64
 */
export function pathAsked({ path, pathBase64 }: PathQuery): PathKey | undefined {
  if (pathBase64 === undefined) return path === undefined ? undefined : cleaned(encodeText(path))
  if (path !== undefined) throw wrong('cannot be combined with path: send one of them')
  if (!/^[A-Za-z0-9+/_-]*={0,2}$/.test(pathBase64)) throw wrong('is not base64')
  return cleaned(toByteString(Buffer.from(pathBase64, 'base64')))
}

/** @throws Problem `invalid_parameter` also if the request has none */
export function requirePath(query: PathQuery): PathKey {
  const key = pathAsked(query)
  if (key !== undefined) return key
  throw new Problem('invalid_parameter', 'path or pathBase64 is required', { parameter: 'path' })
}

function cleaned(path: string): PathKey {
  if (path.includes('\0'))
    throw new Problem('invalid_parameter', 'path must not contain a NUL byte', { parameter: 'path' })
  const parts: string[] = []
  for (const part of path.split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '' && part !== '.') parts.push(part)
  }
  return parts.join('\0')
}

function wrong(why: string): Problem {
  return new Problem('invalid_parameter', `pathBase64 ${why}`, { parameter: 'pathBase64' })
}
