/** Sorts rows that come in any order, in bounded memory. */
import type { ObjectStore } from '../host.ts'
import { byComparison } from './merge.ts'
import type { Schema } from './schema.ts'
import { SortedRuns } from './sorted-runs.ts'

export type SortLimits = {
  /** How many rows, and bytes of their names and the like, are held at once. */
  readonly rows: number
  readonly bytes: number
  /** How many runs are read at the same time. */
  readonly fanIn: number
}

export type SortOptions<Row> = {
  /** The schema of the temporary runs: without a `sortKey`. */
  readonly schema: Schema<Row>
  /** Negative if `a` comes before `b`; equal rows keep their order. */
  readonly compare: (a: Row, b: Row) => number
  /** Bytes of a row's names and the like. */
  readonly weigh: (row: Row) => number
  readonly limits?: SortLimits
}

const LIMITS: SortLimits = { rows: 32 * 1024, bytes: 4 * 1024 * 1024, fanIn: 32 }
/** How many rows are passed on at once. */
const BATCH = 1000

/** Takes rows and returns them sorted. `delete` removes from the store what did not fit in memory. */
export class SortedRows<Row> {
  readonly #options: SortOptions<Row>
  readonly #limits: SortLimits
  readonly #runs: SortedRuns<Row, Row>
  #rows: Row[] = []
  #bytes = 0

  constructor(store: ObjectStore, options: SortOptions<Row>) {
    const { schema, compare, limits = LIMITS } = options
    this.#options = options
    this.#limits = limits
    this.#runs = new SortedRuns(store, { schema, order: byComparison(compare), fanIn: limits.fanIn })
  }

  async addAll(rows: readonly Row[]): Promise<void> {
    const { rows: mostRows, bytes: mostBytes } = this.#limits
    const { weigh } = this.#options
    for (const row of rows) {
      this.#rows.push(row)
      this.#bytes += weigh(row)
      if (this.#rows.length >= mostRows || this.#bytes >= mostBytes) {
        await this.#runs.write(inBatches(this.#takeSorted()))
      }
    }
  }

  /** All rows, sorted; call it once. */
  async *sorted(): AsyncGenerator<readonly Row[], void, undefined> {
    if (this.#runs.count === 0) {
      yield* inBatches(this.#takeSorted())
      return
    }
    await this.#runs.write(inBatches(this.#takeSorted()))
    yield* this.#runs.merged()
  }

  async delete(): Promise<void> {
    this.#rows = []
    await this.#runs.delete()
  }

  #takeSorted(): readonly Row[] {
    const rows = this.#rows.sort(this.#options.compare)
    this.#rows = []
    this.#bytes = 0
    return rows
  }
}

async function* inBatches<Row>(rows: readonly Row[]): AsyncGenerator<readonly Row[], void, undefined> {
  for (let start = 0; start < rows.length; start += BATCH) yield rows.slice(start, start + BATCH)
}
