/** Objects that are deleted when the work that needs them ends: sorted runs of a table that does not fit in memory. */
import type { ObjectStore } from '../host.ts'

/** Objects that live no longer than the work that creates them. */
export class TemporaryObjects {
  readonly #store: ObjectStore
  readonly #work = crypto.randomUUID()
  readonly #keys = new Set<string>()
  #count = 0

  constructor(store: ObjectStore) {
    this.#store = store
  }

  /** A unique name. */
  next(): string {
    const key = `temporary/${this.#work}/${this.#count++}`
    this.#keys.add(key)
    return key
  }

  /** Deletes these, or all. Errors are ignored: the work is done, and the bucket's lifecycle rules remove what is left. */
  async delete(keys: readonly string[] = [...this.#keys]): Promise<void> {
    await Promise.allSettled(keys.map((key) => this.#store.delete(key)))
    for (const key of keys) this.#keys.delete(key)
  }
}
