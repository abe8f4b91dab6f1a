/** Work that goes on at the same time, of which nothing is left running when one part fails. */

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
