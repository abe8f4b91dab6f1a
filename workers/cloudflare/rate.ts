import type { RateLimit } from '../../src/http/middleware/rate.ts'
import { Problem } from '../../src/problem.ts'

/** Cloudflare's rate limit binding: it counts in each of its locations, and is bound to a limit by `wrangler.toml`. */
export interface RateLimiter {
  limit(options: { key: string }): Promise<{ readonly success: boolean }>
}

/** The binding does not tell when its period ends: this is all of it. */
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
