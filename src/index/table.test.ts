import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import fc from 'fast-check'
import { parquetReadObjects } from 'hyparquet'
import { expect, onTestFinished, test } from 'vitest'
import { MemoryStore } from '../../test/memory-store.ts'
import { decodeText, encodeText, toHex } from '../bytes.ts'
import { type Entry, sortKey } from '../layer/entry.ts'
import { keyToPath } from '../path.ts'
import { ENTRIES } from './entries.ts'
import { openTable, plainRow } from './table.ts'
import { writeTable } from './write-table.ts'

const LONG = process.env['LAMINA_LONG'] === '1'
const KEY = 'layers/test/entries.parquet'

async function* oneBatch<Row>(rows: readonly Row[]): AsyncGenerator<readonly Row[]> {
  yield rows
}

async function written(rows: readonly Entry[]): Promise<MemoryStore> {
  const store = new MemoryStore()
  await writeTable(store, KEY, ENTRIES, oneBatch(rows))
  return store
}

async function readAll(store: MemoryStore): Promise<Entry[]> {
  const table = await openTable(store, KEY, ENTRIES)
  const rows: Entry[] = []
  if (table === undefined) throw new Error('no table')
  for await (const batch of table.rows()) for (const row of batch) rows.push(plainRow(ENTRIES, row))
  expect(rows.length).toBe(table.rowCount)
  return rows
}

/** As `plainRow` gives it: what is undefined is absent. */
function plain(rows: readonly Entry[]): Entry[] {
  return rows.map((row) => plainRow(ENTRIES, row))
}

function sorted(entries: readonly Entry[]): Entry[] {
  return [...entries].sort((a, b) => {
    const [x, y] = [sortKey(a), sortKey(b)]
    return x < y ? -1 : x > y ? 1 : a.ordinal - b.ordinal
  })
}

const byteString = (options: fc.StringConstraints): fc.Arbitrary<string> =>
  fc.string({ unit: fc.integer({ min: 1, max: 255 }).map((code) => String.fromCharCode(code)), ...options })
const part = fc
  .oneof(
    fc.constantFrom('a', 'b', 'usr', 'a.b', 'a-', '.wh.a', '.wh..wh..opq'),
    byteString({ minLength: 1, maxLength: 6 }).map((name) => name.replaceAll('/', '_')),
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 5 }).map(encodeText),
    fc.integer({ min: 1, max: 4096 }).map((length) => 'x'.repeat(length)),
  )
  .map((name) => name.replaceAll(/[\0/]/g, '_'))
const key = fc.array(part, { maxLength: 5 }).map((parts) => parts.join('\0'))
const exactInteger = fc.oneof(
  fc.constantFrom(
    0,
    1,
    -1,
    2 ** 31,
    -(2 ** 31),
    2 ** 32,
    2 ** 51,
    2 ** 52,
    Number.MAX_SAFE_INTEGER,
    Number.MIN_SAFE_INTEGER,
  ),
  fc.maxSafeInteger(),
  fc.integer({ min: 0, max: 4 }),
)
const size = exactInteger.map(Math.abs)
const sha = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .map((bytes) => Buffer.from(bytes).toString('latin1'))
const xattrs = fc
  .dictionary(
    fc.oneof(
      byteString({ minLength: 1, maxLength: 4 }),
      fc.constantFrom('base64:x', '10', '9', '__proto__', 'user.a'),
    ),
    byteString({ maxLength: 9 }),
  )
  .map((object) => new Map(Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1))))

const entry: fc.Arbitrary<Entry> = fc.record(
  {
    key,
    type: fc.constantFrom('file', 'directory', 'symlink', 'hardlink', 'character', 'block', 'fifo', 'other'),
    bytes: size,
    mode: fc.integer({ min: 0, max: 0o7777 }),
    uid: size,
    gid: size,
    mtime: exactInteger,
    sha256: sha,
    link: byteString({ maxLength: 20 }),
    device: fc.tuple(size, size),
    xattrs,
    whiteout: fc.constantFrom('file', 'opaque', 'aufs'),
    ordinal: fc.nat(),
    offset: size,
  },
  {
    requiredKeys: ['key', 'type', 'bytes', 'mode', 'uid', 'gid', 'mtime', 'ordinal', 'offset'],
    noNullPrototype: true,
  },
)
const entries = fc.array(entry, { maxLength: 300, size: 'max' }).map(sorted)

test('what is written is read', async () => {
  await fc.assert(
    fc.asyncProperty(entries, async (rows) => {
      expect(await readAll(await written(rows))).toEqual(plain(rows))
    }),
    { numRuns: LONG ? 1000 : 40 },
  )
})
