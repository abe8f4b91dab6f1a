/** One object of the store, written piece by piece while something else is read. */
import type { ObjectStore } from '../host.ts'

export class ObjectWriter {
  readonly #store: ObjectStore
  readonly #key: string
  #writer: WritableStreamDefaultWriter<Uint8Array> | undefined
  #put: Promise<void> | undefined

  constructor(store: ObjectStore, key: string) {
    this.#store = store
    this.#key = key
  }

  /** @param piece belongs to the object from now on. @throws what the store fails with */
  async write(piece: Uint8Array): Promise<void> {
    this.#writer ??= this.#begin()
    await this.#taken(this.#writer.write(piece))
  }

  /** Resolves when the object is stored. If nothing was written, nothing is stored. */
  async finish(): Promise<void> {
    await this.#taken(this.#writer?.close())
    await this.#put
  }

  /** Stores nothing. */
  async abort(reason: unknown): Promise<void> {
    await this.#writer?.abort(reason).catch(() => {})
    await this.#put?.catch(() => {})
  }

  /** The store's error: the stream only reports that reading stopped. */
  async #taken(writing: Promise<void> | undefined): Promise<void> {
    try {
      await writing
    } catch (error) {
      await this.#put
      throw error
    }
  }

  #begin(): WritableStreamDefaultWriter<Uint8Array> {
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>({})
    const writer = writable.getWriter()
    this.#put = this.#store.put(this.#key, readable)
    // A failing store may leave its input open: the writer must see the error anyway.
    this.#put.catch((error) => writer.abort(error).catch(() => {}))
    writer.closed.catch(() => {})
    return writer
  }
}
