/** An object store in memory, which counts what is read from it. */
import type { ByteRange, ObjectStore, StoredObject } from '../../src/host.ts'
import { boundsOf } from '../../src/table/byte-range.ts'

const PIECE_BYTES = 64 * 1024

export class MemoryStore implements ObjectStore {
  /** Bytes requested; a range counts with its own length. */
  bytesRead = 0
  /** Calls of `get`. */
  reads = 0
  readonly objects = new Map<string, Uint8Array>()

  async get(key: string, range?: ByteRange): Promise<StoredObject | undefined> {
    this.reads++
    const object = this.objects.get(key)
    if (object === undefined) return undefined
    const part = partOfObject(object, range)
    this.bytesRead += part.length
    return { size: object.length, body: piecesOf(part) }
  }

  async has(key: string): Promise<boolean> {
    return this.objects.has(key)
  }

  async put(key: string, body: Uint8Array | ReadableStream<Uint8Array>): Promise<void> {
    const isWhole = body instanceof Uint8Array
    this.objects.set(key, isWhole ? body.slice() : new Uint8Array(await new Response(body).arrayBuffer()))
  }

  async delete(key: string): Promise<void> {
    this.objects.delete(key)
  }

  async *list(prefix: string): AsyncGenerator<string> {
    const keys = [...this.objects.keys()].filter((key) => key.startsWith(prefix))
    yield* keys.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
  }
}

/** What a range of an object has; all of it without one. */
function partOfObject(object: Uint8Array, range?: ByteRange): Uint8Array {
  if (range === undefined) return object
  const { start, end } = boundsOf(range, object.length)
  return object.subarray(start, end)
}

/** In pieces, as a remote store sends them. */
function piecesOf(bytes: Uint8Array): ReadableStream<Uint8Array> {
  let at = 0
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) return controller.close()
      controller.enqueue(bytes.slice(at, at + PIECE_BYTES))
      at += PIECE_BYTES
    },
  })
}
