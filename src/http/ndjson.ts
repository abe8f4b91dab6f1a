/** Lists as one JSON object a line, made as fast as they are read. */

const encoder = new TextEncoder()

/**
 * Resolves when the first batch is there, so that what is wrong from the start is still answered as a problem. A batch
 * is made when the reader wants it; a reader that leaves stops the source.
 *
 * @param onCut told of an error that came too late for a status: the stream is then cut off, never ended
 */
export async function jsonLines(
  batches: AsyncIterable<readonly unknown[]>,
  onCut: (error: unknown) => void,
): Promise<ReadableStream<Uint8Array>> {
  const source = batches[Symbol.asyncIterator]()
  let ahead: IteratorResult<readonly unknown[]> | undefined = await source.next()
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          for (;;) {
            const next: IteratorResult<readonly unknown[]> = ahead ?? (await source.next())
            ahead = undefined
            if (next.done) return controller.close()
            if (next.value.length === 0) continue
            return controller.enqueue(encoder.encode(toLines(next.value)))
          }
        } catch (error) {
          onCut(error)
          controller.error(error)
          await source.return?.()
        }
      },
      async cancel() {
        await source.return?.()
      },
    },
    { highWaterMark: 0 },
  )
}

function toLines(items: readonly unknown[]): string {
  let text = ''
  for (const item of items) text += `${JSON.stringify(item)}\n`
  return text
}
