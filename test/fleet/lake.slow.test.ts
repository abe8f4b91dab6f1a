/** `lamina lake`: what a lake contains, whatever happens while it is made. Queries on a lake are in `fleet.test.ts`. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { DuckDBInstance } from '@duckdb/node-api'
import { afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { compact } from '../../cli/lake/compact.ts'
import { Database } from '../../cli/lake/duckdb.ts'
import { LakeFolder } from '../../cli/lake/folder.ts'
import { folderSource } from '../../cli/lake/source.ts'
import { TABLES, type TableName } from '../../cli/lake/tables.ts'
import { makeLake } from '../../cli/make-lake.ts'
import { parseConfiguration } from '../../src/configuration.ts'
import { writeFailure } from '../../src/image/image.ts'
import { openStore } from '../../workers/node/host.ts'
import { FolderStore } from '../../workers/node/store/folder-store.ts'
import { CURL, writeFleet } from '../bench/synthetic-fleet.ts'
import { startS3 } from '../support/s3.ts'
import { COMPILED } from '../support/service.ts'

const MAIN = fileURLToPath(new URL('../../cli/main.ts', import.meta.url))
const IMAGES = 18
/** For one repository: its base, its dependencies shared by ten tags each, and one layer per image. */
const LAYERS = 1 + 2 + IMAGES
const NAMES = Object.keys(TABLES) as TableName[]

let root: string
let data: string
let out: string
/** Rows of each table of a lake that was made from `data` in one go. */
let whole: Contents

type Contents = Readonly<Record<string, readonly unknown[]>>

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'lamina-lake-test-'))
  data = join(root, 'data')
  await writeFleet(data, 0, IMAGES)
  const lake = join(root, 'whole')
  expect(await run(lake)).toBe(`${IMAGES} images and ${LAYERS} layers added to ${lake}`)
  whole = await contentsOf(lake)
  return () => rm(root, { recursive: true })
})

beforeEach(async () => {
  out = await mkdtemp(join(root, 'lake-'))
})

afterEach(async () => {
  await rm(out, { recursive: true, force: true })
})

function run(lake: string, batch = 1000, env: Record<string, string> = { LAMINA_DATA: data }) {
  return makeLake({ env, out: lake, batch: String(batch), tell: () => {} })
}

/** The rows of all tables, in an order that does not depend on files. */
async function contentsOf(lake: string): Promise<Contents> {
  const connection = await (await DuckDBInstance.create()).connect()
  const contents: Record<string, readonly unknown[]> = {}
  for (const name of NAMES) {
    const rows = await connection.runAndReadAll(
      `SELECT * FROM read_parquet('${lake}/${name}/byte=*/*.parquet', hive_types = {'byte': VARCHAR}) ORDER BY ALL`,
    )
    contents[name] = rows.getRowsJson()
  }
  connection.closeSync()
  return contents
}

async function filesOf(lake: string): Promise<readonly string[]> {
  const found = await readdir(lake, { recursive: true, withFileTypes: true })
  return found
    .filter((file) => file.isFile())
    .map((file) => relative(lake, join(file.parentPath, file.name)))
    .filter((file) => !file.startsWith('.work'))
}

it('contains what the service has stored, partitioned by first byte and sorted within', async () => {
  expect(whole.images).toHaveLength(IMAGES)
  expect(whole.files).toHaveLength(IMAGES * 280 + 1)
  expect(whole.contents).toHaveLength(IMAGES * 280 + 1)
  expect(whole.packages).toHaveLength(IMAGES * 90)
  expect(whole.package_images).toHaveLength(IMAGES * 90)
  expect(whole.image_layers).toHaveLength(IMAGES * 3)
  expect(whole.layers).toHaveLength(LAYERS)
  expect(whole.names).toHaveLength(IMAGES)
  expect(whole.sources).toHaveLength(LAYERS)
  const connection = await (await DuckDBInstance.create()).connect()
  for (const { name, byte, order } of Object.values(TABLES)) {
    const path = `${root}/whole/${name}/byte=*/*.parquet`
    const [strayed] = (
      await connection.runAndReadAll(
        `SELECT count(*) AS rows FROM read_parquet('${path}', hive_types = {'byte': VARCHAR}) WHERE byte <> ${byte}`,
      )
    ).getRowsJson()
    expect([name, strayed]).toEqual([name, ['0']])
    const key = `(${order})`
    const [unsorted] = (
      await connection.runAndReadAll(
        `SELECT count(*) FROM (
           SELECT row(${order}) AS now, lag(row(${order})) OVER (PARTITION BY filename ORDER BY file_row_number) AS before
           FROM read_parquet('${path}', filename = true, file_row_number = true)
         ) WHERE now < before`,
      )
    ).getRowsJson()
    expect([name, key, unsorted]).toEqual([name, key, ['0']])
  }
  connection.closeSync()
})

it('finds each content by its digest, even one that many images have', async () => {
  await run(out)
  const connection = await (await DuckDBInstance.create()).connect()
  const found = await connection.runAndReadAll(
    `SELECT count(*) FROM read_parquet('${out}/contents/byte=*/*.parquet', hive_types = {'byte': VARCHAR})
     WHERE sha256 = unhex('${CURL}')`,
  )
  expect(found.getRowsJson()).toEqual([[`${IMAGES}`]])
  connection.closeSync()
})

it('leaves out what is known only from tables of contents', async () => {
  const copy = join(out, 'data')
  await cp(data, copy, { recursive: true })
  const below = async (kind: string, name: string) => {
    const [hex = ''] = await readdir(join(data, kind))
    for (const known of [hex, 'd'.repeat(64)])
      await cp(join(data, kind, hex), join(copy, kind, known, name), { recursive: true })
  }
  await below('images/v6/sha256', 'toc')
  await below('layers/v5/sha256', join('toc', 'c'.repeat(64)))
  const lake = join(out, 'lake')
  expect(await run(lake, 1000, { LAMINA_DATA: copy })).toBe(
    `${IMAGES} images and ${LAYERS} layers added to ${lake}`,
  )
  expect(await contentsOf(lake)).toEqual(whole)
})

it('is the same for any batch size, and reads no object twice', async () => {
  const folder = new LakeFolder(out)
  const store = new FolderStore(data)
  const read: string[] = []
  const add = async () => {
    await folder.prepare()
    const database = await Database.open(folder.lockFile, folder.temporary)
    const { keys, files } = folderSource(data, store)
    const source = {
      keys,
      files: (some: readonly string[]) => {
        read.push(...some)
        return files(some)
      },
    }
    await compact({ database, folder, source, batch: 4, tell: () => {} })
    database.close()
  }
  await add()
  expect(await contentsOf(out)).toEqual(whole)
  const tables = read.filter((key) => key.endsWith('.parquet'))
  expect(tables).toHaveLength(2 * IMAGES + LAYERS)
  expect(new Set(tables).size).toBe(tables.length)
  read.length = 0
  await add()
  expect(read).toEqual([])
  expect(await contentsOf(out)).toEqual(whole)
})

it('adds what is new, and merges files of similar size', async () => {
  const growing = join(root, 'growing')
  for (let first = 0; first < IMAGES; first += 2) {
    await writeFleet(growing, first, 2)
    await run(out, 1000, { LAMINA_DATA: growing })
  }
  expect(await contentsOf(out)).toEqual(whole)
  const files = (await filesOf(out)).filter((file) => file.startsWith('package_images/'))
  const partitions = Map.groupBy(files, dirname)
  for (const some of partitions.values()) expect(some.length).toBeLessThan(8)
  expect(files.some((file) => /\/1-[^/]*$/.test(file))).toBe(true)
}, 300_000)

it('resumes where a run was killed', async () => {
  const child = spawn(process.execPath, [MAIN, 'lake', out, '--batch', '5'], {
    env: { PATH: process.env.PATH, ...COMPILED, LAMINA_DATA: data },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const exited = once(child, 'exit')
  for await (const line of createInterface(child.stderr)) {
    if (!line.startsWith('images: 10 ')) continue
    child.kill('SIGKILL')
    break
  }
  await exited
  const begun = await contentsOf(out)
  expect(begun.images?.length).toBeGreaterThanOrEqual(10)
  expect(begun.images?.length).toBeLessThan(IMAGES)
  await run(out, 5)
  expect(await contentsOf(out)).toEqual(whole)
}, 300_000)

it('finishes a commit that was interrupted between two of its files', async () => {
  await cp(join(root, 'whole'), out, { recursive: true })
  const folder = new LakeFolder(out)
  const [moved = '', waiting = '', replaced = ''] = (await filesOf(out)).filter((file) =>
    file.startsWith('files/'),
  )
  await mkdir(dirname(join(folder.incoming, waiting)), { recursive: true })
  await rename(join(out, waiting), join(folder.incoming, waiting))
  await cp(join(out, replaced), join(out, `${replaced}.old.parquet`))
  const commit = { added: [moved, waiting], removed: [`${replaced}.old.parquet`] }
  await writeFile(join(out, '.work/commit.json'), JSON.stringify(commit))
  await run(out)
  expect(await contentsOf(out)).toEqual(whole)
})

it('can be made from S3 as from a folder', async () => {
  const s3 = await startS3()
  try {
    const env = { ...s3.settings }
    for (const [name, value] of Object.entries(env)) process.env[name] = value
    const store = await openStore(parseConfiguration(env, 'node'))
    for (const key of await filesOf(data)) await store.put(key, await readFile(join(data, key)))
    await run(out, 20, env)
    expect(await contentsOf(out)).toEqual(whole)
    expect(await readdir(join(out, '.work/temporary'))).toEqual([])
  } finally {
    for (const name of Object.keys(s3.settings)) delete process.env[name]
    await s3.stop()
  }
}, 300_000)

it('leaves out an image without tables, and tolerates any document', async () => {
  const odd = join(root, 'odd')
  await writeFleet(odd, 0, 4)
  const images = await readdir(join(odd, 'images/v6/sha256'))
  const [lost = '', failed = '', binary = '', broken = ''] = images
  await rm(join(odd, 'images/v6/sha256', lost, 'files.parquet'))
  await rm(join(odd, 'images/v6/sha256', failed), { recursive: true })
  await writeFailure(new FolderStore(odd), `sha256:${failed}`, {
    code: 'not_an_image',
    detail: 'a chart',
    permanent: true,
  })
  const [origin = ''] = await readdir(join(odd, 'manifests/sha256', binary))
  await writeFile(join(odd, 'manifests/sha256', binary, origin), Buffer.from([0xff, 0xfe, 0x7b]))
  await writeFile(join(odd, 'manifests/sha256', broken, origin), '{"config": {"digest": ["sha256:../.."]}}')
  const done = await run(out, 1000, { LAMINA_DATA: odd })
  expect(done).toContain('3 images and 6 layers added')
  expect(done).toContain('1 images without tables left out')
  const { images: rows } = await contentsOf(out)
  const told = rows?.map((row) => (Array.isArray(row) ? [row[0], row[1], row[4]] : row))
  expect(told).toEqual(
    [
      [failed, 'app-0', 'not_an_image'],
      [binary, null, null],
      [broken, null, null],
    ].sort(),
  )
})

it('has only one writer at a time', async () => {
  const folder = new LakeFolder(out)
  await folder.prepare()
  // A separate process: within one process DuckDB can open a file twice.
  const script = `import { Database } from '${fileURLToPath(new URL('../../cli/lake/duckdb.ts', import.meta.url))}'
    await Database.open(process.argv[1], process.argv[2]); console.log('open'); setInterval(() => {}, 1000)`
  const child = spawn(
    process.execPath,
    ['--input-type=module', '-e', script, folder.lockFile, folder.temporary],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  try {
    await once(child.stdout, 'data')
    await expect(run(out)).rejects.toMatchObject({ code: 'lake_busy' })
  } finally {
    child.kill('SIGKILL')
  }
})
