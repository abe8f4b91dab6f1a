/** Bounds how often one client starts an analysis. */
import ipaddr from 'ipaddr.js'
import { Problem } from '../../problem.ts'

/** How often a client may start an analysis. */
export interface RateLimit {
  /** Counts one. @throws Problem `rate_limited` */
  admit(client: string): Promise<void>
}

const WINDOW_MILLISECONDS = 60_000
/** Clients that are remembered: past it those whose minute has passed are forgotten, then those seen first. */
const CLIENTS = 10_000

type Window = { readonly endsAt: number; count: number }

/** Counts in memory, for hosts of one process. */
export class MinuteRate implements RateLimit {
  readonly #limit: number
  readonly #windows = new Map<string, Window>()

  /** @param limit new analyses a client a minute; 0 is no limit */
  constructor(limit: number) {
    this.#limit = limit
  }

  async admit(client: string): Promise<void> {
    if (this.#limit === 0) return
    const now = Date.now()
    const window = this.#window(client, now)
    if (window.count >= this.#limit) {
      const retryAfter = Math.ceil((window.endsAt - now) / 1000)
      const detail = `${this.#limit} new analyses a minute are what one client may start`
      throw new Problem('rate_limited', detail, { retryAfter })
    }
    window.count++
  }

  #window(client: string, now: number): Window {
    const known = this.#windows.get(client)
    if (known !== undefined && known.endsAt > now) return known
    if (this.#windows.size >= CLIENTS) this.#forget(now)
    // Behind those that were seen before it.
    this.#windows.delete(client)
    const window = { endsAt: now + WINDOW_MILLISECONDS, count: 0 }
    this.#windows.set(client, window)
    return window
  }

  #forget(now: number): void {
    for (const [client, window] of this.#windows) {
      // Those seen first come first.
      if (window.endsAt > now && this.#windows.size < CLIENTS) return
      this.#windows.delete(client)
    }
  }
}

/** Bits of an IPv6 address that tell one customer from another: the rest is the customer's to choose. */
const IPV6_NETWORK_BITS = 64

/** Names the client behind an address: an IPv4 address, or the network of an IPv6 one. */
export function clientOfAddress(address: string): string {
  if (!ipaddr.isValid(address)) return address
  const client = ipaddr.process(address)
  if (client.kind() === 'ipv4') return client.toString()
  return ipaddr.IPv6.networkAddressFromCIDR(`${client.toNormalizedString()}/${IPV6_NETWORK_BITS}`).toString()
}
