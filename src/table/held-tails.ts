/**
 * Objects whose ends are kept in memory. An image is merged in several passes, and the tables of most layers are small: then
 * each is fetched once, instead of once for each pass.
 */
import type { ByteRange, StoredObject } from '../host.ts'
import { fetchBytes } from './fetch-bytes.ts'
import type { TableStore } from './part.ts'

type Tail = NonNullable<Awaited<ReturnType<typeof fetchBytes>>>

export class HeldTails implements TableStore {
  readonly #store: TableStore
  readonly #bytes: number
  readonly #tails = new Map<string, Tail>()

  /** @param bytes how much is kept of each object; none if a table is opened with more */
  constructor(store: TableStore, bytes: number) {
    this.#store = store
    this.#bytes = bytes
  }

  async get(key: string, range?: ByteRange): Promise<StoredObject | undefined> {
    // A table is opened by its end.
    const isOpened = range !== undefined && 'suffix' in range && range.suffix <= this.#bytes
    if (isOpened && !this.#tails.has(key)) await this.#hold(key)
    const tail = this.#tails.get(key)
    const bytes = tail && range && partOfTail(tail, range)
    return bytes === undefined
      ? this.#store.get(key, range)
      : { size: tail?.size ?? 0, body: streamOf(bytes) }
  }

  async #hold(key: string): Promise<void> {
    const tail = await fetchBytes(this.#store, key, { suffix: this.#bytes })
    if (tail !== undefined) this.#tails.set(key, tail)
  }
}

/** Undefined if the range begins before the tail. */
function partOfTail({ size, bytes }: Tail, range: ByteRange): Uint8Array | undefined {
  const [start, end] =
    'suffix' in range ? [size - range.suffix, size] : [range.offset, range.offset + range.length]
  const first = Math.max(start, 0) - (size - bytes.length)
  return first < 0 ? undefined : bytes.subarray(first, end - (size - bytes.length))
}

function streamOf(bytes: Uint8Array): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      if (bytes.length > 0) controller.enqueue(bytes)
      controller.close()
    },
  })
}
