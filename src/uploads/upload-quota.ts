/**
 * The space that all uploads take in the store. It is counted from the keys of their parts, so that it holds for all servers of
 * a store, and between two counts from what this process writes.
 */
import type { ObjectStore } from '../host.ts'
import { ARCHIVES, isUploadPart } from '../index/keys.ts'
import { Problem } from '../problem.ts'
import { PART_BYTES } from './upload-parts.ts'

const COUNTED_MILLISECONDS = 60_000
/** A count that says there is no room is trusted for less: an upload may have been deleted. */
const FULL_MILLISECONDS = 2_000
const RETRY_AFTER_SECONDS = 60

export class UploadQuota {
  #bytes = 0
  #countedAt = Number.NEGATIVE_INFINITY
  #counting: Promise<void> | undefined

  /**
   * Call this before a part is stored; each counts as a whole one.
   *
   * @throws Problem `store_error` if there is no room for it
   */
  async take(store: ObjectStore, most: number): Promise<void> {
    if (this.#age > COUNTED_MILLISECONDS) await this.#count(store)
    if (this.#bytes + PART_BYTES > most && this.#age > FULL_MILLISECONDS) await this.#count(store)
    if (this.#bytes + PART_BYTES > most)
      throw new Problem(
        'store_error',
        `the uploads of this service have ${this.#bytes} bytes, and the limit is ${most} (LAMINA_UPLOADS_BYTES): delete uploads, or try again when some have expired`,
        { retryAfter: RETRY_AFTER_SECONDS },
      )
    this.#bytes += PART_BYTES
  }

  /** Parts that this process deleted. */
  give(parts: number): void {
    this.#bytes = Math.max(0, this.#bytes - parts * PART_BYTES)
  }

  get #age(): number {
    return performance.now() - this.#countedAt
  }

  #count(store: ObjectStore): Promise<void> {
    this.#counting ??= this.#list(store).finally(() => {
      this.#counting = undefined
    })
    return this.#counting
  }

  async #list(store: ObjectStore): Promise<void> {
    let parts = 0
    for await (const key of store.list(ARCHIVES)) if (isUploadPart(key)) parts++
    this.#bytes = parts * PART_BYTES
    this.#countedAt = performance.now()
  }
}
