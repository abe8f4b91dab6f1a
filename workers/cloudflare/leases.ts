/**
 * Limits what the Durable Objects of one isolate do at the same time. An object can be reset at any moment without releasing
 * anything: so each holds a lease, which ends when the object restarts, or stops renewing it.
 */
import type { Admission } from '../../src/host.ts'

type Times = {
  /** A lease that was not renewed for this long goes to others. */
  readonly leaseMilliseconds: number
  /** How often a living object renews its lease, and a waiting one checks whether it is its turn. */
  readonly beatMilliseconds: number
}

const TIMES: Times = { leaseMilliseconds: 15_000, beatMilliseconds: 1_000 }

/** An object that holds a lease or waits for one. */
type Ticket = {
  readonly places: number
  readonly holder: string
  readonly group: string | undefined
  renewedAt: number
  /** Makes the waiting object check now. */
  wake: () => void
}

export type Reservation = {
  readonly places: number
  /** The object's ID. */
  readonly holder: string
  /** Groups take turns: the next place is for the one that holds the least. Tickets without a group come first. */
  readonly group?: string | undefined
}

/** A number of places, or bytes, given to groups in turn, and within a group in order of arrival. */
export class Leases {
  readonly #places: number
  readonly #times: Times
  readonly #held = new Set<Ticket>()
  #waiting: Ticket[] = []

  constructor(places: number, times = TIMES) {
    this.#places = places
    this.#times = times
  }

  /** Admits a holder's work that takes this number of places. */
  admission(places: number, holder: string): Admission {
    const leases = this
    return {
      get full() {
        leases.#expire()
        return leases.#waiting.length > 0 || leases.#taken + places > leases.#places
      },
      get waiting() {
        leases.#expire()
        return leases.#waiting.length
      },
      enter: (signal, [, group]) => leases.reserve({ places, holder, group }, signal),
    }
  }

  /** Ends the leases of a holder that was reset. */
  forget(holder: string): void {
    for (const ticket of this.#held) if (ticket.holder === holder) this.#held.delete(ticket)
    this.#waiting = this.#waiting.filter((ticket) => ticket.holder !== holder)
    this.#next?.wake()
  }

  /**
   * Waits until enough places are free and it is its turn; a request for more than there are takes all of them.
   *
   * @returns gives them back
   * @throws the signal's reason when it aborts first
   */
  async reserve({ places, holder, group }: Reservation, signal: AbortSignal): Promise<() => void> {
    const ticket: Ticket = {
      places: Math.min(places, this.#places),
      holder,
      group,
      renewedAt: Date.now(),
      wake: () => {},
    }
    this.#waiting.push(ticket)
    // Timers stop with their object, so an object cannot be kept registered by another one.
    const beat = setInterval(() => {
      ticket.renewedAt = Date.now()
      ticket.wake()
    }, this.#times.beatMilliseconds)
    const wake = () => ticket.wake()
    signal.addEventListener('abort', wake)
    const leave = () => {
      clearInterval(beat)
      signal.removeEventListener('abort', wake)
      this.#held.delete(ticket)
      this.#waiting = this.#waiting.filter((other) => other !== ticket)
      this.#next?.wake()
    }
    try {
      while (!this.#admit(ticket)) {
        signal.throwIfAborted()
        await new Promise<void>((resolve) => {
          ticket.wake = resolve
        })
      }
      return leave
    } catch (error) {
      leave()
      throw error
    }
  }

  /** Takes the places if it is the ticket's turn and they are free. */
  #admit(ticket: Ticket): boolean {
    ticket.renewedAt = Date.now()
    // It may have counted as dead while another object kept the isolate busy.
    if (!this.#waiting.includes(ticket)) this.#waiting.push(ticket)
    this.#expire()
    if (this.#next !== ticket || this.#taken + ticket.places > this.#places) return false
    this.#waiting = this.#waiting.filter((other) => other !== ticket)
    this.#held.add(ticket)
    this.#next?.wake()
    return true
  }

  /** The ticket whose turn it is. */
  get #next(): Ticket | undefined {
    const holds = ({ group }: Ticket) =>
      group === undefined ? -1 : [...this.#held].filter((held) => held.group === group).length
    return this.#waiting.reduce<Ticket | undefined>(
      (best, ticket) => (best === undefined || holds(ticket) < holds(best) ? ticket : best),
      undefined,
    )
  }

  get #taken(): number {
    return [...this.#held].reduce((sum, { places }) => sum + places, 0)
  }

  #expire(): void {
    const before = Date.now() - this.#times.leaseMilliseconds
    for (const ticket of this.#held) if (ticket.renewedAt < before) this.#held.delete(ticket)
    this.#waiting = this.#waiting.filter(({ renewedAt }) => renewedAt >= before)
  }
}
