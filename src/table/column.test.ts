import { parquetReadObjects } from 'hyparquet'
import { expect, test } from 'vitest'
import { MemoryStore } from '../../test/support/memory-store.ts'
import {
  bytes,
  type Column,
  choice,
  flag,
  int32,
  int64,
  json,
  mapped,
  optional,
  path,
  sha256,
  string,
  text,
  timestamp,
} from './column.ts'
import { defineSchema } from './schema.ts'
import { openTable, plainRow } from './table.ts'
import { writeTable } from './write-table.ts'

type Cell<T> = { readonly value?: T | undefined }

async function* once<Row>(rows: readonly Row[]): AsyncGenerator<readonly Row[]> {
  yield rows
}

/** The values as this service reads them back, and as hyparquet sees their first Parquet column. */
async function through<T>(
  column: Column<T>,
  values: readonly (T | undefined)[],
): Promise<[unknown[], unknown[]]> {
  const schema = defineSchema<Cell<T>>({ value: optional(column) })
  const store = new MemoryStore()
  await writeTable(store, 'table', schema, once(values.map((value): Cell<T> => ({ value }))))
  const table = await openTable(store, 'table', schema)
  const own: unknown[] = []
  for await (const rows of table!.rows()) own.push(...rows.map((row) => row.value))
  const file = Uint8Array.from(store.objects.get('table')!).buffer
  const others = await parquetReadObjects({ file, utf8: false })
  return [own, others.map((row) => Object.values(row)[0] ?? undefined)]
}

/** @param shown a value as hyparquet sees it */
function testColumn<T>(
  kind: string,
  column: Column<T>,
  values: readonly T[],
  shown: (value: T) => unknown,
): void {
  test(`a column of ${kind} holds its values, and none`, async () => {
    const scattered = values.flatMap((value) => [undefined, value, undefined, undefined, value])
    for (const some of [values, scattered, [undefined, undefined], [...values, undefined]]) {
      const [own, others] = await through(column, some)
      expect(own).toEqual(some)
      expect(others).toEqual(some.map((value) => (value === undefined ? undefined : shown(value))))
    }
  })
}

const latin1 = (value: string) => Uint8Array.from(Buffer.from(value, 'latin1'))
const utf8 = (value: string) => Buffer.from(value, 'latin1').toString()
const same = (value: unknown) => value
const numbered = mapped(
  string('c'),
  (value: number) => `#${value}`,
  (stored) => Number(stored.slice(1)),
)

testColumn('int32', int32('c'), [0, -1, 2 ** 31 - 1, -(2 ** 31), 5, 5, 5], same)
testColumn('int64', int64('c'), [0, -1, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER], BigInt)
testColumn('times', timestamp('c'), [0, -1000, 1_700_000_000_000_000], (value) => new Date(value / 1000))
testColumn('flags', flag('c'), [true, false, false, true, true, true, true, true, true, false], same)
testColumn('SHA-256', sha256('c'), [`${'x'.repeat(31)}\xff`, '\0'.repeat(32)], latin1)
testColumn('bytes', bytes('c'), ['', '\0\xff', 'a'], latin1)
testColumn('strings', string('c'), ['', 'é', '💥', 'a\0b'], same)
testColumn('JSON', json('c', same), [[], { a: ['é'] }, 'x', 1, false], (value) => JSON.stringify(value))
testColumn('words', choice('c', ['file', 'directory']), ['directory', 'file', 'directory'], same)
testColumn('text', text('c'), ['', 'caf\xc3\xa9'], utf8)
testColumn('paths', path('c'), ['', 'usr\0lib', 'usr\0lib\0caf\xc3\xa9', 'a'], (key) =>
  utf8(key).replaceAll('\0', '/'),
)
testColumn('mapped values', numbered, [1, 2], (value) => `#${value}`)

test('names that are not UTF-8 are shown as text, with their exact bytes beside it', async () => {
  const schema = defineSchema<{ name: string; link?: string | undefined }>({
    name: path('name'),
    link: optional(text('link')),
  })
  const rows = [
    { name: 'a\0\xff\0b', link: '\xfe/x' },
    { name: 'a\0b' },
    { name: 'a\0\xc3\xa9', link: '\xc3\xa9' },
  ]
  const store = new MemoryStore()
  await writeTable(store, 'table', schema, once(rows))
  const file = Uint8Array.from(store.objects.get('table')!).buffer
  expect(await parquetReadObjects({ file, utf8: false })).toEqual([
    { name: 'a/\ufffd/b', nameBytes: latin1('a/\xff/b'), link: '\ufffd/x', linkBytes: latin1('\xfe/x') },
    { name: 'a/b', nameBytes: null, link: null, linkBytes: null },
    { name: 'a/é', nameBytes: null, link: 'é', linkBytes: null },
  ])
  const table = await openTable(store, 'table', schema)
  const own: unknown[] = []
  for await (const batch of table!.rows()) own.push(...batch.map((row) => plainRow(schema, row)))
  expect(own).toEqual(rows)
})

test('a SHA-256 of another length is refused', async () => {
  await expect(through(sha256('c'), ['x'])).rejects.toThrow('SHA-256 of 1 bytes')
})
