/** An object store in memory. */
import type { ByteRange, ObjectStore, StoredObject } from '../host.ts'

const PIECE_BYTES = 64 * 1024

export class ObjectsInMemory implements ObjectStore {
  readonly objects = new Map<string, Uint8Array>()

  async get(key: string, range?: ByteRange): Promise<StoredObject | undefined> {
    const object = this.objects.get(key)
    if (object === undefined) return undefined
    return { size: object.length, body: streamOf(partOfObject(object, range)) }
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

/** What a range of an object has; all of it without one. */
export function partOfObject(object: Uint8Array, range?: ByteRange): Uint8Array {
  if (range === undefined) return object
  if ('suffix' in range) return object.subarray(Math.max(object.length - range.suffix, 0))
  return object.subarray(range.offset, range.offset + range.length)
}

/** In pieces, as a remote store sends them. */
function streamOf(bytes: Uint8Array): ReadableStream<Uint8Array> {
  let at = 0
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) return controller.close()
      controller.enqueue(bytes.slice(at, at + PIECE_BYTES))
      at += PIECE_BYTES
    },
  })
}

async function collected(body: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  for await (const chunk of body) chunks.push(chunk)
  return Buffer.concat(chunks)
}
