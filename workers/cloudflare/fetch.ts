/**
 * Outbound HTTP on Workers: the platform's own `fetch`, or on Miniflare the two network bindings that are limited at the
 * socket.
 */
import type { Fetch } from '../../src/host.ts'
import { Problem } from '../../src/problem.ts'

type Fetcher = { fetch(url: URL, init: RequestInit): Promise<Response> }

/** On Miniflare: bindings for public addresses, and for those of `LAMINA_PRIVATE_REGISTRIES` as well. */
export type WaysOut = { readonly EGRESS?: Fetcher; readonly EGRESS_PRIVATE?: Fetcher }

/** `encodeResponseBody: 'manual'` keeps the body encoded: digests are of the unmodified bytes. */
const RAW = { redirect: 'manual', encodeResponseBody: 'manual' } as const

/** @throws Problem `forbidden_registry` on a deployed Worker for a port that Cloudflare ignores */
export function createFetch({ EGRESS, EGRESS_PRIVATE }: WaysOut): Fetch {
  return async (url, init, reach) => {
    const options = { ...init, ...RAW }
    const way = reach === 'private' ? EGRESS_PRIVATE : EGRESS
    if (way !== undefined) return way.fetch(url, options)
    const response = await fetch(url, options)
    await refuseIgnoredPort(url, response)
    return response
  }
}

/**
 * Behind Cloudflare's proxy a Worker's request goes to port 80 or 443, whatever port its URL names: another server than the
 * requested one answers. Only the answer reveals that the proxy was involved.
 */
async function refuseIgnoredPort(url: URL, response: Response): Promise<void> {
  if (url.port === '' || !response.headers.has('cf-ray')) return
  await response.body?.cancel()
  throw new Problem(
    'forbidden_registry',
    `${url.host} is behind Cloudflare's proxy, where a Worker cannot reach port ${url.port}; use a host name that does not go through the proxy, or port 443`,
  )
}
