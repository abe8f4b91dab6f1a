/** Merging sorted runs of one layer's entries. */
import type { ObjectStore } from '../host.ts'
import { ENTRIES } from '../index/entries.ts'
import { type Entry, sortKey } from '../layer/entry.ts'
import { Problem } from '../problem.ts'
import type { PathKey } from '../text/path.ts'
import { openTable } from './table.ts'

const BATCH = 1000

/** @param runs keys of tables of `ENTRIES`, in the order in which their entries stand in the tar */
export async function* mergeRuns(
  store: ObjectStore,
  runs: readonly string[],
): AsyncGenerator<readonly Entry[]> {
  const heap: RunCursor[] = []
  try {
    for (const [run, key] of runs.entries()) {
      const cursor = await RunCursor.open(store, key, run)
      if (cursor !== undefined) heap.push(cursor)
    }
    for (let i = (heap.length >> 1) - 1; i >= 0; i--) siftDown(heap, i)
    let batch: Entry[] = []
    for (let top = heap[0]; top !== undefined; top = heap[0]) {
      batch.push(top.entry)
      if (batch.length === BATCH) {
        yield batch
        batch = []
      }
      if (!top.step() && !(await top.load())) {
        const last = heap.pop()
        if (last === undefined || heap.length === 0) break
        heap[0] = last
      }
      siftDown(heap, 0)
    }
    yield batch
  } finally {
    for (const cursor of heap) await cursor.close()
  }
}

/** Where the merge stands in one run. */
class RunCursor {
  readonly #rows: AsyncGenerator<readonly Entry[]>
  readonly #run: number
  #batch: readonly Entry[] = []
  #next = 0
  #key: PathKey = ''

  private constructor(rows: AsyncGenerator<readonly Entry[]>, run: number) {
    this.#rows = rows
    this.#run = run
  }

  /** At its first entry; undefined where it has none. */
  static async open(store: ObjectStore, key: string, run: number): Promise<RunCursor | undefined> {
    const table = await openTable(store, key, ENTRIES)
    if (table === undefined) throw new Problem('store_error', `the stored table ${key} is gone`)
    const cursor = new RunCursor(table.rows(), run)
    return (await cursor.load()) ? cursor : undefined
  }

  get entry(): Entry {
    const entry = this.#batch[this.#next - 1]
    if (entry === undefined) throw new RangeError('a run that has ended')
    return entry
  }

  /** To the next entry, where it is at hand. */
  step(): boolean {
    const entry = this.#batch[this.#next]
    if (entry === undefined) return false
    this.#next++
    this.#key = sortKey(entry)
    return true
  }

  /** To the next entry after a group's last; false at the end of the run. */
  async load(): Promise<boolean> {
    const { value } = await this.#rows.next()
    this.#batch = value ?? []
    this.#next = 0
    return this.step()
  }

  /** Of entries of one key those of the earlier run stand first in the tar. */
  isBefore(other: RunCursor): boolean {
    return this.#key < other.#key || (this.#key === other.#key && this.#run < other.#run)
  }

  async close(): Promise<void> {
    await this.#rows.return(undefined)
  }
}

function siftDown(heap: RunCursor[], from: number): void {
  let at = from
  for (;;) {
    let least = at
    for (let child = 2 * at + 1; child <= 2 * at + 2; child++) {
      const candidate = heap[child]
      if (candidate?.isBefore(heap[least]!)) least = child
    }
    if (least === at) return
    const moved = heap[at]!
    heap[at] = heap[least]!
    heap[least] = moved
    at = least
  }
}
