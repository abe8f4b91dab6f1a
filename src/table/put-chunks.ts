/** From a generator into the store: made as fast as the store takes it. */
import type { ObjectStore } from '../host.ts'

/**
 * Puts what `chunks` yields as one object.
 *
 * @throws whatever `chunks` throws, and then there is no such object
 */
export async function putChunks(
  store: ObjectStore,
  key: string,
  chunks: AsyncGenerator<Uint8Array>,
): Promise<void> {
  let failure: { readonly error: unknown } | undefined
  let isCancelled = false
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const next = await chunks.next().catch((error: unknown) => {
        failure = { error }
        controller.error(error)
      })
      // A store that fails may cancel while the next chunk is made.
      if (next === undefined || isCancelled) return
      if (next.done === true) controller.close()
      else controller.enqueue(next.value)
    },
    async cancel() {
      isCancelled = true
      await chunks.return(undefined)
    },
  })
  try {
    await store.put(key, body)
  } catch (error) {
    // What went wrong at the source says more than what the store makes of it.
    throw failure === undefined ? error : failure.error
  } finally {
    // A store that fails need not cancel what it reads.
    await chunks.return(undefined)
  }
}
