/**
 * Objects whose ends are kept in memory. An image is merged in several passes, and the tables of most layers are small: then
 * each is fetched once, instead of once for each pass.
 */
import type { ByteRange, StoredObject } from '../host.ts'
import { streamOf } from '../source/byte-stream.ts'
import { boundsOf } from './byte-range.ts'
import { fetchBytes } from './fetch-bytes.ts'
import type { TableStore } from './part.ts'

type Tail = NonNullable<Awaited<ReturnType<typeof fetchBytes>>>

export class HeldTails implements TableStore {
  readonly #store: TableStore
  readonly #bytes: number
  readonly #tails = new Map<string, Promise<Tail | undefined>>()

  /** @param bytes how much is kept of each object; none if a table is opened with more */
  constructor(store: TableStore, bytes: number) {
    this.#store = store
    this.#bytes = bytes
  }

  async get(key: string, range?: ByteRange): Promise<StoredObject | undefined> {
    // A table is opened by its end.
    const isOpened = range !== undefined && 'suffix' in range && range.suffix <= this.#bytes
    if (isOpened && !this.#tails.has(key)) this.#hold(key)
    return (await this.#held(key, range)) ?? this.#store.get(key, range)
  }

  /** Once, however many layers with this table are opened at the same time. */
  #hold(key: string): void {
    const fetching = fetchBytes(this.#store, key, { suffix: this.#bytes })
    this.#tails.set(key, fetching)
    // Whoever waits for it gets the error; another attempt may succeed.
    fetching.catch(() => this.#tails.delete(key))
  }

  /** Undefined if the range begins before the tail. */
  async #held(key: string, range?: ByteRange): Promise<StoredObject | undefined> {
    const tail = await this.#tails.get(key)
    if (tail === undefined || range === undefined) return undefined
    const { size, bytes } = tail
    const { start, end } = boundsOf(range, size)
    const first = size - bytes.length
    return start < first ? undefined : { size, body: streamOf(bytes.subarray(start - first, end - first)) }
  }
}
