/** Lists as one JSON object a line, made as fast as they are read. */

const encoder = new TextEncoder()

export type Lines<T> = {
  readonly batches: AsyncIterable<readonly T[]>
  readonly show: (item: T) => unknown
  /** Told of an error that came too late for a status: the stream is then cut off, never ended. */
  readonly onCut: (error: unknown) => void
}

/**
 * Resolves when the first batch is there, so that what is wrong from the start is still answered as a problem. A batch
 * is made when the reader wants it; a reader that leaves stops the source.
 */
export async function jsonLines<T>({ batches, show, onCut }: Lines<T>): Promise<ReadableStream<Uint8Array>> {
  const source = batches[Symbol.asyncIterator]()
  let ahead: IteratorResult<readonly T[]> | undefined = await source.next()
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          for (;;) {
            const next: IteratorResult<readonly T[]> = ahead ?? (await source.next())
            ahead = undefined
            if (next.done) return controller.close()
            if (next.value.length === 0) continue
            return controller.enqueue(encoder.encode(toLines(next.value, show)))
          }
        } catch (error) {
          onCut(error)
          controller.error(error)
        }
      },
      async cancel() {
        await source.return?.()
      },
    },
    { highWaterMark: 0 },
  )
}

function toLines<T>(items: readonly T[], show: (item: T) => unknown): string {
  let text = ''
  for (const item of items) text += `${JSON.stringify(show(item))}\n`
  return text
}
