/** Bytes that are produced before their object is begun: held in memory, or stored temporarily if there are many. */
import type { ObjectStore } from '../host.ts'
import { Problem } from '../problem.ts'
import { TemporaryObjects } from '../table/temporary.ts'
import { ObjectWriter } from './object-writer.ts'

/** Most layers have less than this. */
const HELD_BYTES = 2 * 1024 * 1024

export class Spool {
  readonly #store: ObjectStore
  readonly #temporary: TemporaryObjects
  #held: Uint8Array[] = []
  #bytes = 0
  #aside: { readonly key: string; readonly writer: ObjectWriter } | undefined

  constructor(store: ObjectStore) {
    this.#store = store
    this.#temporary = new TemporaryObjects(store)
  }

  /** @param piece belongs to the spool from now on. @throws what the store fails with */
  async write(piece: Uint8Array): Promise<void> {
    this.#bytes += piece.length
    if (this.#aside === undefined && this.#bytes <= HELD_BYTES) {
      this.#held.push(piece)
      return
    }
    this.#aside ??= this.#begin()
    for (const held of this.#held.splice(0)) await this.#aside.writer.write(held)
    await this.#aside.writer.write(piece)
  }

  /** Call this after the last piece. */
  async finish(): Promise<void> {
    await this.#aside?.writer.finish()
  }

  /** All bytes, once finished. */
  async *chunks(): AsyncGenerator<Uint8Array> {
    if (this.#aside === undefined) {
      yield* this.#held
      return
    }
    const { key } = this.#aside
    const object = await this.#store.get(key)
    if (object === undefined)
      throw new Problem('store_error', `the temporary object ${key} is missing from the store`)
    yield* object.body
  }

  /** Removes temporary data. @param failure why it may not be finished */
  async release(failure?: unknown): Promise<void> {
    if (failure !== undefined) await this.#aside?.writer.abort(failure)
    this.#held = []
    await this.#temporary.delete()
  }

  #begin(): { readonly key: string; readonly writer: ObjectWriter } {
    const key = this.#temporary.next()
    return { key, writer: new ObjectWriter(this.#store, key) }
  }
}
