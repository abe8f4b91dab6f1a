/**
 * The SQL in `docs/fleet.md`: DuckDB's statements are run as written, over a folder that a service has filled and over the
 * lake that `lamina lake` makes of it; those of other engines must declare the columns of the Parquet files.
 */
import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type DuckDBConnection, DuckDBInstance, type Json } from '@duckdb/node-api'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeLake } from '../../cli/make-lake.ts'
import { FixtureRegistry } from '../registry/fixture.ts'
import { ask } from '../support/ask.ts'
import { goProgram } from '../support/go-program.ts'
import { makeImage, makeLayer, type TestImage, type TestLayer } from '../support/images.ts'
import { startService, type TestService } from '../support/service.ts'
import { zipOf } from '../support/zip.ts'

const document = await readFile(new URL('../../docs/fleet.md', import.meta.url), 'utf8')
const blocks = new Map(
  Array.from(
    document.matchAll(/^```sql (.+)\n([\s\S]*?)^```$/gm),
    ([, name = '', text = '']) => [name, text] as const,
  ),
)

function statements(name: string): readonly string[] {
  const block = blocks.get(name)
  if (block === undefined) throw new Error(`docs/fleet.md has no statement called ${name}`)
  return block
    .split(/;\n/)
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '')
}

const SECRET = 'a content that is looked for\n'
const hexOf = (digest: string) => digest.replace('sha256:', '')
const paragraph = (name: string, version: string) =>
  `Package: ${name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: ${version}\n\n`

let registry: FixtureRegistry
let service: TestService
let lake: string
/** Queries what the service has stored. */
let duckdb: DuckDBConnection
/** Queries the lake. */
let compacted: DuckDBConnection
let base: TestLayer
let app: TestLayer
let first: TestImage
let second: TestImage
let third: TestImage

/** A connection with the views of this block over this folder. */
async function connect(views: string, folder: string): Promise<DuckDBConnection> {
  const connection = await (await DuckDBInstance.create()).connect()
  await connection.run(`SET VARIABLE lake = '${folder}'`)
  for (const view of statements(views)) {
    if (!view.startsWith('SET VARIABLE lake')) await connection.run(view)
  }
  return connection
}

beforeAll(async () => {
  base = await makeLayer([
    { name: 'usr/bin/curl', content: 'curl'.repeat(2_000) },
    { name: 'var/lib/dpkg/status', content: paragraph('openssl', '3.0.17-1') },
  ])
  app = await makeLayer([
    { name: 'srv/.env', content: SECRET },
    { name: 'srv/again', content: 'again'.repeat(100) },
  ])
  const removed = await makeLayer([{ name: 'srv/.wh..env' }, { name: 'srv/b', content: 'b' }])
  const other = await makeLayer([
    { name: 'opt/curl', content: 'curl'.repeat(2_000) },
    { name: 'opt/secret', content: SECRET },
    { name: 'opt/app', content: goProgram('go1.26.1', ['mod\texample.org/app\tv1.0.0']) },
    { name: 'opt/a-1.2.jar', content: zipOf({ 'a.class': 'a' }) },
    { name: 'var/lib/dpkg/status', content: paragraph('openssl', '3.5.1-1') },
  ])
  const labels = {
    'org.opencontainers.image.title': 'first',
    'org.opencontainers.image.version': '1.2.3',
  }
  first = makeImage([base, app, removed], { config: { config: { Labels: labels } } })
  second = makeImage([base, app])
  third = makeImage([other])
  ;[registry, service] = await Promise.all([FixtureRegistry.start(), startService('node')])
  const bad = makeImage([await makeLayer([], { bytes: Buffer.from('no layer') })])
  const statuses: number[] = []
  for (const [tag, image] of Object.entries({ first, second, third, bad })) {
    const query = { image: registry.push('fleet', tag, image), wait: 60 }
    statuses.push((await ask(service.url, '/v1/report', { query })).status)
  }
  expect(statuses).toEqual([200, 200, 200, 422])
  await rm(join(service.data, 'names/sha256', hexOf(third.descriptor.digest)), { recursive: true })
  lake = await mkdtemp(join(tmpdir(), 'lamina-lake-'))
  await makeLake({ env: { LAMINA_DATA: service.data }, out: lake, batch: '1', tell: () => {} })
  duckdb = await connect('views', service.data)
  compacted = await connect('lake views', lake)
})

afterAll(async () => {
  duckdb?.closeSync()
  compacted?.closeSync()
  await Promise.all([service?.stop(), registry?.close(), rm(lake, { recursive: true })])
})

const imageOf = (image: TestImage) => hexOf(image.descriptor.digest)
/** The name of an image without a recorded one. */
const nameWithout = (image: TestImage) => `sha256:${imageOf(image)}`
/** The name as it was requested. */
const nameOf = (tag: string) => `${registry.host}/fleet:${tag}`
const blobOf = (layer: TestLayer) => hexOf(layer.descriptor.digest)

describe.each(['stored', 'compacted'])('DuckDB finds in what is %s', (kind) => {
  const query = async (text: string): Promise<Record<string, Json>[]> => {
    const connection = kind === 'stored' ? duckdb : compacted
    return (await connection.runAndReadAll(text)).getRowObjectsJson()
  }
  /** The rows of the block's only query, as JSON: 64-bit numbers are strings. */
  const rows = (name: string) => {
    const [text = '', ...more] = statements(name)
    if (more.length > 0) throw new Error(`${name} is more than one statement`)
    return query(text)
  }

  it('the images that contain a file, by its path', async () => {
    const found = await rows('images that contain a path')
    expect(found.map(({ name, image }) => [name, image])).toEqual([
      [nameOf('first'), imageOf(first)],
      [nameOf('second'), imageOf(second)],
    ])
    expect(found[0]).toMatchObject({
      bytes: '8000',
      layer: 0,
      sha256: createHash('sha256').update('curl'.repeat(2_000)).digest('hex'),
    })
  })

  it('those that contain certain content, and those that only store a file', async () => {
    const contained = await rows('images that contain a content')
    expect(contained.map(({ name, path }) => `${name} ${path}`)).toEqual([
      `${nameOf('second')} srv/.env`,
      `${nameWithout(third)} opt/secret`,
    ])
    const carried = await rows('images that carry a secret')
    expect(carried).toEqual([
      { name: nameOf('first'), layer: 1, path: 'srv/.env', bytes: String(SECRET.length), hidden: true },
      { name: nameOf('second'), layer: 1, path: 'srv/.env', bytes: String(SECRET.length), hidden: false },
    ])
  })

  it('the bytes shared by images', async () => {
    const sizes = [base, app].map(({ descriptor }) => descriptor.size)
    const shared = sizes.reduce((all, size) => all + size, 0)
    const layers = await rows('layers in several images')
    const expected = [base, app].map((layer) => ({
      blob: blobOf(layer),
      images: '2',
      compressed_bytes: String(layer.descriptor.size),
      saved_bytes: String(layer.descriptor.size),
    }))
    expect(layers).toEqual(expected.sort((a, b) => Number(b.saved_bytes) - Number(a.saved_bytes)))
    const [one, other] = [nameOf('first'), nameOf('second')]
    expect(await rows('shared bytes of two images')).toEqual([
      { one, other, layers: '2', shared_bytes: String(shared) },
    ])
    const all = [first, second, third].flatMap(({ layers }) =>
      layers.map(({ descriptor }) => descriptor.size),
    )
    const asImages = all.reduce((sum, size) => sum + size, 0)
    expect(await rows('shared bytes in all')).toEqual([
      { as_images_bytes: String(asImages), stored_bytes: String(asImages - shared) },
    ])
    const [repeated, secret] = await rows('contents in several layers')
    expect(repeated).toMatchObject({ bytes: '8000', layers: '2', path: 'opt/curl', repeated_bytes: '8000' })
    expect(secret).toMatchObject({ bytes: String(SECRET.length), layers: '2' })
  })

  it('the images that stand on an old base', async () => {
    const [text = ''] = statements('images on an old base')
    const on = (name: string, current: string) =>
      query(text.replace('docker.io/library/python:3.13-slim', name).replace(/sha256:[0-9a-f]{64}/, current))
    const found = [{ name: nameOf('first'), old_base: imageOf(second), base_layers: '2', own_layers: '1' }]
    expect(await on(nameOf('second'), third.descriptor.digest)).toEqual(found)
    expect(await on(nameOf('second'), second.descriptor.digest)).toEqual([])
    expect(await on(nameOf('first'), third.descriptor.digest)).toEqual([])
    expect(await rows('images on an old base')).toEqual([])
  })

  it('the largest layers of a registry', async () => {
    const found = await rows('largest layers')
    expect(new Set(found.map(({ registry }) => registry))).toEqual(new Set([registry.host]))
    // The third image has no name that says which registry has its layer.
    const sizes = first.layers.map(({ descriptor }) => String(descriptor.size))
    expect(found.map((row) => row.compressed_bytes)).toEqual(sizes.sort((a, b) => Number(b) - Number(a)))
    expect(found.find(({ blob }) => blob === blobOf(base))).toMatchObject({
      images: '2',
      created_by: 'RUN step 0',
    })
  })

  it('an image by its names, or by its digest if it has none', async () => {
    const found = await query('SELECT image, name FROM names ORDER BY name')
    const bad = found.filter(({ name }) => name === nameOf('bad'))
    expect(bad.length).toBe(1)
    expect(found).toEqual([
      ...bad,
      { image: imageOf(first), name: nameOf('first') },
      { image: imageOf(second), name: nameOf('second') },
      { image: imageOf(third), name: nameWithout(third) },
    ])
  })

  it('packages inside files', async () => {
    const found = await query(
      "SELECT type, name, version, path FROM packages WHERE type IN ('golang', 'maven') ORDER BY type, name",
    )
    expect(found).toEqual([
      { type: 'golang', name: 'example.org/app', version: 'v1.0.0', path: 'opt/app' },
      { type: 'golang', name: 'stdlib', version: '1.26.1', path: 'opt/app' },
      { type: 'maven', name: 'a', version: '1.2', path: 'opt/a-1.2.jar' },
    ])
  })

  it("a package at a version, and the image's own name", async () => {
    const found = await rows('packages at a version')
    const package_ = { type: 'deb', name: 'openssl', version: '3.0.17-1', path: null }
    expect(found).toEqual([
      { image: nameOf('first'), title: 'first', image_version: '1.2.3', ...package_ },
      { image: nameOf('second'), title: null, image_version: null, ...package_ },
    ])
    expect(await rows('versions in use')).toEqual([
      { type: 'deb', name: 'openssl', versions: '2', images: '3', one: '3.0.17-1', other: '3.5.1-1' },
    ])
  })
})

it('every block of SQL is run or compared', () => {
  const ours = [
    'images that contain a path',
    'images that contain a content',
    'images that carry a secret',
    'layers in several images',
    'shared bytes of two images',
    'shared bytes in all',
    'contents in several layers',
    'images on an old base',
    'largest layers',
    'packages at a version',
    'versions in use',
  ]
  const theirs = ['spark', 'athena', 'trino'].flatMap((engine) => [engine, `${engine} query`])
  expect([...blocks.keys()].sort()).toEqual(
    ['bucket', 'views', 'lake views', 'spark lake', 'iceberg', ...ours, ...theirs].sort(),
  )
})

/** Each engine's name for a column type in Parquet. */
const TYPES = {
  spark: {
    string: 'STRING',
    bytes: 'BINARY',
    int32: 'INT',
    int64: 'BIGINT',
    time: 'TIMESTAMP',
    flag: 'BOOLEAN',
  },
  athena: {
    string: 'string',
    bytes: 'binary',
    int32: 'int',
    int64: 'bigint',
    time: 'timestamp',
    flag: 'boolean',
  },
  trino: {
    string: 'varchar',
    bytes: 'varbinary',
    int32: 'integer',
    int64: 'bigint',
    time: 'timestamp(6)',
    flag: 'boolean',
  },
} as const
type Engine = keyof typeof TYPES

function kindOf(type: Json | undefined, logical: Json | undefined): keyof (typeof TYPES)[Engine] {
  const told = String(logical ?? '')
  switch (type) {
    case 'BOOLEAN':
      return 'flag'
    case 'INT32':
      return 'int32'
    case 'INT64':
      return told.includes('Timestamp') ? 'time' : 'int64'
    case 'BYTE_ARRAY':
      return told.includes('String') ? 'string' : 'bytes'
    case 'FIXED_LEN_BYTE_ARRAY':
      return 'bytes'
    default:
      throw new Error(`no engine was told of ${String(type)}`)
  }
}

const TABLES = {
  files: ['images/v6/sha256', 'files.parquet', 'image'],
  packages: ['images/v6/sha256', 'packages.parquet', 'image'],
  entries: ['layers/v5/sha256', 'entries.parquet', 'blob'],
} as const

describe.each(Object.keys(TYPES) as Engine[])('%s declares', (engine) => {
  it.each(Object.keys(TABLES) as (keyof typeof TABLES)[])('%s as they are', async (table) => {
    const [folder, file, partition] = TABLES[table]
    const names = await readdir(join(service.data, folder))
    const whole = (
      await Promise.all(names.map((name) => readdir(join(service.data, folder, name))))
    ).findIndex((objects) => objects.includes(file))
    const path = join(service.data, folder, names[whole] ?? '', file)
    const schema = await duckdb.runAndReadAll(
      `SELECT * FROM parquet_schema('${path}') WHERE type IS NOT NULL`,
    )
    const columns = schema.getRowObjectsJson().map(({ name, type, logical_type }) => {
      const shown = engine === 'spark' ? String(name) : String(name).toLowerCase()
      return `${shown} ${TYPES[engine][kindOf(type, logical_type)]}`
    })
    const declared = statements(engine).find((statement) =>
      new RegExp(`^CREATE (EXTERNAL )?TABLE (hive\\.lamina\\.)?${table} `).test(statement),
    )
    const listed = /\(\n([\s\S]*?)\n\)/.exec(declared ?? '')?.[1] ?? ''
    const found = listed.split(',\n').map((column) => column.trim().replace(/^["`]([a-z]+)["`]/, '$1'))
    expect(found).toEqual(engine === 'trino' ? [...columns, `${partition} varchar`] : columns)
  })
})

it("the Iceberg tables have columns of the lake, with Spark's types", async () => {
  const declared = statements('iceberg').flatMap((statement) => {
    const [, name = '', columns = ''] =
      /^CREATE TABLE IF NOT EXISTS r2\.lamina\.(\w+) \(([\s\S]*)\) USING/.exec(statement) ?? []
    return name === '' ? [] : [[name, columns.split(',').map((column) => column.trim())] as const]
  })
  expect(declared.map(([name]) => name)).toEqual(['files', 'contents', 'package_images', 'images'])
  const spark: Record<string, string> = {
    VARCHAR: 'STRING',
    BLOB: 'BINARY',
    INTEGER: 'INT',
    BIGINT: 'BIGINT',
    'TIMESTAMP WITH TIME ZONE': 'TIMESTAMP',
    BOOLEAN: 'BOOLEAN',
  }
  for (const [name, columns] of declared) {
    const described = await compacted.runAndReadAll(
      `DESCRIBE FROM read_parquet('${lake}/${name}/byte=*/*.parquet', hive_types = {'byte': VARCHAR})`,
    )
    const there = described
      .getRowObjectsJson()
      .map(({ column_name, column_type }) => `${column_name} ${spark[String(column_type)]}`)
    expect(there).toEqual(expect.arrayContaining(columns))
  }
})
