/** Work that goes on at the same time: run side by side, nothing left running when one part fails, the event loop never held for long. */

/** Leaves the event loop to others for a moment: aborts, timers, other requests, and the collector. */
export function yieldToEventLoop(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** The values of all, when all have ended. @throws what the first in the list failed with */
export async function allOf<Work extends readonly unknown[] | []>(
  work: Work,
): Promise<{ -readonly [Part in keyof Work]: Awaited<Work[Part]> }> {
  await Promise.allSettled(work)
  return Promise.all(work)
}

/**
 * So many at once, begun in order; after a failure no other is begun.
 *
 * @returns what came of each, in the order of the items
 * @throws what the first to fail failed with
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

/** Bytes that were unpacked: some tens of milliseconds of inflating and hashing, in which nothing from the network is heard. */
const WORK = 16 * 1024 * 1024

/** Counts work so that a long computation yields now and then. */
export class WorkBudget {
  #work = 0

  /**
   * Counts bytes that were worked on.
   *
   * @returns whether `yield` is due
   */
  isDue(bytes: number): boolean {
    this.#work += bytes
    return this.#work >= WORK
  }

  /**
   * By a timer: where the bytes come from the same process they are always there, and workerd looks at its connections and
   * timers only when no other event waits.
   */
  yield(): Promise<void> {
    this.#work = 0
    return new Promise((resolve) => setTimeout(resolve))
  }
}
