/** Puts what a reader's cookie carries into the headers of the request, where it means what it means for every caller. */
import type { MiddlewareHandler } from 'hono'
import { getCookie } from 'hono/cookie'
import type { Env, RequestContext } from '../backend.ts'
import { isFormOf, SESSION_COOKIE, type Session, type Sessions } from '../session.ts'

/** Where scripts of the pages put the form's token. */
const FORM_HEADER = 'X-Form-Token'
const SAFE = new Set(['GET', 'HEAD'])
const OWN_HEADERS = ['Authorization', 'X-Registry-Auth', 'X-Registry-Config']

export function readersSession(sessions: Sessions): MiddlewareHandler<Env> {
  return async (c, next) => {
    const cookie = getCookie(c, SESSION_COOKIE)
    if (cookie === undefined || !sessions.areOffered) return next()
    const session = await sessions.open(cookie)
    if (session !== undefined) {
      c.set('session', session)
      if (isReaders(c, session)) presentAs(c, session)
    }
    return next()
  }
}

/** Whether the request is the reader's, made by a page of this service or leading to one. */
function isReaders(c: RequestContext, session: Session): boolean {
  if (OWN_HEADERS.some((name) => c.req.header(name) !== undefined)) return false
  if (!SAFE.has(c.req.method)) return isFormOf(session, c.req.header(FORM_HEADER))
  return !isApi(c.req.path) || isFromHere(c)
}

function isApi(path: string): boolean {
  return path.startsWith('/v1/') || path === '/mcp' || path.startsWith('/badge/')
}

/** The header is missing in browsers that send none; the cookie's `SameSite` then keeps other sites out. */
export function isFromHere(c: RequestContext): boolean {
  return ['same-origin', 'none', undefined].includes(c.req.header('Sec-Fetch-Site'))
}

function presentAs(c: RequestContext, { token, registries }: Session): void {
  const headers = new Headers(c.req.raw.headers)
  if (token !== undefined) headers.set('Authorization', `Bearer ${token}`)
  if (Object.keys(registries).length > 0) headers.set('X-Registry-Config', registryConfig(registries))
  try {
    // In place where the host lets it be: a copy of the request would take its body along.
    for (const name of OWN_HEADERS) {
      const value = headers.get(name)
      if (value !== null) c.req.raw.headers.set(name, value)
    }
  } catch {
    c.req.raw = new Request(c.req.raw, { headers })
  }
}

export function registryConfig(registries: Session['registries']): string {
  return Buffer.from(JSON.stringify(registries)).toString('base64url')
}
