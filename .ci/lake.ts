/**
 * lake.ts BASE_URL DATA: opens with DuckDB what the service that runs there has written into its folder, by the views of
 * docs/fleet.md, and the lake that `lamina lake` makes of it, and compares their sums with the service's own answers.
 * Last line: 'N passed, N failed'.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type DuckDBConnection, DuckDBInstance, type Json } from '@duckdb/node-api'
import { makeLake } from '../cli/make-lake.ts'
import { imageKey } from '../src/index/keys.ts'

const [base, data] = process.argv.slice(2)
const { CORPUS_REGISTRY: registry } = process.env
if (base === undefined || data === undefined || registry === undefined)
  throw new Error('lake.ts BASE_URL DATA, in the corpus')

let passed = 0
let failed = 0
function same(what: string, got: unknown, want: unknown): void {
  if (JSON.stringify(got) === JSON.stringify(want)) {
    passed++
    return
  }
  failed++
  console.log(`  FAIL ${what}: got ${JSON.stringify(got)}, want ${JSON.stringify(want)}`)
}

const document = await readFile(new URL('../docs/fleet.md', import.meta.url), 'utf8')

/** A connection with the views of this block over this folder. */
async function connect(name: string, folder: string): Promise<DuckDBConnection> {
  const views = new RegExp(`^\`\`\`sql ${name}\\n([\\s\\S]*?)^\`\`\`$`, 'm').exec(document)?.[1]
  if (views === undefined) throw new Error(`docs/fleet.md has no block ${name}`)
  const connection = await (await DuckDBInstance.create()).connect()
  await connection.run(`SET VARIABLE lake = '${folder}'`)
  for (const view of views.split(/;\n/).filter((text) => text.trim() !== ''))
    if (!view.startsWith('SET VARIABLE')) await connection.run(view)
  return connection
}

/** The one row that the query gives, its numbers as numbers. */
async function row(duckdb: DuckDBConnection, query: string): Promise<Record<string, Json>> {
  const rows = (await duckdb.runAndReadAll(query)).getRowObjectsJson()
  if (rows.length !== 1) throw new Error(`${rows.length} rows of ${query}`)
  return Object.fromEntries(
    Object.entries(rows[0] ?? {}).map(([name, value]) => [
      name,
      typeof value === 'string' ? Number(value) : value,
    ]),
  )
}

const json = async (route: string) => {
  const answer = await fetch(`${base}/v1/${route}wait=120&image=${registry}/app:v1`)
  if (answer.status !== 200) throw new Error(`${route} is answered with ${answer.status}`)
  return answer.json()
}
const { image, size, counts, packages, waste } = await json('report?')
const hex = image.digest.slice('sha256:'.length)

const { items } = await json('files?glob=usr/bin/curl&')

async function compare(what: string, duckdb: DuckDBConnection): Promise<void> {
  same(
    `${what}: the sums of files.parquet are those of the report`,
    await row(
      duckdb,
      `
      SELECT count(*) AS paths, count(*) FILTER (type = 'file') AS files, count(*) FILTER (type = 'directory') AS directories,
             count(*) FILTER (type = 'symlink') AS symlinks, sum(bytes) FILTER (type = 'file') AS apparentBytes
      FROM files WHERE image = '${hex}'`,
    ),
    {
      paths: counts.paths,
      files: counts.files,
      directories: counts.directories,
      symlinks: counts.symlinks,
      apparentBytes: size.apparentBytes,
    },
  )
  same(
    `${what}: each inode once is the root file system`,
    await row(
      duckdb,
      `SELECT sum(bytes) AS bytes FROM (SELECT any_value(bytes) AS bytes FROM files WHERE image = '${hex}' AND type = 'file' GROUP BY inode)`,
    ),
    { bytes: size.rootfsBytes },
  )
  same(
    `${what}: the members of its layers are those of entries.parquet`,
    await row(
      duckdb,
      `SELECT count(*) AS entries, sum(bytes) FILTER (type = 'file') AS fileBytes FROM entries JOIN image_layers USING (blob) WHERE image = '${hex}'`,
    ),
    { entries: counts.entries, fileBytes: size.fileBytes },
  )
  same(
    `${what}: its layers are those of the report`,
    await row(
      duckdb,
      `SELECT count(*) AS layers, sum(compressed_bytes) AS compressedBytes, sum(uncompressed_bytes) AS uncompressedBytes FROM image_layers WHERE image = '${hex}'`,
    ),
    {
      layers: counts.layers,
      compressedBytes: size.compressedBytes,
      uncompressedBytes: size.uncompressedBytes,
    },
  )
  same(
    `${what}: its packages are those of packages.parquet`,
    await row(duckdb, `SELECT count(*) AS total FROM packages WHERE image = '${hex}'`),
    {
      total: packages.total,
    },
  )
  same(
    `${what}: a file is the same in both`,
    (
      await duckdb.runAndReadAll(
        `SELECT lower(hex(sha256)) AS sha256, layer FROM files WHERE image = '${hex}' AND path = 'usr/bin/curl'`,
      )
    ).getRowObjectsJson(),
    items.map(({ sha256, layer }: { sha256: string; layer: number }) => ({ sha256, layer })),
  )

  // The corpus' registries serve the same images: whichever was asked first gave the name.
  same(
    `${what}: the image has the name that it was first asked for by`,
    await row(
      duckdb,
      `SELECT count(*) AS names, count(*) FILTER (name LIKE '%/app:v1') AS asked FROM names WHERE image = '${hex}'`,
    ),
    { names: 1, asked: 1 },
  )
}

const stored = await connect('views', data)
await compare('stored', stored)
const object = join(data, imageKey(image.digest, 'packages.parquet'))
const { offset, bytes } = await row(
  stored,
  `SELECT place.offset AS offset, place.bytes AS bytes FROM (
    SELECT from_json(decode(value), '{"tables": {"waste": {"offset": "BIGINT", "bytes": "BIGINT"}}}').tables.waste AS place
    FROM parquet_kv_metadata('${object}') WHERE decode(key) = 'lamina.image')`,
)
const wasteTable = join(await mkdtemp(join(tmpdir(), 'lamina-waste-')), 'waste.parquet')
const from = Number(offset)
await writeFile(wasteTable, (await readFile(object)).subarray(from, from + Number(bytes)))
same(
  'stored: the waste of the image is that of the table in packages.parquet',
  await row(stored, `SELECT sum(bytes) AS bytes, count(*) AS files FROM '${wasteTable}'`),
  { bytes: waste.bytes, files: waste.files },
)

const lake = await mkdtemp(join(tmpdir(), 'lamina-lake-'))
await makeLake({ env: { LAMINA_DATA: data }, out: lake, batch: '10', tell: () => {} })
await compare('compacted', await connect('lake views', lake))
await rm(lake, { recursive: true })

console.log(`${passed} passed, ${failed} failed`)
process.exit(failed > 0 ? 1 : 0)
