/**
 * The fair semaphore of the Durable Objects that share an isolate. An object can be reset at any moment without releasing
 * anything: so each holds a lease, which ends when the object restarts, or stops renewing it.
 */
import {
  type Acquisition,
  type FairSemaphore,
  type Key,
  type Permit,
  Semaphore,
  type SemaphoreLimits,
} from '../../src/semaphore.ts'

type Times = {
  /** A lease that was not renewed for this long ends. */
  readonly leaseMilliseconds: number
  /** How often a living object renews its lease. */
  readonly beatMilliseconds: number
}

const TIMES: Times = { leaseMilliseconds: 15_000, beatMilliseconds: 1_000 }

/** Of an object that holds a permit, or waits for one. */
type Lease = {
  /** The object's ID. */
  readonly holder: string
  renewedAt: number
  isWaiting: boolean
  /** Releases the permit, or ends the request. */
  end: () => void
}

export class LeasedSemaphore {
  readonly #semaphore: Semaphore
  readonly #times: Times
  readonly #leases = new Set<Lease>()

  constructor(limits: SemaphoreLimits, times = TIMES) {
    this.#semaphore = new Semaphore(limits)
    this.#times = times
  }

  /** The semaphore as an object uses it. @param weight of each of its permits */
  of(holder: string, weight = 1): FairSemaphore {
    const semaphore = this.#semaphore
    const living = () => this.#expire()
    return {
      get full() {
        living()
        return semaphore.full
      },
      get waiting() {
        living()
        return semaphore.waiting
      },
      acquire: (key, signal, acquisition) => this.#acquire(holder, key, signal, { weight, ...acquisition }),
    }
  }

  /** Ends the leases of an object that was reset. */
  forget(holder: string): void {
    this.#end((lease) => lease.holder === holder)
  }

  async #acquire(
    holder: string,
    key: Key,
    signal: AbortSignal | undefined,
    acquisition: Acquisition,
  ): Promise<Permit> {
    signal?.throwIfAborted()
    let permit: Permit | undefined
    let wake = () => {}
    const lease: Lease = { holder, renewedAt: Date.now(), isWaiting: true, end: () => {} }
    const request = () => {
      this.#leases.add(lease)
      const withdraw = this.#semaphore.request(key, acquisition, (admitted) => {
        permit = admitted
        lease.isWaiting = false
        lease.end = () => admitted.release()
        wake()
      })
      if (permit === undefined) lease.end = withdraw
    }
    // Timers stop with their object, so an object cannot be kept registered by another one.
    const beat = setInterval(() => {
      lease.renewedAt = Date.now()
      // It may have counted as dead while another object kept the isolate busy.
      if (permit === undefined && !this.#leases.has(lease)) request()
      this.#expire()
    }, this.#times.beatMilliseconds)
    const onAbort = () => wake()
    signal?.addEventListener('abort', onAbort)
    const leave = () => {
      clearInterval(beat)
      signal?.removeEventListener('abort', onAbort)
      this.#leases.delete(lease)
      lease.end()
    }
    this.#expire()
    request()
    if (permit === undefined) {
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
    const admitted: Permit | undefined = permit
    if (admitted === undefined) {
      leave()
      throw signal?.reason
    }
    return {
      get isWanted() {
        return admitted.isWanted
      },
      rest: (rests) => admitted.rest(rests),
      release: leave,
    }
  }

  #expire(): void {
    const before = Date.now() - this.#times.leaseMilliseconds
    this.#end(({ renewedAt }) => renewedAt < before)
  }

  #end(isOver: (lease: Lease) => boolean): void {
    const over = [...this.#leases].filter(isOver)
    for (const lease of over) this.#leases.delete(lease)
    // What one of them releases is for none of them.
    for (const lease of over) if (lease.isWaiting) lease.end()
    for (const lease of over) lease.end()
  }
}
