import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { gunzipSync } from 'node:zlib'
import { DuckDBInstance } from '@duckdb/node-api'
import fc from 'fast-check'
import { extract } from 'tar-stream'
import { expect, onTestFinished, test } from 'vitest'
import { MemoryStore } from '../../test/support/memory-store.ts'
import { FolderStore } from '../../workers/node/store/folder-store.ts'
import type { DatabaseSink } from '../layer/database.ts'
import type { Entry } from '../layer/entry.ts'
import type { LayerFacts, LayerReading } from '../layer/read.ts'
import { LostTable, openTable } from '../table/table.ts'
import { pathToKey } from '../text/path.ts'
import { DatabaseArchive, readDatabases, type StoredDatabases } from './databases.ts'
import { ENTRIES } from './entries.ts'
import { layerKey } from './keys.ts'
import { indexLayer, readLayerFacts } from './layer-index.ts'

const DIGEST = `sha256:${'a'.repeat(64)}`
const FACTS: LayerFacts = {
  digest: DIGEST,
  diffId: `sha256:${'b'.repeat(64)}`,
  compression: 'gzip',
  compressedBytes: 10,
  uncompressedBytes: 20,
  fileBytes: 5,
  entries: 2,
  warnings: [{ code: 'absolute', count: 2, key: 'etc\0caf\xe9' }],
}

const KEY = layerKey(DIGEST, 'entries.parquet')

/** The part of the layer's object that holds its databases. */
function databasesOf(store: MemoryStore, { databasesPart: { offset, bytes } }: StoredDatabases): Uint8Array {
  return store.objects.get(KEY)?.subarray(offset, offset + bytes) ?? new Uint8Array(0)
}

type Database = { readonly path: string; readonly ordinal: number; readonly content: Uint8Array }

const file = (path: string, ordinal = 0): Entry => ({
  key: pathToKey(path),
  type: 'file',
  bytes: 1,
  mode: 0o644,
  uid: 0,
  gid: 0,
  mtime: 0,
  ordinal,
  offset: 512,
})

/** A layer reader that yields these entries and databases, and fails where asked to. */
function reading(
  sink: DatabaseSink,
  {
    entries = [],
    databases = [],
    failure,
  }: { entries?: readonly Entry[]; databases?: readonly Database[]; failure?: Error },
): LayerReading {
  return {
    async *entries() {
      for (const { path, ordinal, content } of databases) {
        await sink.open(pathToKey(path), content.length, ordinal)
        for (let at = 0; at < content.length; at += 100_000) {
          // A view whose bytes change as soon as the sink has received it.
          const view = content.slice(at, at + 100_000)
          await sink.write(view)
          view.fill(0)
        }
        await sink.close()
      }
      yield entries
      if (failure !== undefined) throw failure
    },
    facts: FACTS,
    linksDatabases: false,
    linksExamined: false,
  }
}

test('a layer counts as indexed only when all of it is stored', async () => {
  const store = new MemoryStore()
  expect(await readLayerFacts(store, DIGEST)).toBeUndefined()
  const entries = [file('b', 0), file('a', 1)]
  const facts = await indexLayer(store, DIGEST, ({ database: sink }) => reading(sink, { entries }))
  expect(facts).toMatchObject({
    ...FACTS,
    databases: 0,
    databasesPart: { bytes: 0 },
    checkpoints: { bytes: 0 },
  })
  expect(await readLayerFacts(store, DIGEST)).toEqual(facts)
  expect([...store.objects.keys()]).toEqual([KEY])
  const table = await openTable(store, KEY, ENTRIES)
  const keys: string[] = []
  for await (const rows of table!.rows()) keys.push(...rows.map((row) => row.key))
  expect(keys).toEqual(['a', 'b'])
})

test('nothing is stored of a layer that fails', async () => {
  const store = new MemoryStore()
  const failure = new Error('the registry hung up')
  // More than fits in memory.
  const content = randomBytes(3_000_000)
  const databases = [{ path: 'lib/apk/db/installed', ordinal: 0, content }]
  const work = indexLayer(store, DIGEST, ({ database: sink }) =>
    reading(sink, { entries: [file('a')], databases, failure }),
  )
  await expect(work).rejects.toBe(failure)
  expect([...store.objects.keys()]).toEqual([])
})

test.each(['entries.parquet', 'temporary/'])('a store that fails at %s fails the layer', async (name) => {
  const failure = new Error('no space')
  class FailingStore extends MemoryStore {
    override async put(key: string, body: Uint8Array | ReadableStream<Uint8Array>): Promise<void> {
      if (!key.includes(name)) return super.put(key, body)
      // A store may do this: stop reading without cancelling.
      if (body instanceof ReadableStream) await body.getReader().read()
      throw failure
    }
  }
  const store = new FailingStore()
  const content = randomBytes(3_000_000)
  const databases = [{ path: 'lib/apk/db/installed', ordinal: 0, content }]
  const work = indexLayer(store, DIGEST, ({ database: sink }) =>
    reading(sink, { entries: [file('a')], databases }),
  )
  await expect(work).rejects.toBe(failure)
  expect([...store.objects.keys()]).toEqual([])
})

test('facts of another layer or without a checksum are rejected', async () => {
  const store = new MemoryStore()
  const other = `sha256:${'c'.repeat(64)}`
  await indexLayer(store, DIGEST, ({ database: sink }) => reading(sink, { entries: [file('a')] }))
  const whole = Buffer.from(store.objects.get(KEY) ?? [])
  store.objects.set(layerKey(other, 'entries.parquet'), whole)
  expect(await readLayerFacts(store, other)).toBeUndefined()
  for (let at = whole.indexOf('lamina.layer'); at < whole.indexOf('"warnings"'); at += 7) {
    const damaged = Buffer.from(whole)
    damaged[at] = (damaged[at] ?? 0) ^ 1
    store.objects.set(KEY, damaged)
    expect(await readLayerFacts(store, DIGEST), `byte ${at}`).toBeUndefined()
  }
})

const database: fc.Arbitrary<Database> = fc.record({
  path: fc.oneof(
    fc.constantFrom(
      'var/lib/dpkg/status',
      `${'node_modules/'.repeat(20)}x/package.json`,
      'caf\xe9/\xff\xfe.egg-info',
      'n/caf\xc3\xa9.egg-info',
    ),
    fc.integer({ min: 90, max: 110 }).map((length) => 'd'.repeat(length)),
  ),
  ordinal: fc.nat(),
  content: fc.uint8Array({ maxLength: 2000 }),
})

test('databases read back unchanged', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(database), async (databases) => {
      const store = new MemoryStore()
      const facts = await indexLayer(store, DIGEST, ({ database: sink }) => reading(sink, { databases }))
      const found: Database[] = []
      for await (const { key, ordinal, bytes, content } of readDatabases(store, DIGEST, facts)) {
        const whole = Buffer.concat(await Array.fromAsync(content, (piece) => piece.slice()))
        expect(whole.length).toBe(bytes)
        found.push({ path: key.replaceAll('\0', '/'), ordinal, content: Uint8Array.from(whole) })
      }
      expect(found).toEqual(
        databases.map(({ content, ...rest }) => ({ ...rest, content: Uint8Array.from(content) })),
      )
      expect(databasesOf(store, facts).length > 0).toBe(databases.length > 0)
    }),
    { numRuns: process.env.LAMINA_LONG === '1' ? 500 : 50 },
  )
})

test('other tools can read the databases', async () => {
  const store = new MemoryStore()
  const content = Uint8Array.from({ length: 700_000 }, (_, i) => i)
  const databases = [
    { path: 'var/lib/dpkg/status', ordinal: 7, content },
    { path: `${'node_modules/'.repeat(20)}café/package.json`, ordinal: 9, content: content.slice(0, 1) },
    { path: 'empty', ordinal: 11, content: content.slice(0, 0) },
  ].map((database) => ({ ...database, path: Buffer.from(database.path).toString('latin1') }))
  const facts = await indexLayer(store, DIGEST, ({ database: sink }) => reading(sink, { databases }))
  const found: { path: string; ordinal: string | undefined; sha1: string }[] = []
  const tar = extract()
  tar.end(gunzipSync(databasesOf(store, facts)))
  for await (const member of tar) {
    const { header } = member
    const pax = new Map(Object.entries(header.pax ?? {}))
    found.push({
      path: Buffer.from(header.name).toString('latin1'),
      ordinal: pax.get('LAMINA.ordinal'),
      sha1: sha1(await buffer(member)),
    })
  }
  expect(found).toEqual(
    databases.map(({ path, ordinal, content }) => ({
      path,
      ordinal: String(ordinal),
      sha1: sha1(content),
    })),
  )
})

function sha1(content: Uint8Array): string {
  return createHash('sha1').update(content).digest('hex')
}

test('what is found inside files is kept up to 32 MiB; smaller findings still fit after one that does not', async () => {
  const archive = new DatabaseArchive(new MemoryStore())
  const named = (bytes: number) => ({ runtime: { name: 'node', version: 'v'.repeat(bytes) } })
  const kept: string[] = []
  for (const [ordinal, bytes] of [20 * 2 ** 20, 20 * 2 ** 20, 10].entries())
    kept.push(await archive.examined(`${ordinal}`, ordinal, named(bytes)))
  await archive.finish()
  expect([kept, archive.count]).toEqual([['kept', 'left out', 'kept'], 2])
  await archive.release()
})

test('databases that are not read to the end are skipped', async () => {
  const store = new MemoryStore()
  const databases = ['a', 'b', 'c'].map((path, ordinal) => ({
    path,
    ordinal,
    content: new Uint8Array(200_000),
  }))
  const facts = await indexLayer(store, DIGEST, ({ database: sink }) => reading(sink, { databases }))
  const found: string[] = []
  for await (const { key, content } of readDatabases(store, DIGEST, facts)) {
    found.push(key)
    if (key === 'b') for await (const _ of content) break
  }
  expect(found).toEqual(['a', 'b', 'c'])
})

test('missing databases are an error if the layer has some', async () => {
  const store = new MemoryStore()
  const databases = [{ path: 'a', ordinal: 0, content: new Uint8Array(1) }]
  const facts = await indexLayer(store, DIGEST, ({ database: sink }) => reading(sink, { databases }))
  expect(facts.databases).toBe(1)
  await store.delete(KEY)
  const all = Array.fromAsync(readDatabases(store, DIGEST, facts))
  await expect(all).rejects.toThrow(LostTable)
  expect(await Array.fromAsync(readDatabases(store, DIGEST, { ...facts, databases: 0 }))).toEqual([])
})

test('truncated databases are an error', async () => {
  const store = new MemoryStore()
  const facts = await indexLayer(store, DIGEST, ({ database: sink }) =>
    reading(sink, { databases: [{ path: 'a', ordinal: 0, content: randomBytes(2000) }] }),
  )
  const whole = store.objects.get(KEY)!
  const { offset, bytes } = facts.databasesPart
  expect(bytes).toBeGreaterThan(2000)
  for (const length of [0, 5, 100, 512, 1500, bytes - 1]) {
    store.objects.set(KEY, whole.subarray(0, offset + length))
    const all = Array.fromAsync(readDatabases(store, DIGEST, facts))
    await expect(all, `${length} of ${whole.length}`).rejects.toThrow(LostTable)
  }
})

test('databases damaged at any byte are an error', async () => {
  const store = new MemoryStore()
  const content = Uint8Array.from({ length: 1000 }, (_, i) => i)
  const facts = await indexLayer(store, DIGEST, ({ database: sink }) =>
    reading(sink, { databases: [{ path: 'a', ordinal: 0, content }] }),
  )
  const whole = store.objects.get(KEY)!
  const { offset, bytes } = facts.databasesPart
  for (let at = offset; at < offset + bytes; at += 7) {
    store.objects.set(
      KEY,
      whole.map((byte, i) => (i === at ? byte ^ 1 : byte)),
    )
    const all = Array.fromAsync(readDatabases(store, DIGEST, facts))
    await expect(all, `byte ${at} of ${whole.length}`).rejects.toThrow(LostTable)
  }
})

test('databases that decompress to more than declared are an error, and are not decompressed to the end', async () => {
  const store = new MemoryStore()
  const content = new Uint8Array(64 * 2 ** 20)
  const facts = await indexLayer(store, DIGEST, ({ database: sink }) =>
    reading(sink, { databases: [{ path: 'a', ordinal: 0, content }] }),
  )
  let unpacked = 0
  const read = async (databasesBytes: number) => {
    unpacked = 0
    for await (const { content } of readDatabases(store, DIGEST, { ...facts, databasesBytes }))
      for await (const piece of content) unpacked += piece.length
  }
  await read(facts.databasesBytes)
  expect(unpacked).toBe(content.length)
  expect(facts.databasesPart.bytes).toBeLessThan(content.length / 100)
  await expect(read(facts.databasesBytes - 1)).rejects.toThrow(LostTable)
  await expect(read(2 ** 20)).rejects.toThrow(LostTable)
  expect(unpacked).toBeLessThan(2 * 2 ** 20)
})

test("the documentation's query works on the tables in place", async () => {
  const folder = await mkdtemp(join(tmpdir(), 'lamina-lake-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const store = new FolderStore(folder)
  for (const [hex, bytes] of [
    ['a', 1],
    ['b', 2],
    ['c', 3],
  ] as const) {
    const sha256 = hex.repeat(32)
    const entries = [file('usr/bin/bash'), file('usr/bin/bash.orig', 1), file('usr/lib', 2)]
    const all = hex === 'b' ? entries.slice(1) : entries
    const digest = `sha256:${hex.repeat(64)}`
    await indexLayer(store, digest, ({ database: sink }) =>
      reading(sink, { entries: all.map((one) => ({ ...one, bytes, sha256 })) }),
    )
  }
  const documentation = await readFile(new URL('../../docs/store.md', import.meta.url), 'utf8')
  const [, sql = ''] = /```sql\n(.*?)```/s.exec(documentation) ?? []
  const instance = await DuckDBInstance.create()
  const duckdb = await instance.connect()
  const answer = await duckdb.runAndReadAll(sql.replace('.lamina/', `${folder}/`))
  const rows = answer
    .getRowObjects()
    .map((row) => [String(row.filename).slice(folder.length + 1), row.bytes, row.sha256])
  expect(rows.sort()).toEqual([
    [`layers/v5/sha256/${'a'.repeat(64)}/entries.parquet`, 1n, '61'.repeat(32)],
    [`layers/v5/sha256/${'c'.repeat(64)}/entries.parquet`, 3n, '63'.repeat(32)],
  ])
})
