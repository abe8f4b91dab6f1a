import fc from 'fast-check'
import initSqlJs from 'sql.js'
import { expect, it } from 'vitest'
import { rpmDatabase } from '../../../test/support/rpm.ts'
import { UnreadableDatabase } from './found.ts'
import { sqliteHeaders } from './rpm-sqlite.ts'

async function sqliteFile(schema: string): Promise<Uint8Array> {
  const { Database } = await initSqlJs()
  const database = new Database()
  database.run(schema)
  const file = database.export()
  database.close()
  return file
}

/** A file written by SQLite with one header per package, in pages of this size. */
async function databaseOf(headers: readonly Uint8Array[], pageBytes: number): Promise<Uint8Array> {
  const { Database } = await initSqlJs()
  const database = new Database()
  database.run(`PRAGMA page_size = ${pageBytes}; CREATE TABLE Other (x); CREATE INDEX Others ON Other (x)`)
  database.run('CREATE TABLE Packages (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL)')
  for (const header of headers) database.run('INSERT INTO Packages (blob) VALUES (?)', [header])
  database.run('DELETE FROM Packages WHERE hnum % 7 = 3')
  const file = database.export()
  database.close()
  return file
}

it('returns each header', async () => {
  const headers = [Uint8Array.of(1, 2, 3), new Uint8Array(100_000).fill(7)]
  expect([...sqliteHeaders(await rpmDatabase(headers))]).toEqual(headers)
})

it('reads what SQLite writes, in pages of any size', async () => {
  const size = fc.oneof(fc.nat(600), fc.integer({ min: 0, max: 70_000 }))
  await fc.assert(
    fc.asyncProperty(
      fc.array(size, { maxLength: 60 }),
      fc.constantFrom(512, 1024, 4096, 65_536),
      async (sizes, pageBytes) => {
        const headers = sizes.map((bytes, i) => new Uint8Array(bytes).fill(i + 1))
        const kept = headers.filter((_, i) => (i + 1) % 7 !== 3)
        expect([...sqliteHeaders(await databaseOf(headers, pageBytes))]).toEqual(kept)
      },
    ),
    { numRuns: process.env.LAMINA_LONG ? 2_000 : 30 },
  )
})

it.each([
  ['a file that is not SQLite', async () => new Uint8Array(8192).fill(65)],
  ['a truncated file', async () => (await rpmDatabase([new Uint8Array(9_000)])).subarray(0, 9_000)],
  ['an unrelated database', () => sqliteFile('CREATE TABLE Things (blob)')],
  [
    'a view that never ends',
    () =>
      sqliteFile(`CREATE VIEW Packages AS
        WITH RECURSIVE forever(blob) AS (SELECT x'00' UNION ALL SELECT blob FROM forever) SELECT blob FROM forever`),
  ],
])('refuses %s', async (_, file) => {
  const bytes = await file()
  expect(() => [...sqliteHeaders(bytes)]).toThrow(UnreadableDatabase)
})

it('ignores a column whose computation would give a gigabyte', async () => {
  const file = await sqliteFile(
    'CREATE TABLE Packages (hnum, blob AS (zeroblob(1000000000))); INSERT INTO Packages VALUES (1)',
  )
  expect([...sqliteHeaders(file)]).toEqual([])
})

const PAGE = 4096

/** A file of interior pages only, each with hundreds of children; `child` says which. */
async function interiorPages(pages: number, child: (page: number) => number): Promise<Uint8Array> {
  const small = await rpmDatabase([])
  const file = new Uint8Array(PAGE * pages)
  file.set(small.subarray(0, PAGE))
  const view = new DataView(file.buffer)
  const cells = 580
  for (let page = 2; page <= pages; page++) {
    const start = (page - 1) * PAGE
    file[start] = 0x05
    view.setUint16(start + 3, cells)
    view.setUint32(start + 8, child(page))
    for (let i = 0; i < cells; i++) view.setUint16(start + 12 + 2 * i, PAGE - 8)
    view.setUint32(start + PAGE - 8, child(page))
  }
  return file
}

it.each([
  ['all point to the next one, which gives more rows than atoms', (page: number) => page + 1],
  ['point to themselves', (page: number) => page],
  ['point back to the first', () => 1],
  ['point outside the file', () => 0xffff_ffff],
])('refuses pages that %s', async (_, child) => {
  const file = await interiorPages(12, child)
  expect(() => [...sqliteHeaders(file)]).toThrow(UnreadableDatabase)
})

it('refuses cells that share the same bytes', async () => {
  const file = await rpmDatabase([new Uint8Array(3_000), new Uint8Array(10)])
  const view = new DataView(file.buffer, file.byteOffset)
  const leaf = PAGE
  expect(file[leaf]).toBe(0x0d)
  view.setUint16(leaf + 10, view.getUint16(leaf + 8))
  expect(() => [...sqliteHeaders(file)]).toThrow('do not fit')
})

it('refuses rows that share the same overflow pages', async () => {
  const file = await rpmDatabase([new Uint8Array(6_000), new Uint8Array(6_000)])
  const view = new DataView(file.buffer, file.byteOffset)
  // A cell's last four bytes name its first overflow page; the second cell is stored before the first.
  const last = file.length / PAGE
  const pointers = [...Array(PAGE - 4).keys()]
    .map((at) => PAGE + at)
    .filter((at) => view.getUint32(at) === last)
  expect(pointers).toHaveLength(1)
  view.setUint32(pointers[0] ?? 0, last - 1)
  expect(() => [...sqliteHeaders(file)]).toThrow('two ways')
})
