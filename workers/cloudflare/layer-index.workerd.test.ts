/** Indexing in workerd: its own streams and checksums, and R2. */
import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { readDatabases } from '../../src/index/databases.ts'
import { ENTRIES } from '../../src/index/entries.ts'
import { layerKey } from '../../src/index/keys.ts'
import { indexLayer, readLayerFacts } from '../../src/index/layer-index.ts'
import type { Entry } from '../../src/layer/entry.ts'
import type { LayerFacts } from '../../src/layer/read.ts'
import { openTable, plainRow } from '../../src/table/table.ts'
import { R2Store } from './r2-store.ts'

const DIGEST = `sha256:${'c'.repeat(64)}`
const COUNT = 5000

const FACTS: LayerFacts = {
  digest: DIGEST,
  diffId: DIGEST,
  compression: 'gzip',
  compressedBytes: 1,
  uncompressedBytes: 2,
  fileBytes: 3,
  entries: COUNT,
  warnings: [],
}

const entries = Array.from({ length: COUNT }, (_, i): Entry => {
  const name = String(i).padStart(5, '0')
  const rest = { mode: 0o644, uid: 0, gid: 0, mtime: i * 1e9, ordinal: i, offset: i * 1024 }
  return { key: `caf\xe9\0${name}`, type: 'file', bytes: i, sha256: name.padEnd(32, '\xff'), ...rest }
})

test('a layer is indexed and can be read back', async () => {
  const store = new R2Store(env.BUCKET)
  const content = Uint8Array.from({ length: 200_000 }, (_, i) => i)
  const facts = await indexLayer(store, DIGEST, ({ database: sink }) => ({
    async *entries() {
      await sink.open('lib\0apk\0db\0installed', content.length, 7)
      await sink.write(content)
      await sink.close()
      yield entries
    },
    facts: FACTS,
    linksDatabases: false,
  }))
  expect(facts).toMatchObject({ ...FACTS, databases: 1, checkpoints: { bytes: 0 } })
  expect(await readLayerFacts(store, DIGEST)).toEqual(facts)
  const table = await openTable(store, layerKey(DIGEST, 'entries.parquet'), ENTRIES)
  const rows: Entry[] = []
  for await (const batch of table!.rows()) rows.push(...batch.map((row) => plainRow(ENTRIES, row)))
  expect(rows).toEqual(entries)
  const databases = await Array.fromAsync(readDatabases(store, DIGEST, facts), async (database) => ({
    ...database,
    content: Buffer.concat(await Array.fromAsync(database.content, (piece) => piece.slice())),
  }))
  expect(databases).toEqual([
    {
      key: 'lib\0apk\0db\0installed',
      ordinal: 7,
      bytes: content.length,
      isExamined: false,
      content: Buffer.from(content),
    },
  ])
})

test('nothing is stored of a layer that fails', async () => {
  const store = new R2Store(env.BUCKET)
  const digest = `sha256:${'d'.repeat(64)}`
  const failure = new Error('the registry hung up')
  const work = indexLayer(store, digest, ({ database: sink }) => ({
    async *entries() {
      await sink.open('lib\0apk\0db\0installed', 200_000, 7)
      await sink.write(new Uint8Array(200_000))
      await sink.close()
      yield entries
      throw failure
    },
    facts: FACTS,
    linksDatabases: false,
  }))
  await expect(work).rejects.toBe(failure)
  expect(await Array.fromAsync(store.list(`layers/v5/${digest.replace(':', '/')}`))).toEqual([])
})
