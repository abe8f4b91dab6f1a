/** An object store in memory, which counts what is read from it. */
import type { ByteRange, StoredObject } from '../../src/host.ts'
import { ObjectsInMemory, partOfObject } from '../../src/service/objects-in-memory.ts'

export class MemoryStore extends ObjectsInMemory {
  /** Bytes requested; a range counts with its own length. */
  bytesRead = 0
  /** Calls of `get`. */
  reads = 0

  override get(key: string, range?: ByteRange): Promise<StoredObject | undefined> {
    this.reads++
    const object = this.objects.get(key)
    this.bytesRead += object === undefined ? 0 : partOfObject(object, range).length
    return super.get(key, range)
  }
}
