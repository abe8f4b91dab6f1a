/** Counts what the service asks of its object store, for `/metrics`. */
import type { ByteRange, ObjectStore, StoredObject } from '../../../src/host.ts'

export type StoreOperation = 'get' | 'has' | 'put' | 'delete' | 'list'

/** A store that counts its operations as they begin. */
export class MeteredStore implements ObjectStore {
  readonly #store: ObjectStore
  readonly #count: (operation: StoreOperation) => void

  constructor(store: ObjectStore, count: (operation: StoreOperation) => void) {
    this.#store = store
    this.#count = count
  }

  get(key: string, range?: ByteRange): Promise<StoredObject | undefined> {
    this.#count('get')
    return this.#store.get(key, range)
  }

  has(key: string): Promise<boolean> {
    this.#count('has')
    return this.#store.has(key)
  }

  put(key: string, body: Uint8Array | ReadableStream<Uint8Array>): Promise<void> {
    this.#count('put')
    return this.#store.put(key, body)
  }

  delete(key: string): Promise<void> {
    this.#count('delete')
    return this.#store.delete(key)
  }

  list(prefix: string): AsyncIterable<string> {
    this.#count('list')
    return this.#store.list(prefix)
  }
}
