/** An object store in memory, which counts what is read from it. */
import type { ByteRange, ObjectStore, StoredObject } from '../src/host.ts'

export class MemoryStore implements ObjectStore {
  readonly objects = new Map<string, Uint8Array>()
  /** Bytes requested; a range counts with its own length. */
  bytesRead = 0
  /** Calls of `get`. */
  reads = 0

  async get(key: string, range?: ByteRange): Promise<StoredObject | undefined> {
    this.reads++
    const object = this.objects.get(key)
    if (object === undefined) return undefined
    const bytes = range === undefined ? object : ranged(object, range)
    this.bytesRead += bytes.length
    return { size: object.length, body: streamOf(bytes) }
  }

  async has(key: string): Promise<boolean> {
    return this.objects.has(key)
  }

  async put(key: string, body: Uint8Array | ReadableStream<Uint8Array>): Promise<void> {
    this.objects.set(key, body instanceof Uint8Array ? body.slice() : await collected(body))
  }

  async delete(key: string): Promise<void> {
    this.objects.delete(key)
  }

  async *list(prefix: string): AsyncGenerator<string> {
    const keys = [...this.objects.keys()].filter((key) => key.startsWith(prefix))
    yield* keys.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
  }
}

function ranged(object: Uint8Array, range: ByteRange): Uint8Array {
  if ('suffix' in range) return object.subarray(Math.max(object.length - range.suffix, 0))
  return object.subarray(range.offset, range.offset + range.length)
}

/** In pieces, as a remote store sends them. */
function streamOf(bytes: Uint8Array): ReadableStream<Uint8Array> {
  const piece = 64 * 1024
  let at = 0
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) return controller.close()
      controller.enqueue(bytes.slice(at, at + piece))
      at += piece
    },
  })
}

async function collected(body: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  for await (const chunk of body) chunks.push(chunk)
  return Buffer.concat(chunks)
}
