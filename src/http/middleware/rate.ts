/** Limits how often one client starts an analysis. */
import ipaddr from 'ipaddr.js'
import { Problem } from '../../problem.ts'

/** How often a client may start an analysis. */
export interface RateLimit {
  /** Counts one. @throws Problem `rate_limited` */
  admit(client: string): Promise<void>
}

const WINDOW_MILLISECONDS = 60_000
/** How many clients are remembered; beyond that, those whose minute has passed are forgotten first, then the oldest. */
const CLIENTS = 10_000

type Window = { readonly endsAt: number; count: number }

/** Counts in memory, for hosts with one process. */
export class MinuteRate implements RateLimit {
  readonly #limit: number
  readonly #windows = new Map<string, Window>()

  /** @param limit new analyses per client per minute; 0 means no limit */
  constructor(limit: number) {
    this.#limit = limit
  }

  async admit(client: string): Promise<void> {
    if (this.#limit === 0) return
    const now = Date.now()
    const window = this.#window(client, now)
    if (window.count >= this.#limit) {
      const retryAfter = Math.ceil((window.endsAt - now) / 1000)
      const detail = `limit of ${this.#limit} new analyses per client per minute reached`
      throw new Problem('rate_limited', detail, { retryAfter })
    }
    window.count++
  }

  #window(client: string, now: number): Window {
    const known = this.#windows.get(client)
    if (known !== undefined && known.endsAt > now) return known
    if (this.#windows.size >= CLIENTS) this.#forget(now)
    // Moves it behind all clients seen before.
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

/** How many bits of an IPv6 address identify a customer, who may choose the rest. */
const IPV6_NETWORK_BITS = 64

/** Identifies the client behind an address: an IPv4 address, or the network of an IPv6 address. */
export function clientOfAddress(address: string): string {
  if (!ipaddr.isValid(address)) return address
  const client = ipaddr.process(address)
  if (client.kind() === 'ipv4') return client.toString()
  return ipaddr.IPv6.networkAddressFromCIDR(`${client.toNormalizedString()}/${IPV6_NETWORK_BITS}`).toString()
}
