/** Rows in another order than that in which they are found, in bounded memory. */
import type { ObjectStore } from '../host.ts'
import type { Schema } from '../index/schema.ts'
import { Problem } from '../problem.ts'
import { Heap } from './heap.ts'
import { openTable } from './table.ts'
import { TemporaryObjects } from './temporary.ts'
import { writeTable } from './write-table.ts'

/** Negative where `a` comes before `b`; rows that are equal stay in the order in which they came. */
export type Compare<Row> = (a: Row, b: Row) => number

export type SortLimits = {
  /** Rows, and bytes of their names and the like, that are held at once. */
  readonly rows: number
  readonly bytes: number
  /** Runs that are read at the same time. */
  readonly fanIn: number
}

const LIMITS: SortLimits = { rows: 32 * 1024, bytes: 4 * 1024 * 1024, fanIn: 32 }

/**
 * Takes rows and gives them back sorted. What is more than fits is put aside as sorted runs, temporary objects which are
 * deleted with `delete`.
 */
export class SortedRows<Row> {
  readonly #store: ObjectStore
  readonly #schema: Schema<Row>
  readonly #compare: Compare<Row>
  readonly #weigh: (row: Row) => number
  readonly #limits: SortLimits
  readonly #temporary: TemporaryObjects
  readonly #runs: string[] = []
  #rows: Row[] = []
  #bytes = 0

  /**
   * @param schema of the runs, in no order of its own
   * @param weigh bytes of a row's names and the like
   */
  constructor(
    store: ObjectStore,
    schema: Schema<Row>,
    compare: Compare<Row>,
    weigh: (row: Row) => number,
    limits = LIMITS,
  ) {
    this.#store = store
    this.#schema = schema
    this.#compare = compare
    this.#weigh = weigh
    this.#limits = limits
    this.#temporary = new TemporaryObjects(store)
  }

  async addAll(rows: readonly Row[]): Promise<void> {
    const limits = this.#limits
    for (const row of rows) {
      this.#rows.push(row)
      this.#bytes += this.#weigh(row)
      if (this.#rows.length >= limits.rows || this.#bytes >= limits.bytes) await this.#spill()
    }
  }

  /** All rows, sorted; to be called once. */
  async *sorted(): AsyncGenerator<readonly Row[], void, undefined> {
    if (this.#runs.length === 0) {
      const rows = this.#takeSorted()
      for (let start = 0; start < rows.length; start += BATCH) yield rows.slice(start, start + BATCH)
      return
    }
    await this.#spill()
    while (this.#runs.length > this.#limits.fanIn) {
      const some = this.#runs.splice(0, this.#limits.fanIn)
      // In front of the others: its rows came before theirs.
      this.#runs.unshift(await this.#merged(some))
    }
    yield* this.#merge(this.#runs)
  }

  async delete(): Promise<void> {
    this.#rows = []
    await this.#temporary.delete()
  }

  async #spill(): Promise<void> {
    await this.#writeRun(once(this.#takeSorted()))
  }

  #takeSorted(): readonly Row[] {
    const rows = this.#rows.sort(this.#compare)
    this.#rows = []
    this.#bytes = 0
    return rows
  }

  async #writeRun(batches: AsyncIterable<readonly Row[]>): Promise<void> {
    const key = this.#temporary.next()
    await writeTable(this.#store, key, this.#schema, batches)
    this.#runs.push(key)
  }

  async #merged(runs: readonly string[]): Promise<string> {
    const key = this.#temporary.next()
    await writeTable(this.#store, key, this.#schema, this.#merge(runs))
    await this.#temporary.delete(runs)
    return key
  }

  async *#merge(keys: readonly string[]): AsyncGenerator<readonly Row[], void, undefined> {
    const heap = new Heap<Run<Row>>((a, b) => (this.#compare(a.row, b.row) || a.number - b.number) < 0)
    const runs: Run<Row>[] = []
    try {
      for (const [number, key] of keys.entries()) {
        const table = await openTable(this.#store, key, this.#schema)
        if (table === undefined) throw new Problem('store_error', 'a temporary object is gone')
        const run = await Run.open(number, table.rows())
        if (run === undefined) continue
        runs.push(run)
        heap.push(run)
      }
      let batch: Row[] = []
      for (let top = heap.top; top !== undefined; top = heap.top) {
        if (batch.push(top.row) === BATCH) {
          yield batch
          batch = []
        }
        if (top.advance() || (await top.fill())) heap.sink()
        else heap.removeTop()
      }
      yield batch
    } finally {
      for (const run of runs) await run.close()
    }
  }
}

const BATCH = 1000

/** Where the merge stands in one run. */
class Run<Row> {
  readonly number: number
  readonly #batches: AsyncGenerator<readonly Row[]>
  #batch: readonly Row[]
  #next = 1
  row: Row

  private constructor(
    number: number,
    batches: AsyncGenerator<readonly Row[]>,
    batch: readonly Row[],
    row: Row,
  ) {
    this.number = number
    this.#batches = batches
    this.#batch = batch
    this.row = row
  }

  /** Undefined for a run without rows. */
  static async open<Row>(
    number: number,
    batches: AsyncGenerator<readonly Row[]>,
  ): Promise<Run<Row> | undefined> {
    const { value } = await batches.next()
    const row = value?.[0]
    return value === undefined || row === undefined ? undefined : new Run(number, batches, value, row)
  }

  /** To the next row of the batch, if it has one. */
  advance(): boolean {
    const row = this.#batch[this.#next++]
    if (row === undefined) return false
    this.row = row
    return true
  }

  async fill(): Promise<boolean> {
    const { value } = await this.#batches.next()
    if (value === undefined) return false
    this.#batch = value
    this.#next = 0
    return this.advance()
  }

  async close(): Promise<void> {
    await this.#batches.return(undefined)
  }
}

async function* once<Row>(rows: readonly Row[]): AsyncGenerator<readonly Row[]> {
  yield rows
}
