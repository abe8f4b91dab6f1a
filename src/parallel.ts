/** Work that goes on at the same time, of which nothing is left running when one part fails. */

/** The values of all, when all have ended. @throws what the first in the list failed with */
export async function allOf<Work extends readonly unknown[] | []>(
  work: Work,
): Promise<{ -readonly [Part in keyof Work]: Awaited<Work[Part]> }> {
  await Promise.allSettled(work)
  return Promise.all(work)
}

/** So many at once, in order; after a failure no other is begun. @throws what the first to fail failed with */
export async function inParallel<T>(
  items: readonly T[],
  atOnce: number,
  run: (item: T) => Promise<void>,
): Promise<void> {
  const queue = [...items]
  let failure: { readonly error: unknown } | undefined
  const worker = async () => {
    for (let next = queue.shift(); next !== undefined && failure === undefined; next = queue.shift()) {
      try {
        await run(next)
      } catch (error) {
        failure ??= { error }
      }
    }
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  if (failure !== undefined) throw failure.error
}
