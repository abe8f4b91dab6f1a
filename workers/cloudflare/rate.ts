/** The limit on new analyses per client, and how the Worker learns who the client is. */
import type { RateLimit } from '../../src/http/middleware/rate.ts'
import { Problem } from '../../src/problem.ts'

/** How the front of `npm start` passes the client's address to the Worker; it never passes on a client's own header. */
export const CLIENT_HEADER = 'x-lamina-client'

/** Cloudflare's rate limit binding: it counts separately in each of its locations, with the limit in `wrangler.toml`. */
export interface RateLimiter {
  limit(options: { key: string }): Promise<{ readonly success: boolean }>
}

/** The binding does not say when its period ends: this is the whole period. */
const PERIOD_SECONDS = 60

export class BoundRate implements RateLimit {
  readonly #limiter: RateLimiter

  constructor(limiter: RateLimiter) {
    this.#limiter = limiter
  }

  async admit(client: string): Promise<void> {
    const { success } = await this.#limiter.limit({ key: client })
    if (success) return
    const detail = 'limit of new analyses per client per minute reached'
    throw new Problem('rate_limited', detail, { retryAfter: PERIOD_SECONDS })
  }
}
