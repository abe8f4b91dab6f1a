import { createHash } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import fc from 'fast-check'
import { parquetMetadata, parquetReadObjects } from 'hyparquet'
import { DEFAULT_PARSERS } from 'hyparquet/src/convert.js'
import { expect, onTestFinished, test } from 'vitest'
import { MemoryStore } from '../../test/support/memory-store.ts'
import { BRIEF_ENTRIES, ENTRIES } from '../index/entries.ts'
import { formatXattrs } from '../index/xattrs.ts'
import { type Entry, sortKey } from '../layer/entry.ts'
import { Problem } from '../problem.ts'
import { decodeText, encodeText, toHex } from '../text/bytes.ts'
import { baseName, isWithin, keyToPath, parentKey } from '../text/path.ts'
import { openTable, plainRow, type Table } from './table.ts'
import { writeTable } from './write-table.ts'

const LONG = process.env.LAMINA_LONG === '1'
const KEY = 'layers/test/entries.parquet'
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

/** As `plainRow` returns it: without undefined values. */
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

test('rows read back as written', async () => {
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

/** In path order, 40 to a directory; names have bytes on both sides of `/`. */
function manyEntries(count: number): Entry[] {
  const entries = Array.from({ length: count }, (_, i): Entry => {
    const name = `usr\0share\0package-${Math.floor(i / 40)}\0${i % 3 === 0 ? '-' : ''}file${i % 40}`
    const sha256 = createHash('sha256').update(name).digest('binary')
    return { ...EXAMPLE, key: name, bytes: (i * 7919) % 100_000, mtime: i * 1e9, sha256, offset: i * 1024 }
  })
  return sorted(entries).map((entry, ordinal) => ({ ...entry, ordinal }))
}

async function opened(store: MemoryStore): Promise<Table<Entry>> {
  const table = await openTable(store, KEY, ENTRIES)
  if (table === undefined) throw new Error('no table')
  return table
}

async function keysOf(rows: AsyncIterable<readonly Pick<Entry, 'key'>[]>): Promise<string[]> {
  const keys: string[] = []
  for await (const batch of rows) keys.push(...batch.map((row) => row.key))
  return keys
}

test('the same rows give the same bytes, in batches of any size', async () => {
  const entries = manyEntries(5000)
  const stores = [await written(entries), new MemoryStore()] as const
  async function* pieces(): AsyncGenerator<readonly Entry[]> {
    for (let i = 0; i < entries.length; i += 333) yield entries.slice(i, i + 333)
  }
  await writeTable(stores[1], KEY, ENTRIES, pieces())
  expect(Buffer.compare(stores[0].objects.get(KEY)!, stores[1].objects.get(KEY)!)).toBe(0)
})

test('any range of rows can be read separately', async () => {
  const entries = manyEntries(4500)
  const table = await opened(await written(entries))
  const keys = entries.map((entry) => entry.key)
  const ranges = [
    [0, 1],
    [1999, 2001],
    [2000, 4000],
    [100, 100],
    [4499, 4500],
    [4400, 9999],
    [5000, 6000],
    [0, 4500],
  ] as const
  for (const [start, end] of ranges) {
    for (const fetchBytes of [0, 1 << 20]) {
      expect(await keysOf(table.rows({ start, end, fetchBytes }))).toEqual(keys.slice(start, end))
    }
  }
})

test('reading a hundred rows in the middle of a large table takes few bytes', async () => {
  const count = LONG ? 1_000_000 : 60_000
  const store = await written(manyEntries(count))
  store.bytesRead = 0
  store.reads = 0
  const table = await opened(store)
  const keys = await keysOf(table.rows({ start: count / 2 - 50, end: count / 2 + 50 }))
  expect(keys.length).toBe(100)
  expect(store.bytesRead).toBeLessThan(LONG ? 512 * 1024 : 256 * 1024)
  expect(store.reads).toBeLessThanOrEqual(4)
})

test('a subtree is found without reading the rest', async () => {
  const entries = manyEntries(20_000)
  const store = await written(entries)
  const table = await opened(store)
  for (const directory of [
    '',
    'usr\0share\0package-7',
    'usr\0share\0package-499',
    'usr\0share',
    'usr\0share\0package',
    'zzz',
    'a',
  ]) {
    const expected = entries.map((entry) => entry.key).filter((key) => isWithin(key, directory))
    store.bytesRead = 0
    const found = await keysOf(table.rows(table.within(directory)))
    expect(found.filter((key) => isWithin(key, directory))).toEqual(expected)
    if (expected.length < 100) expect(store.bytesRead).toBeLessThan(300_000)
  }
  for (const entry of [entries[0], entries[1999], entries[2000], entries[2001], entries.at(-1)]) {
    const { start, end } = table.at(entry!.key)
    expect(end - start).toBeLessThanOrEqual(4000)
    expect(entries.slice(start, end)).toContain(entry)
  }
})

test('whiteouts are in the subtree whose paths they hide', async () => {
  const entries = manyEntries(6000)
  const key = `${entries[3000]!.key.slice(0, entries[3000]!.key.lastIndexOf('\0'))}`
  const whiteout: Entry = {
    ...EXAMPLE,
    key: `${parentKey(key)}\0.wh.${baseName(key)}`,
    whiteout: 'file',
    ordinal: 9000,
  }
  const opaque: Entry = { ...EXAMPLE, key: `${key}\0.wh..wh..opq`, whiteout: 'opaque', ordinal: 9001 }
  const table = await opened(await written(sorted([...entries, whiteout, opaque])))
  const found = await keysOf(table.rows(table.within(key)))
  expect(found).toEqual(expect.arrayContaining([whiteout.key, opaque.key]))
})

test('columns that are not requested are neither fetched nor returned', async () => {
  const store = await written(manyEntries(10_000))
  const table = await opened(store)
  store.bytesRead = 0
  let bytes = 0
  for await (const rows of table.rows({ columns: ['key', 'bytes'] })) {
    for (const row of rows) bytes += row.bytes
    expect(() => plainRow(ENTRIES, rows[0] as Entry)).toThrow('not asked for')
  }
  expect(bytes).toBeGreaterThan(1e6)
  expect(store.bytesRead).toBeLessThan(store.objects.get(KEY)!.length / 3)
})

test('another schema with the same parts gives the same rows', async () => {
  const digests = ['\0\x01\x02\x03', '\xff\xfe\xfd\xfc'].map((start) => start.padEnd(32, '\xee'))
  const rows = [digests[0], undefined, digests[1]].map(
    (sha256, ordinal): Entry => ({ ...EXAMPLE, key: `file-${ordinal}`, ordinal, sha256 }),
  )
  const table = await openTable(await written(rows), KEY, ENTRIES)
  const seen = await Array.fromAsync(table!.as(BRIEF_ENTRIES).rows())
  expect(seen.flat().map(({ key, sha256Start }) => [key, sha256Start])).toEqual([
    ['file-0', 0x00010203],
    ['file-1', undefined],
    ['file-2', 0xfffefdfc],
  ])
})

test('the index of the groups agrees with the footer', async () => {
  const store = await written(manyEntries(9000))
  const file = store.objects.get(KEY)!
  const metadata = parquetMetadata(Uint8Array.from(file).buffer)
  const table = await opened(store)
  expect(Number(metadata.num_rows)).toBe(table.rowCount)
  let firstRow = 0
  for (const group of metadata.row_groups) {
    const end = firstRow + Number(group.num_rows)
    // Only this group: as many bytes as the footer says, at the offset it says.
    store.bytesRead = 0
    const keys = await keysOf(table.rows({ start: firstRow, end }))
    expect(store.bytesRead).toBe(Number(group.total_compressed_size))
    const paths = keys.map(keyToPath).sort()
    const { statistics } = group.columns[0]!.meta_data!
    expect([statistics?.min_value, statistics?.max_value, Number(statistics?.null_count)]).toEqual([
      paths[0],
      paths.at(-1),
      0,
    ])
    expect(group.columns.slice(1).every((column) => column.meta_data?.statistics === undefined)).toBe(true)
    firstRow = end
  }
  expect(firstRow).toBe(9000)
})

test('long names make small groups', async () => {
  const entries = Array.from(
    { length: 1000 },
    (_, i): Entry => ({ ...EXAMPLE, key: `${String(i).padStart(5, '0')}${'x'.repeat(4000)}`, ordinal: i }),
  )
  const store = await written(entries)
  const metadata = parquetMetadata(Uint8Array.from(store.objects.get(KEY)!).buffer)
  expect(metadata.row_groups.length).toBeGreaterThan(10)
  expect(await readAll(store)).toEqual(entries)
})

test('entries below a long name are found too', async () => {
  const deep = 'd'.repeat(300)
  const keys = [
    ...Array.from({ length: 300 }, (_, i) => `${deep}\0${i}\0${'x'.repeat(3000)}`),
    deep,
    `${deep}e`,
  ]
  const entries = sorted(keys.map((key, ordinal): Entry => ({ ...EXAMPLE, key, ordinal })))
  const table = await opened(await written(entries))
  for (const directory of [
    deep,
    `${deep}\0${0}`,
    `${deep}\0${77}`,
    `${deep}e`,
    'd'.repeat(256),
    'd'.repeat(299),
  ]) {
    const expected = entries.map((entry) => entry.key).filter((key) => isWithin(key, directory))
    const found = await keysOf(table.rows(table.within(directory)))
    expect(found.filter((key) => isWithin(key, directory))).toEqual(expected)
  }
  for (const entry of entries) {
    const { start, end } = table.at(entry.key)
    expect(entries.slice(start, end)).toContain(entry)
  }
})

test('a table may be empty', async () => {
  const store = await written([])
  expect(await readAll(store)).toEqual([])
  const instance = await DuckDBInstance.create()
  const duckdb = await instance.connect()
  const found = await withFile(store.objects.get(KEY)!, (file) =>
    duckdb.runAndReadAll(`select path, mtime from '${file}'`),
  )
  expect(found.getRowObjects()).toEqual([])
  expect(found.columnTypes().map(String)).toEqual(['VARCHAR', 'TIMESTAMP WITH TIME ZONE'])
})

test('rows that are not sorted are refused', async () => {
  const store = new MemoryStore()
  const unsorted = [...manyEntries(3000)].reverse()
  await expect(writeTable(store, KEY, ENTRIES, oneBatch(unsorted))).rejects.toThrow('not sorted')
  expect(store.objects.size).toBe(0)
})

test('a missing table is reported as missing; a damaged one is an error, never wrong rows', async () => {
  const entries = manyEntries(2500)
  const whole = await written(entries)
  const file = whole.objects.get(KEY)!
  expect(await openTable(whole, 'layers/none', ENTRIES)).toBeUndefined()
  const read = async (bytes: Uint8Array): Promise<Entry[] | 'store_error'> => {
    const store = new MemoryStore()
    store.objects.set(KEY, bytes)
    try {
      return await readAll(store)
    } catch (error) {
      if (error instanceof Problem && error.code === 'store_error') return 'store_error'
      throw error
    }
  }
  for (const length of [0, 1, 7, 8, 100, file.length >> 1, file.length - 9, file.length - 1]) {
    expect(await read(file.subarray(0, length)), `the first ${length} bytes`).toBe('store_error')
  }
  expect(await read(file.subarray(1)), 'without the first byte').toBe('store_error')
  expect(await read(Buffer.concat([file, file])), 'twice').toBe('store_error')
})

test('a changed byte is an error or has no effect', async () => {
  const entries = manyEntries(300)
  const file = (await written(entries)).objects.get(KEY)!
  await fc.assert(
    fc.asyncProperty(fc.nat(file.length - 1), fc.integer({ min: 1, max: 255 }), async (at, change) => {
      const store = new MemoryStore()
      const damaged = Uint8Array.from(file)
      damaged[at] = damaged[at]! ^ change
      store.objects.set(KEY, damaged)
      const rows = await readAll(store).catch((error: unknown) => error)
      if (rows instanceof Problem) expect(rows.code).toBe('store_error')
      else expect(rows).toEqual(entries)
    }),
    { numRuns: LONG ? 20_000 : 300 },
  )
})

test('an object that disappears while it is read is a clear error', async () => {
  const store = await written(manyEntries(9000))
  const table = await opened(store)
  const rows = table.rows()
  await rows.next()
  store.objects.clear()
  await rows.next()
  await expect(rows.next()).rejects.toMatchObject({ code: 'store_error' })
})

test('stopping early cancels the group being fetched', async () => {
  const store = await written(manyEntries(9000))
  const table = await opened(store)
  const get = store.get.bind(store)
  const bodies: ('whole' | 'endless' | 'cancelled')[] = []
  store.get = async (key, range) => {
    const object = await get(key, range)
    const place = bodies.push(object === undefined || bodies.length === 0 ? 'whole' : 'endless') - 1
    if (object === undefined || place === 0) return object
    // Its bytes never arrive: only a cancellation ends it.
    const cancel = () => {
      bodies[place] = 'cancelled'
    }
    return { ...object, body: new ReadableStream<Uint8Array>({ cancel }) }
  }
  for await (const _ of table.rows()) break
  expect(bodies).toEqual(['whole', 'cancelled'])
})
