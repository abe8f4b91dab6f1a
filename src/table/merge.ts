/** The k-way merge: sorted sources of rows, read in parallel as one sorted sequence. */
import { inParallel } from '../concurrency.ts'
import { Heap } from './heap.ts'

/** Rows in batches, sorted. */
export type Batches<Row> = AsyncIterable<readonly Row[]>

/**
 * The sort order of a merge. Each source's current key is kept, so that it is computed once; rows with equal keys come in the
 * order of their sources.
 */
export type Order<Row, Key> = {
  readonly keyOf: (row: Row) => Key
  readonly isBefore: (a: RowOrder<Key>, b: RowOrder<Key>) => boolean
}

/** A key, and the index of its source. */
export type RowOrder<Key> = { readonly key: Key; readonly source: number }

/** By a text, byte by byte. */
export function byText<Row>(keyOf: (row: Row) => string): Order<Row, string> {
  return { keyOf, isBefore: isTextBefore }
}

function isTextBefore(a: RowOrder<string>, b: RowOrder<string>): boolean {
  return a.key < b.key || (a.source < b.source && a.key === b.key)
}

/** @param compare negative if `a` comes before `b` */
export function byComparison<Row>(compare: (a: Row, b: Row) => number): Order<Row, Row> {
  return { keyOf: (row) => row, isBefore: (a, b) => (compare(a.key, b.key) || a.source - b.source) < 0 }
}

/** The current row of one source. */
class Cursor<Row, Key> implements RowOrder<Key> {
  readonly source: number
  readonly #batches: AsyncIterator<readonly Row[]>
  readonly #keyOf: (row: Row) => Key
  #batch: readonly Row[]
  #next = 1
  row: Row
  key: Key

  private constructor(source: number, { batches, batch, row }: Opened<Row>, keyOf: (row: Row) => Key) {
    this.source = source
    this.#batches = batches
    this.#keyOf = keyOf
    this.#batch = batch
    this.row = row
    this.key = keyOf(row)
  }

  /** Undefined for a source without rows. */
  static async open<Row, Key>(
    source: number,
    batches: AsyncIterator<readonly Row[]>,
    keyOf: (row: Row) => Key,
  ): Promise<Cursor<Row, Key> | undefined> {
    for (;;) {
      const { done, value } = await batches.next()
      if (done === true) return undefined
      const row = value[0]
      if (row !== undefined) return new Cursor(source, { batches, batch: value, row }, keyOf)
    }
  }

  /** Moves to the next row of the batch; false at its end. */
  advance(): boolean {
    const row = this.#batch[this.#next++]
    if (row === undefined) return false
    this.row = row
    this.key = this.#keyOf(row)
    return true
  }

  /** Moves to the first row of the next batch; false at the end of the source. */
  async fill(): Promise<boolean> {
    for (;;) {
      const { done, value } = await this.#batches.next()
      if (done === true) return false
      this.#batch = value
      this.#next = 0
      if (this.advance()) return true
    }
  }
}

type Opened<Row> = {
  readonly batches: AsyncIterator<readonly Row[]>
  readonly batch: readonly Row[]
  readonly row: Row
}

/** The state of a merge: `top` is the source with the first remaining row. It holds one batch of each source. */
export class Merge<Row, Key> {
  readonly #sources: readonly AsyncIterator<readonly Row[]>[]
  readonly #order: Order<Row, Key>
  readonly #cursors: Heap<Cursor<Row, Key>>

  constructor(sources: readonly Batches<Row>[], order: Order<Row, Key>) {
    this.#sources = sources.map((batches) => batches[Symbol.asyncIterator]())
    this.#order = order
    this.#cursors = new Heap<Cursor<Row, Key>>(order.isBefore)
  }

  /** Reads the first rows of all sources. Call it once, before `top`. */
  async open(): Promise<void> {
    const { keyOf } = this.#order
    const opened = await inParallel([...this.#sources.entries()], OPENED_AT_ONCE, ([source, batches]) =>
      Cursor.open(source, batches, keyOf),
    )
    for (const cursor of opened) if (cursor !== undefined) this.#cursors.push(cursor)
  }

  /** The first of the remaining rows; valid until `next`. Undefined at the end. */
  get top(): (RowOrder<Key> & { readonly row: Row }) | undefined {
    return this.#cursors.top
  }

  /** Moves past `top`. Returns a promise only if a source must be read: most steps need no await. */
  next(): Promise<void> | undefined {
    if (this.#cursors.top?.advance()) {
      this.#cursors.sink()
      return undefined
    }
    return this.#fill()
  }

  async #fill(): Promise<void> {
    if (await this.#cursors.top?.fill()) this.#cursors.sink()
    else this.#cursors.removeTop()
  }

  /** Closes all sources, whether or not they were read to the end. */
  async close(): Promise<void> {
    for (const source of this.#sources) await source.return?.()
  }
}

/** How many sources are opened at the same time: each is a request to the store, and an image may have a thousand layers. */
const OPENED_AT_ONCE = 16
/** How many rows are passed on at once. */
const BATCH = 1000

/** All rows in order. */
export async function* mergeRows<Row, Key>(
  sources: readonly Batches<Row>[],
  order: Order<Row, Key>,
): AsyncGenerator<readonly Row[], void, undefined> {
  const merge = new Merge(sources, order)
  try {
    await merge.open()
    let batch: Row[] = []
    for (let top = merge.top; top !== undefined; top = merge.top) {
      if (batch.push(top.row) === BATCH) {
        yield batch
        batch = []
      }
      const reading = merge.next()
      if (reading !== undefined) await reading
    }
    yield batch
  } finally {
    await merge.close()
  }
}
