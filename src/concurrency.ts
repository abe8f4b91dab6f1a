/** Concurrent work: nothing is left running when one part fails, and the event loop is never blocked for long. */

/** Lets the event loop turn once, for aborts, timers, other requests and the garbage collector. */
export function yieldToEventLoop(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/**
 * Lets other requests be served. Uses a timer: bytes from the same process are always available, and workerd serves connections
 * and timers only when no other event waits.
 */
export function yieldToRequests(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve))
}

/** The values of all promises, once all have settled. @throws the error of the first in the list that failed */
export async function allOf<Work extends readonly unknown[] | []>(
  work: Work,
): Promise<{ -readonly [Part in keyof Work]: Awaited<Work[Part]> }> {
  await Promise.allSettled(work)
  return Promise.all(work)
}

/**
 * Runs a limited number of items at once, started in order; after a failure it starts no more.
 *
 * @returns the results, in the order of the items
 * @throws the first failure
 */
export async function inParallel<T, Result>(
  items: readonly T[],
  atOnce: number,
  run: (item: T) => Promise<Result>,
): Promise<readonly Result[]> {
  const results = new Array<Result>(items.length)
  const queue = items.entries()
  let failure: { readonly error: unknown } | undefined
  const worker = async () => {
    for (const [place, item] of queue) {
      if (failure !== undefined) return
      try {
        results[place] = await run(item)
      } catch (error) {
        failure ??= { error }
      }
    }
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  if (failure !== undefined) throw failure.error
  return results
}

/** Unpacked bytes: tens of milliseconds of inflating and hashing, during which the network is not served. */
const WORK = 16 * 1024 * 1024

/** Counts work, so that a long computation yields now and then. */
export class WorkBudget {
  #work = 0

  /**
   * Counts processed bytes.
   *
   * @returns whether `yield` is due
   */
  isDue(bytes: number): boolean {
    this.#work += bytes
    return this.#work >= WORK
  }

  yield(): Promise<void> {
    this.#work = 0
    return yieldToRequests()
  }
}
