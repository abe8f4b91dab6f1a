/**
 * From the order of the tar into that of tables, in bounded memory: what fits is sorted and written; of a larger layer
 * sorted runs are put aside as temporary objects and merged. Most tars are in the tables' order already, and then there is
 * but one run, however large the layer.
 */
import type { ObjectStore } from '../host.ts'
import { type Entry, sortKey } from '../layer/entry.ts'
import type { PathKey } from '../path.ts'
import { Problem } from '../problem.ts'
import { ENTRIES } from './entries.ts'
import { mergeRuns } from './merge-runs.ts'
import { TemporaryObjects } from './temporary.ts'
import { writeTable } from './write-table.ts'

export type SortLimits = {
  /** What is sorted at once. */
  readonly windowEntries: number
  readonly windowBytes: number
  /** Runs that are read at the same time. */
  readonly fanIn: number
}

const LIMITS: SortLimits = { windowEntries: 100_000, windowBytes: 16 * 1024 * 1024, fanIn: 32 }
/** What an entry takes in memory beside its names: the object, its numbers, the digest. */
const ENTRY_BYTES = 208

/**
 * Writes a table of `ENTRIES`.
 *
 * @param batches in the order of the tar
 * @throws whatever `batches` throws; then there is no table, and nothing temporary is left
 */
export async function writeSorted(
  store: ObjectStore,
  key: string,
  batches: AsyncIterable<readonly Entry[]>,
  limits: SortLimits = LIMITS,
): Promise<void> {
  const windows = sortedWindows(batches, limits)
  const temporary = new TemporaryObjects(store)
  try {
    const { value: first } = await windows.next()
    if (first === undefined || first.isLast) {
      await writeTable(store, key, ENTRIES, once(first?.entries ?? []))
      return
    }
    let runs = await writeRuns(store, temporary, first, windows)
    while (runs.length > limits.fanIn) runs = await mergeSome(store, temporary, runs, limits.fanIn)
    const [only, ...others] = runs
    if (only !== undefined && others.length === 0) await copy(store, only, key)
    else await writeTable(store, key, ENTRIES, mergeRuns(store, runs))
  } finally {
    await windows.return(undefined)
    await temporary.delete()
  }
}

type Window = { readonly entries: readonly Entry[]; readonly isLast: boolean }

/** At least one, each sorted. */
async function* sortedWindows(
  batches: AsyncIterable<readonly Entry[]>,
  { windowEntries, windowBytes }: SortLimits,
): AsyncGenerator<Window, undefined> {
  let entries: Entry[] = []
  let bytes = 0
  for await (const batch of batches) {
    for (const entry of batch) {
      // Only now it is known that the full one is not the last.
      if (entries.length >= windowEntries || bytes >= windowBytes) {
        yield { entries: sorted(entries), isLast: false }
        entries = []
        bytes = 0
      }
      entries.push(entry)
      bytes += weigh(entry)
    }
  }
  yield { entries: sorted(entries), isLast: true }
}

function weigh({ key, link, xattrs }: Entry): number {
  let bytes = ENTRY_BYTES + key.length + (link?.length ?? 0)
  if (xattrs !== undefined) for (const [name, value] of xattrs) bytes += 64 + name.length + value.length
  return bytes
}

/** By (`sortKey`, `ordinal`): the sort is stable, and entries come by their ordinals. */
function sorted(entries: Entry[]): readonly Entry[] {
  return isSorted(entries) ? entries : entries.sort(compareKeys)
}

function isSorted(entries: readonly Entry[]): boolean {
  let previous: PathKey = ''
  for (const entry of entries) {
    const key = sortKey(entry)
    if (key < previous) return false
    previous = key
  }
  return true
}

function compareKeys(a: Entry, b: Entry): number {
  const [x, y] = [sortKey(a), sortKey(b)]
  return x < y ? -1 : x > y ? 1 : 0
}

/** A run goes on as long as one window follows the other in order. */
async function writeRuns(
  store: ObjectStore,
  temporary: TemporaryObjects,
  first: Window,
  windows: AsyncGenerator<Window, undefined>,
): Promise<readonly string[]> {
  const runs: string[] = []
  let window: Window | undefined = first
  async function* run(): AsyncGenerator<readonly Entry[]> {
    for (let end: PathKey = ''; window !== undefined; ) {
      const [begin, last]: readonly (Entry | undefined)[] = [window.entries[0], window.entries.at(-1)]
      if (begin === undefined || last === undefined || sortKey(begin) < end) return
      yield window.entries
      end = sortKey(last)
      window = (await windows.next()).value
    }
  }
  while (window !== undefined) {
    const key = temporary.next()
    runs.push(key)
    await writeTable(store, key, ENTRIES, run())
  }
  return runs
}

/** Fewer and longer runs. */
async function mergeSome(
  store: ObjectStore,
  temporary: TemporaryObjects,
  runs: readonly string[],
  fanIn: number,
): Promise<readonly string[]> {
  const merged: string[] = []
  for (let i = 0; i < runs.length; i += fanIn) {
    const some = runs.slice(i, i + fanIn)
    const key = temporary.next()
    await writeTable(store, key, ENTRIES, mergeRuns(store, some))
    await temporary.delete(some)
    merged.push(key)
  }
  return merged
}

/** The bytes as they are: encoding them again would make the same. */
async function copy(store: ObjectStore, from: string, to: string): Promise<void> {
  const object = await store.get(from)
  if (object === undefined) throw new Problem('store_error', `the stored object ${from} is gone`)
  await store.put(to, object.body)
}

async function* once(entries: readonly Entry[]): AsyncGenerator<readonly Entry[]> {
  yield entries
}
