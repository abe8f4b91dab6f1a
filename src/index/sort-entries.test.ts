import fc from 'fast-check'
import { expect, test } from 'vitest'
import { MemoryStore } from '../../test/support/memory-store.ts'
import { type Entry, sortKey, whiteoutOf } from '../layer/entry.ts'
import { readMetadata } from '../table/metadata.ts'
import { openTable, plainRow } from '../table/table.ts'
import type { TableEnd } from '../table/write-table.ts'
import { pathToKey } from '../text/path.ts'
import { ENTRIES } from './entries.ts'
import { type SortLimits, writeSorted } from './sort-entries.ts'

const KEY = 'layers/test/entries.parquet'
/** The bytes of one part, and its position. */
const end = async (): Promise<TableEnd> => ({
  parts: [bytesOfPart],
  metadata: ([part]) => ({ name: 'part', value: Buffer.from(JSON.stringify(part)) }),
})

async function* bytesOfPart() {
  yield Buffer.from('what the object has besides')
}
const runs = process.env.LAMINA_LONG === '1' ? 1000 : 100

const path = fc
  .array(fc.constantFrom('a', 'b', 'a.b', '.wh.a', '.wh..wh..opq', '.wh..wh.plnk', 'z'), {
    minLength: 1,
    maxLength: 3,
  })
  .map((parts) => parts.join('/'))
const paths = fc.oneof(
  fc.array(path, { maxLength: 60 }),
  fc.array(path, { maxLength: 60 }).map((some) => some.sort()),
)

function entriesOf(some: readonly string[]): Entry[] {
  return some.map((path, ordinal) => {
    const key = pathToKey(path)
    const whiteout = whiteoutOf(key)
    const rest = { bytes: 1, mode: 0o644, uid: 0, gid: 0, mtime: 0, ordinal, offset: 512 * ordinal }
    return { key, type: 'file', ...rest, ...(whiteout === undefined ? {} : { whiteout }) }
  })
}

async function* inBatches(entries: readonly Entry[], failure?: Error): AsyncGenerator<readonly Entry[]> {
  for (let i = 0; i < entries.length; i += 7) yield entries.slice(i, i + 7)
  if (failure !== undefined) throw failure
}

function expected(entries: readonly Entry[]): Entry[] {
  return [...entries].sort((a, b) => {
    const [x, y] = [sortKey(a), sortKey(b)]
    return x < y ? -1 : x > y ? 1 : a.ordinal - b.ordinal
  })
}

async function stored(store: MemoryStore): Promise<Entry[]> {
  const table = await openTable(store, KEY, ENTRIES)
  const rows: Entry[] = []
  for await (const batch of table!.rows()) rows.push(...batch.map((row) => plainRow(ENTRIES, row)))
  return rows
}

const LIMITS: readonly SortLimits[] = [
  { windowEntries: 1000, windowBytes: 1 << 20, fanIn: 32 },
  { windowEntries: 5, windowBytes: 1 << 20, fanIn: 32 },
  { windowEntries: 1000, windowBytes: 500, fanIn: 32 },
  { windowEntries: 3, windowBytes: 1 << 20, fanIn: 2 },
]

test.each(LIMITS)(
  'entries are sorted by path, whiteouts by the path they hide, then in tar order: %j',
  async (limits) => {
    await fc.assert(
      fc.asyncProperty(paths, async (some) => {
        const store = new MemoryStore()
        const entries = entriesOf(some)
        await writeSorted(store, { key: KEY, end, limits }, inBatches(entries))
        expect(await stored(store)).toEqual(expected(entries))
        expect([...store.objects.keys()]).toEqual([KEY])
      }),
      { numRuns: runs },
    )
  },
)

test('the table has the same bytes, however it is sorted', async () => {
  const entries = entriesOf(Array.from({ length: 5000 }, (_, i) => `d${i % 7}/f${i}`))
  const tables: Uint8Array[] = []
  for (const windowEntries of [100_000, 999]) {
    const store = new MemoryStore()
    const limits = { windowEntries, windowBytes: 1 << 30, fanIn: 3 }
    await writeSorted(store, { key: KEY, end, limits }, inBatches(entries))
    tables.push(store.objects.get(KEY)!)
  }
  expect(tables[0]!.length).toBeGreaterThan(10_000)
  expect(Buffer.compare(tables[0]!, tables[1]!)).toBe(0)
})

test.each([1000, 5])(
  'the part stored beside the rows is found, and the rows can be read twice for it: windows of %i',
  async (windowEntries) => {
    const store = new MemoryStore()
    const seen: number[] = []
    const limits = { windowEntries, windowBytes: 1 << 30, fanIn: 2 }
    const entries = entriesOf(['z', 'y', 'x', 'w', 'v', 'u', 't', 's', 'r', 'q', 'p', 'o'])
    const target = {
      key: KEY,
      limits,
      end: async (rows: () => AsyncIterable<readonly Entry[]>) => {
        // The rows can be read again and again.
        for (let pass = 0; pass < 2; pass++) for await (const batch of rows()) seen.push(batch.length)
        return end()
      },
    }
    await writeSorted(store, target, inBatches(entries))
    expect(seen.reduce((sum, rows) => sum + rows, 0)).toBe(2 * entries.length)
    const { offset, bytes } = JSON.parse(String(Buffer.from((await readMetadata(store, KEY, 'part')) ?? [])))
    expect(Buffer.from(store.objects.get(KEY)?.subarray(offset, offset + bytes) ?? []).toString()).toBe(
      'what the object has besides',
    )
    expect(await stored(store)).toEqual(expected(entries))
  },
)

test('a layer in order is spilled as one run, however large, and not encoded again', async () => {
  const put: string[] = []
  class WatchedStore extends MemoryStore {
    override put(key: string, body: Uint8Array | ReadableStream<Uint8Array>): Promise<void> {
      put.push(key)
      return super.put(key, body)
    }
  }
  const store = new WatchedStore()
  const entries = entriesOf(Array.from({ length: 500 }, (_, i) => String(i).padStart(4, '0')))
  const limits = { windowEntries: 50, windowBytes: 1 << 30, fanIn: 2 }
  await writeSorted(store, { key: KEY, end, limits }, inBatches(entries))
  expect(put.length).toBe(2)
  expect(await stored(store)).toEqual(entries)
})

test('a failed layer leaves nothing behind', async () => {
  const failure = new Error('cut')
  for (const windowEntries of [1000, 5]) {
    const store = new MemoryStore()
    const entries = entriesOf(['z', 'y', 'x', 'w', 'v', 'u', 't', 's', 'r', 'q', 'p', 'o'])
    const limits = { windowEntries, windowBytes: 1 << 30, fanIn: 2 }
    const work = writeSorted(store, { key: KEY, end, limits }, inBatches(entries, failure))
    await expect(work).rejects.toBe(failure)
    expect([...store.objects.keys()]).toEqual([])
  }
})
