import initSqlJs from 'sql.js'
import { expect, it } from 'vitest'
import { rpmDatabase } from '../../../test/rpm.ts'
import { compiledWasm } from '../../../workers/wasm.ts'
import { rpmHeaders } from './rpmdb.ts'

const sqlite = await compiledWasm()('sqlite')

async function allHeaders(file: Uint8Array): Promise<Uint8Array[]> {
  const headers: Uint8Array[] = []
  for await (const header of rpmHeaders(file, sqlite)) headers.push(header)
  return headers
}

async function sqliteFile(schema: string): Promise<Uint8Array> {
  const { Database } = await initSqlJs()
  const database = new Database()
  database.run(schema)
  const file = database.export()
  database.close()
  return file
}

it('gives each header', async () => {
  const headers = [Uint8Array.of(1, 2, 3), new Uint8Array(100_000).fill(7)]
  expect(await allHeaders(await rpmDatabase(headers))).toEqual(headers)
})

it.each([
  ['a file that is none', async () => new Uint8Array(8192).fill(65)],
  ['a database of something else', () => sqliteFile('CREATE TABLE Things (blob)')],
  [
    'a view that never ends',
    () =>
      sqliteFile(`CREATE VIEW Packages AS
        WITH RECURSIVE forever(blob) AS (SELECT x'00' UNION ALL SELECT blob FROM forever) SELECT blob FROM forever`),
  ],
  [
    'a column that computes a gigabyte',
    () =>
      sqliteFile(
        'CREATE TABLE Packages (hnum, blob AS (zeroblob(1000000000))); INSERT INTO Packages VALUES (1)',
      ),
  ],
])('refuses %s', async (_, file) => {
  await expect(allHeaders(await file())).rejects.toThrow()
})
