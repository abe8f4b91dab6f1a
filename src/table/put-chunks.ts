/** From a generator into the store, only as fast as the store accepts data. */
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
      // A failing store may cancel while the next chunk is created.
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
    // The source's error says more than the store's error about it.
    throw failure === undefined ? error : failure.error
  } finally {
    // A failing store need not cancel the stream that it reads.
    await chunks.return(undefined)
  }
}
