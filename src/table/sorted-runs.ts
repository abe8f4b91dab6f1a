/** Sorted runs: parts of a table that does not fit in memory, stored as temporary objects and merged. */
import type { ObjectStore } from '../host.ts'
import { Problem } from '../problem.ts'
import { type Batches, mergeRows, type Order } from './merge.ts'
import type { Schema } from './schema.ts'
import { openTable } from './table.ts'
import { TemporaryObjects } from './temporary.ts'
import { type TableEncoder, writeTable } from './write-table.ts'

export type RunsOptions<Row, Key> = {
  readonly schema: Schema<Row>
  readonly order: Order<Row, Key>
  /** How many runs are read at the same time. */
  readonly fanIn: number
}

/** An encoded run. */
export type EncodedRun<Row> = {
  readonly encoder: TableEncoder<Row>
  readonly groups: ReadableStream<Uint8Array>
}

export class SortedRuns<Row, Key> {
  readonly #store: ObjectStore
  readonly #options: RunsOptions<Row, Key>
  readonly #temporary: TemporaryObjects
  #runs: string[] = []
  /** The first run. */
  #encoder: TableEncoder<Row> | undefined

  constructor(store: ObjectStore, options: RunsOptions<Row, Key>) {
    this.#store = store
    this.#options = options
    this.#temporary = new TemporaryObjects(store)
  }

  get count(): number {
    return this.#runs.length
  }

  /** Stores a run. @param batches sorted; rows equal to those of an earlier run come after them */
  async write(batches: Batches<Row>): Promise<void> {
    this.#runs.push(await this.#put(batches))
  }

  /**
   * All rows in order. If there are more runs than can be read at the same time, they are first merged into fewer, each row
   * equally often: `fanIn` times the runs cost one more pass.
   */
  async *merged(): AsyncGenerator<readonly Row[], void, undefined> {
    while (this.#runs.length > this.#options.fanIn) this.#runs = await this.#mergeSome()
    yield* this.#merge(this.#runs)
  }

  /** The one run's bytes; undefined if there are more runs, or none. */
  async onlyRun(): Promise<EncodedRun<Row> | undefined> {
    const [run, ...others] = this.#runs
    const encoder = this.#encoder
    if (run === undefined || encoder === undefined || others.length > 0) return undefined
    const object = await this.#store.get(run, { offset: 0, length: encoder.bytes })
    if (object === undefined) throw gone(run)
    return { encoder, groups: object.body }
  }

  async delete(): Promise<void> {
    await this.#temporary.delete()
  }

  async #mergeSome(): Promise<string[]> {
    const merged: string[] = []
    for (let i = 0; i < this.#runs.length; i += this.#options.fanIn) {
      const some = this.#runs.slice(i, i + this.#options.fanIn)
      merged.push(await this.#put(this.#merge(some)))
      await this.#temporary.delete(some)
    }
    return merged
  }

  async #put(batches: Batches<Row>): Promise<string> {
    const key = this.#temporary.next()
    const encoder = await writeTable(this.#store, key, this.#options.schema, batches)
    this.#encoder = this.#runs.length === 0 ? encoder : undefined
    return key
  }

  async *#merge(runs: readonly string[]): AsyncGenerator<readonly Row[], void, undefined> {
    const { schema, order } = this.#options
    const sources: AsyncGenerator<readonly Row[]>[] = []
    for (const run of runs) {
      const table = await openTable(this.#store, run, schema)
      if (table === undefined) throw gone(run)
      sources.push(table.rows())
    }
    yield* mergeRows(sources, order)
  }
}

function gone(run: string): Problem {
  return new Problem('store_error', `the temporary object ${run} is missing from the store`)
}
