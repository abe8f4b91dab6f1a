/**
 * Outbound HTTP on Workers: the platform's own `fetch`, or on Miniflare the two network bindings that are limited at the
 * socket.
 */
import type { Fetch, Reach } from '../../src/host.ts'
import { Problem } from '../../src/problem.ts'

type Fetcher = { fetch(url: URL, init: RequestInit): Promise<Response> }

/** On Miniflare: a binding for each reach; the last three only if there are ranges in the lists. */
export type WaysOut = {
  readonly EGRESS?: Fetcher
  readonly EGRESS_PRIVATE?: Fetcher
  readonly EGRESS_LISTED?: Fetcher
  readonly EGRESS_PUBLIC_PLAIN?: Fetcher
  readonly EGRESS_LISTED_PLAIN?: Fetcher
}

/** `encodeResponseBody: 'manual'` keeps the body encoded: digests are of the unmodified bytes. */
const RAW = { redirect: 'manual', encodeResponseBody: 'manual' } as const

/** @throws Problem `forbidden_registry` on a deployed Worker for a port that Cloudflare ignores */
export function createFetch(ways: WaysOut): Fetch {
  const byReach: Readonly<Record<Reach, Fetcher | undefined>> = {
    public: ways.EGRESS,
    private: ways.EGRESS_PRIVATE,
    listed: ways.EGRESS_LISTED,
    publicPlain: ways.EGRESS_PUBLIC_PLAIN,
    listedPlain: ways.EGRESS_LISTED_PLAIN,
  }
  return async (url, init, reach) => {
    const options = { ...init, ...RAW }
    const way = byReach[reach]
    if (way !== undefined) return way.fetch(url, options)
    if (reach !== 'public' && reach !== 'private')
      throw new Problem('forbidden_registry', `no range of the lists has the address of ${url.host}`)
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
