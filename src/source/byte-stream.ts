/** Streams of bytes from what gives them. */

export type ByteSource = {
  /** Fills the beginning of the view. @returns how many bytes; 0 at the end */
  readInto(view: Uint8Array): Promise<number>
  cancel(reason?: unknown): Promise<void>
}

/**
 * A byte stream: a reader with its own buffer (`getReader({ mode: 'byob' })`) has it filled without an object in between.
 *
 * @param chunkBytes how much one pull requests at most if the reader brings no buffer
 */
export function byteStream(source: ByteSource, chunkBytes: number): ReadableStream<Uint8Array> {
  return new ReadableStream({
    type: 'bytes',
    autoAllocateChunkSize: chunkBytes,
    async pull(controller) {
      const request = controller.byobRequest
      const lent = request?.view
      const view = lent
        ? new Uint8Array(lent.buffer, lent.byteOffset, lent.byteLength)
        : new Uint8Array(chunkBytes)
      const count = await source.readInto(view)
      if (count === 0) controller.close()
      if (request) request.respond(count)
      else if (count > 0) controller.enqueue(view.subarray(0, count))
    },
    cancel: (reason) => source.cancel(reason),
  })
}

/** A stream of bytes that are in memory, as one piece. */
export function streamOf(bytes: Uint8Array): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      if (bytes.length > 0) controller.enqueue(bytes)
      controller.close()
    },
  })
}
