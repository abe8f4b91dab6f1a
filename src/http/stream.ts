/** Bodies that are made while they are read. */

/**
 * Resolves when the first piece is ready, so that an error at the start is still answered as a problem. Pieces are made on
 * demand.
 *
 * @param make the pieces; the signal is aborted when the reader leaves
 * @param onCut called with an error that came too late for a status: the stream is then cut off, never ended
 */
export async function streamBody(
  make: (signal: AbortSignal) => AsyncIterable<Uint8Array>,
  onCut: (error: unknown) => void,
): Promise<ReadableStream<Uint8Array>> {
  const left = new AbortController()
  const source = make(left.signal)[Symbol.asyncIterator]()
  let ahead: IteratorResult<Uint8Array> | undefined = await source.next()
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const next: IteratorResult<Uint8Array> = ahead ?? (await source.next())
          ahead = undefined
          if (next.done) controller.close()
          else controller.enqueue(next.value)
        } catch (error) {
          if (!left.signal.aborted) onCut(error)
          controller.error(error)
          await source.return?.()
        }
      },
      async cancel(reason) {
        // A source waiting for a slow registry is woken first: it can only return between two pieces.
        left.abort(reason)
        await source.return?.()
      },
    },
    { highWaterMark: 0 },
  )
}
