/**
 * A service on loopback answers only to the names of loopback: otherwise a page of any site could make its own name resolve to
 * 127.0.0.1 and read what this service can see (DNS rebinding).
 */
import type { MiddlewareHandler } from 'hono'
import { isLoopback } from '../../configuration.ts'
import { Problem } from '../../problem.ts'
import type { Env } from '../backend.ts'

/** @param listensAt the address that the service listens on; empty if another process decides that */
export function loopbackNamesOnly(listensAt: string): MiddlewareHandler<Env> {
  if (listensAt === '' || !isLoopback(listensAt)) return (_context, next) => next()
  return async (context, next) => {
    const asked = context.req.header('Host') ?? new URL(context.req.url).host
    if (isLoopback(hostName(asked))) return next()
    throw new Problem(
      'forbidden_host',
      'this service listens on loopback and only answers requests to localhost, 127.0.0.1 or [::1]',
    )
  }
}

/** A `Host` without its port: `[::1]:8080` is `::1`. */
function hostName(host: string): string {
  return host
    .toLowerCase()
    .replace(/:\d+$/, '')
    .replace(/^\[(.*)\]$/, '$1')
}
