/**
 * The store of the thread that answers HTTP: it reads only the notes of tables, since the work for anything else depends on the
 * image.
 */
import type { ByteRange, ObjectStore, StoredObject } from '../../../src/host.ts'
import { Offload } from '../../../src/http/offload.ts'
import { readsMetadata } from '../../../src/table/metadata.ts'

export class AnsweringStore implements ObjectStore {
  readonly #store: ObjectStore

  constructor(store: ObjectStore) {
    this.#store = store
  }

  /** @throws Offload for the rows of a table */
  async get(key: string, range?: ByteRange): Promise<StoredObject | undefined> {
    if (key.endsWith('.parquet') && !readsMetadata(range)) throw new Offload()
    return this.#store.get(key, range)
  }

  has(key: string): Promise<boolean> {
    return this.#store.has(key)
  }

  put(key: string, body: Uint8Array | ReadableStream<Uint8Array>): Promise<void> {
    return this.#store.put(key, body)
  }

  delete(key: string): Promise<void> {
    return this.#store.delete(key)
  }

  list(prefix: string): AsyncIterable<string> {
    return this.#store.list(prefix)
  }
}
