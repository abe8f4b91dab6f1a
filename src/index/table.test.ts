import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import fc from 'fast-check'
import { parquetReadObjects } from 'hyparquet'
import { DEFAULT_PARSERS } from 'hyparquet/src/convert.js'
import { expect, onTestFinished, test } from 'vitest'
import { MemoryStore } from '../../test/memory-store.ts'
import { decodeText, encodeText, toHex } from '../bytes.ts'
import { type Entry, sortKey } from '../layer/entry.ts'
import { keyToPath } from '../path.ts'
import { ENTRIES } from './entries.ts'
import { openTable, plainRow } from './table.ts'
import { writeTable } from './write-table.ts'
import { formatXattrs } from './xattrs.ts'

const LONG = process.env.LAMINA_LONG === '1'
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

/** An entry as another reader of Parquet sees it: text, hex and numbers. */
function shown(row: Entry): Record<string, unknown> {
  const path = decodeText(keyToPath(row.key))
  const link = row.link === undefined ? undefined : decodeText(row.link)
  return {
    path: path.text,
    pathBytes: path.exact ? null : toHex(keyToPath(row.key)),
    type: row.type,
    bytes: BigInt(row.bytes),
    mode: row.mode,
    uid: BigInt(row.uid),
    gid: BigInt(row.gid),
    mtime: BigInt(row.mtime),
    link: link?.text ?? null,
    linkBytes: link === undefined || link.exact ? null : toHex(row.link ?? ''),
    device: row.device?.join(':') ?? null,
    xattrs: row.xattrs === undefined ? null : formatXattrs(row.xattrs),
    whiteout: row.whiteout ?? null,
    ordinal: row.ordinal,
    offset: BigInt(row.offset),
    sha256: row.sha256 === undefined ? null : toHex(row.sha256),
  }
}

const HEX = ['pathBytes', 'linkBytes', 'sha256']

async function withFile<T>(bytes: Uint8Array, use: (file: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'lamina-table-'))
  try {
    const file = join(folder, 'entries.parquet')
    await writeFile(file, bytes)
    return await use(file)
  } finally {
    await rm(folder, { recursive: true })
  }
}

test('DuckDB reads the same', async () => {
  const instance = await DuckDBInstance.create()
  const duckdb = await instance.connect()
  onTestFinished(() => {
    duckdb.closeSync()
    instance.closeSync()
  })
  await fc.assert(
    fc.asyncProperty(entries, async (rows) => {
      const store = await written(rows)
      const names = Object.keys(shown(EXAMPLE))
      const columns = names.map((name) =>
        HEX.includes(name)
          ? `lower(hex("${name}")) "${name}"`
          : name === 'mtime'
            ? 'epoch_us(mtime) mtime'
            : `"${name}"`,
      )
      const found = await withFile(store.objects.get(KEY)!, async (file) => {
        const reader = await duckdb.runAndReadAll(`select ${columns.join(', ')} from read_parquet('${file}')`)
        return reader.getRowObjects()
      })
      expect(found).toEqual(rows.map(shown))
    }),
    { numRuns: LONG ? 200 : 15 },
  )
})

test('DuckDB shows times as times, and finds a path by the statistics of the groups', async () => {})

test('hyparquet reads the same', async () => {
  await fc.assert(
    fc.asyncProperty(entries, async (rows) => {
      const store = await written(rows)
      const file = Uint8Array.from(store.objects.get(KEY)!).buffer
      const found = await parquetReadObjects({
        file,
        utf8: false,
        parsers: { ...DEFAULT_PARSERS, timestampFromMicroseconds: (value) => value },
      })
      const readable = found.map((row) =>
        Object.fromEntries(
          Object.entries(row).map(([name, value]) => [
            name,
            value instanceof Uint8Array
              ? Buffer.from(value).toString('hex')
              : value instanceof Date
                ? value.getTime()
                : (value ?? null),
          ]),
        ),
      )
      expect(readable).toEqual(rows.map(shown).map((row) => ({ ...row })))
    }),
    { numRuns: LONG ? 200 : 15 },
  )
})
const EXAMPLE: Entry = {
  key: 'a',
  type: 'file',
  bytes: 1,
  mode: 0o644,
  uid: 0,
  gid: 0,
  mtime: 0,
  ordinal: 0,
  offset: 0,
}
