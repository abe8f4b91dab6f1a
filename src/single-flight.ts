/**
 * One fetch for all callers that request the same thing at the same time.
 *
 * A fetch can die silently: on Workers its promise never settles once the request that began it has ended. So callers join it
 * for a limited time only; a caller whose wait ends without a result starts another fetch, which the others join.
 */
import { Cache } from './cache.ts'
import { waitFor } from './timeout.ts'

export type Joining = {
  /** How long to wait for a fetch that another request began. */
  readonly milliseconds: number
  readonly signal?: AbortSignal | undefined
}

/** Limit on the fetches under way; beyond it, fetches are not shared. */
const BYTES = 4 * 1024 * 1024
/** No fetch takes longer, so older ones are dead. */
const LIFE_MILLISECONDS = 300_000
/** Rough size in memory of a fetch that is under way. */
const FLIGHT_BYTES = 1_000

export class SingleFlight<T> {
  readonly #singleFlight = new Cache<Promise<T>>({
    bytes: BYTES,
    milliseconds: LIFE_MILLISECONDS,
    sizeOf: () => FLIGHT_BYTES,
  })

  /**
   * @param key identifies the caller and the requested thing; equal keys share the answer
   * @param fetch starts a fetch, if there is none to join
   * @param isVerdict whether a joined fetch's error holds for all; any other error starts another fetch
   * @throws what the fetch throws; the signal's reason as soon as it is aborted
   */
  async share(
    key: string,
    fetch: () => Promise<T>,
    joining: Joining & { readonly isVerdict: (error: unknown) => boolean },
  ): Promise<T> {
    const { milliseconds, signal, isVerdict } = joining
    const limit = { milliseconds, error: () => new Error('the joined fetch did not end in time') }
    for (;;) {
      const joined = this.#singleFlight.get(key)
      if (joined === undefined) return await this.#begin(key, fetch, signal)
      try {
        return await waitFor(joined, { limit, signal })
      } catch (error) {
        if (signal?.aborted || isVerdict(error)) throw error
        // The first to get here starts another fetch, which the others find.
        this.#drop(key, joined)
      }
    }
  }

  #begin(key: string, fetch: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    signal?.throwIfAborted()
    const flight = fetch()
    this.#singleFlight.set(key, flight)
    // Not cancelled when the caller that started it leaves, since others may have joined.
    const settled = () => this.#drop(key, flight)
    flight.then(settled, settled)
    return waitFor(flight, { signal })
  }

  #drop(key: string, flight: Promise<T>): void {
    if (this.#singleFlight.get(key) === flight) this.#singleFlight.delete(key)
  }
}
