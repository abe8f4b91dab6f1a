/** Paths in package databases, and the directories of npm packages. */
import type { ByteString } from '../../text/bytes.ts'
import { type PathKey, pathToKey } from '../../text/path.ts'

const MODULES = 'node_modules'

/**
 * The directory of the npm package that contains `path`, the innermost if they nest; undefined outside of all packages. What is
 * directly in a `node_modules` or in a scope belongs to none.
 */
export function npmDirectory(path: PathKey): PathKey | undefined {
  const start = lastModules(path)
  if (start === undefined) return
  const scoped = path.charCodeAt(start) === AT
  const name = scoped ? path.indexOf('\0', start) + 1 : start
  const end = name === 0 ? -1 : path.indexOf('\0', name)
  return end < 0 ? undefined : path.slice(0, end)
}

/** Where the part after the last `node_modules` begins. */
function lastModules(path: PathKey): number | undefined {
  for (let at = path.length; at > 0; at--) {
    at = path.lastIndexOf(`${MODULES}\0`, at - 1)
    if (at < 0) return
    if (at === 0 || path.charCodeAt(at - 1) === 0) return at + MODULES.length + 1
  }
  return
}

const AT = 0x40

/** Has a part that is empty, `.` or `..`: few paths in databases have one. */
const UNCLEAN = /(?:^|\/)\.{0,2}(?:\/|$)/

/** The path `relative` as seen from `directory`: `.` and empty parts dropped, `..` clamped at the root, `/…` from the root. */
export function resolvePath(directory: PathKey, relative: ByteString): PathKey {
  const isAbsolute = relative.startsWith('/')
  const base = isAbsolute ? '' : directory
  const path = isAbsolute ? relative.slice(1) : relative
  if (!UNCLEAN.test(path)) return base === '' ? pathToKey(path) : `${base}\0${pathToKey(path)}`
  const parts = base === '' ? [] : base.split('\0')
  for (const part of path.split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '' && part !== '.') parts.push(part)
  }
  return parts.join('\0')
}
