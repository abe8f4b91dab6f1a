/**
 * Sorts a layer's entries from tar order into table order, in bounded memory: what fits is sorted and written; of larger
 * layers, sorted runs are stored temporarily and merged. Most tars are already in table order, and then there is one run,
 * however large the layer.
 */
import type { ObjectStore } from '../host.ts'
import { type Entry, sortKey } from '../layer/entry.ts'
import { type Batches, byText } from '../table/merge.ts'
import { SortedRuns } from '../table/sorted-runs.ts'
import { putTable, type TableEnd, writeTable } from '../table/write-table.ts'
import type { PathKey } from '../text/path.ts'
import { ENTRIES } from './entries.ts'
import { EntryWindow } from './entry-window.ts'

export type SortLimits = {
  /** How much is sorted at once. */
  readonly windowEntries: number
  readonly windowBytes: number
  /** How many runs are read at the same time. */
  readonly fanIn: number
}

/** A layer of 100,000 files then takes 18 MB in a Worker, and 40 with twice as much: most tars are in order, and need no more. */
const LIMITS: SortLimits = { windowEntries: 50_000, windowBytes: 8 * 1024 * 1024, fanIn: 32 }

/** Of entries with equal keys, those of the earlier run come first in the tar. */
const ORDER = byText<Entry>(sortKey)

export type SortedTarget = {
  readonly key: string
  /**
   * Called after the last entry: what else the object contains.
   *
   * @param rows all entries, sorted; can be iterated repeatedly
   */
  readonly end: (rows: () => Batches<Entry>) => Promise<TableEnd>
  readonly limits?: SortLimits
}

/**
 * Writes a table of `ENTRIES`.
 *
 * @param batches in the order of the tar
 * @throws whatever `batches` or the target's end throws; then there is no table, and nothing temporary is left
 */
export async function writeSorted(
  store: ObjectStore,
  { key, end, limits = LIMITS }: SortedTarget,
  batches: AsyncIterable<readonly Entry[]>,
): Promise<void> {
  const windows = filledWindows(batches, limits)
  const runs = new SortedRuns(store, { schema: ENTRIES, order: ORDER, fanIn: limits.fanIn })
  try {
    const { value: first } = await windows.next()
    if (first === undefined) throw new RangeError('there is no window')
    if (first.isLast) {
      const rows = () => only(first)
      await writeTable(store, { key, end: () => end(rows) }, ENTRIES, rows())
      return
    }
    await writeRuns(runs, first, windows)
    const target = { key, end: () => end(() => runs.merged()) }
    // Encoding the single run again would give the same bytes.
    const onlyRun = await runs.onlyRun()
    if (onlyRun !== undefined) await putTable(store, target, onlyRun.encoder, onlyRun.groups)
    else await writeTable(store, target, ENTRIES, runs.merged())
  } finally {
    await windows.return(undefined)
    await runs.delete()
  }
}

/** The one window, sorted, each time it is full and at the end. */
type Filled = { readonly window: EntryWindow; readonly order: readonly number[]; readonly isLast: boolean }

/** At least one; all but the last have entries. Each is valid until the next is requested. */
async function* filledWindows(
  batches: AsyncIterable<readonly Entry[]>,
  { windowEntries, windowBytes }: SortLimits,
): AsyncGenerator<Filled, undefined> {
  const window = new EntryWindow()
  for await (const batch of batches) {
    for (const entry of batch) {
      // Only now is it known that the full one is not the last.
      if (window.length >= windowEntries || window.bytes >= windowBytes) {
        yield { window, order: window.sorted(), isLast: false }
        window.clear()
      }
      window.add(entry)
    }
  }
  yield { window, order: window.sorted(), isLast: true }
}

/** A run continues as long as each window begins after the previous one. */
async function writeRuns(
  runs: SortedRuns<Entry, PathKey>,
  first: Filled,
  windows: AsyncGenerator<Filled, undefined>,
): Promise<void> {
  let filled: Filled | undefined = first
  async function* run(): AsyncGenerator<readonly Entry[]> {
    for (let end: PathKey = ''; filled !== undefined && keyAt(filled, 0) >= end; ) {
      end = keyAt(filled, -1)
      yield* filled.window.entries(filled.order)
      filled = (await windows.next()).value
    }
  }
  while (filled !== undefined) await runs.write(run())
}

/** @param place among the sorted ones; negative counts from the end */
function keyAt({ window, order }: Filled, place: number): PathKey {
  return window.sortKey(order.at(place) ?? 0)
}

async function* only({ window, order }: Filled): AsyncGenerator<readonly Entry[]> {
  yield* window.entries(order)
}
