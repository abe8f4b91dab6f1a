/** One layer in the store: its members sorted, its package databases, and last the facts that say that it is whole. */
import { z } from 'zod'
import { allOf } from '../concurrency.ts'
import type { ObjectStore } from '../host.ts'
import type { LayerFacts, LayerReading, LayerSinks } from '../layer/read.ts'
import type { ChunkSink } from '../layer/toc/chunk.ts'
import type { TableFacts, TableReading } from '../layer/toc/read.ts'
import { fetchBytes } from '../table/fetch-bytes.ts'
import { CheckpointArchive } from './checkpoints.ts'
import { ChunkArchive } from './chunks.ts'
import { DatabaseArchive, type StoredDatabases } from './databases.ts'
import { layerKey } from './keys.ts'
import { seal, unseal } from './sealed.ts'
import { writeSorted } from './sort-entries.ts'

/** What is stored of a layer beside its tables. */
export type IndexedLayer = LayerFacts & StoredDatabases

/** What is stored of a layer that is known from its table of contents: what the manifest says besides can be another's lie. */
export type TabledLayer = TableFacts & Pick<IndexedLayer, 'digest'> & StoredDatabases

const TABLE_FACTS = {
  digest: z.string(),
  compression: z.enum(['gzip', 'zstd', 'none']),
  fileBytes: z.number(),
  entries: z.number(),
  databases: z.number(),
  databasesCrc32: z.number(),
  warnings: z.array(
    z.object({
      code: z.enum(['absolute', 'dotdot', 'databaseTooLarge']),
      count: z.number(),
      key: z.string(),
    }),
  ),
}

const TABLED: z.ZodType<TabledLayer> = z.object(TABLE_FACTS)
const FACTS: z.ZodType<IndexedLayer> = z.object({
  ...TABLE_FACTS,
  diffId: z.string(),
  compressedBytes: z.number(),
  uncompressedBytes: z.number(),
})

/** A few warnings and digests; more is damaged. */
const MAX_FACTS_BYTES = 1 << 20

/** What is known of a layer without its tables; undefined where it is not indexed, or where what is stored is damaged. */
export async function readLayerFacts(store: ObjectStore, digest: string): Promise<IndexedLayer | undefined> {
  const facts = FACTS.safeParse(await readFacts(store, digest)).data
  return facts?.digest === digest ? facts : undefined
}

/** The same of a layer that is known from its table of contents. @param index from {@link tableIndexName} */
export async function readTableFacts(store: ObjectStore, index: string): Promise<TabledLayer | undefined> {
  const facts = TABLED.safeParse(await readFacts(store, index)).data
  return facts !== undefined && index.startsWith(`${facts.digest}/`) ? facts : undefined
}

async function readFacts(store: ObjectStore, index: string): Promise<unknown> {
  const key = layerKey(index, 'layer.json')
  const stored = await fetchBytes(store, key, { offset: 0, length: MAX_FACTS_BYTES })
  return stored === undefined ? undefined : unseal(key, stored.bytes)
}

/**
 * Reads a layer into the store, in memory that does not grow with it: what takes longest holds up the others.
 *
 * @param digest of its blob
 * @param read begins the reading, with the sinks for what is caught in passing
 * @param addLinked adds the databases that only hard links name: called if there are some, when the entries are stored
 * @returns what is now stored as `layer.json`
 * @throws whatever the reading or the store throws; then the layer counts as not indexed, and nothing temporary is left
 * @example
 * await indexLayer(store, descriptor.digest, (sinks) => readLayer(blob, { descriptor, limits, wasm, ...sinks }))
 */
export async function indexLayer(
  store: ObjectStore,
  digest: string,
  read: (sinks: LayerSinks) => LayerReading,
  addLinked?: (archive: DatabaseArchive) => Promise<void>,
): Promise<IndexedLayer> {
  const database = new DatabaseArchive(store, digest)
  const checkpoints = new CheckpointArchive(store, digest)
  try {
    const reading = read({ database, checkpoints })
    await writeSorted(store, layerKey(digest, 'entries.parquet'), reading.entries())
    if (reading.linksDatabases) await addLinked?.(database)
    await allOf([database.finish(), checkpoints.finish()])
    const facts = { ...reading.facts, databases: database.count, databasesCrc32: database.crc32 }
    await writeFacts(store, digest, facts)
    return facts
  } catch (error) {
    await database.abort(error)
    await checkpoints.abort(error)
    throw error
  }
}

export type TabledIndex = {
  /** From {@link tableIndexName}. */
  readonly index: string
  /** Of the blob. */
  readonly digest: string
  /** Begins the reading. */
  readonly read: (chunks: ChunkSink) => TableReading
  /** Adds the package databases: called when the entries and the chunks are stored. */
  readonly addDatabases: (reading: TableReading, archive: DatabaseArchive) => Promise<void>
}

/**
 * The same of a layer's table of contents, beside the layer's own index.
 *
 * @throws whatever the reading or the store throws; then this index counts as missing, and nothing temporary is left
 */
export async function indexTable(
  store: ObjectStore,
  { index, digest, read, addDatabases }: TabledIndex,
): Promise<TabledLayer> {
  const database = new DatabaseArchive(store, index)
  const chunks = new ChunkArchive(store, index)
  try {
    const reading = read(chunks)
    await writeSorted(store, layerKey(index, 'entries.parquet'), reading.entries())
    await chunks.finish(reading.contentEnd)
    await addDatabases(reading, database)
    await database.finish()
    const stored = { databases: database.count, databasesCrc32: database.crc32 }
    const facts = { ...reading.facts, digest, ...stored }
    await writeFacts(store, index, facts)
    return facts
  } catch (error) {
    await database.abort(error)
    await chunks.abort(error)
    throw error
  }
}

async function writeFacts(
  store: ObjectStore,
  index: string,
  facts: IndexedLayer | TabledLayer,
): Promise<void> {
  const key = layerKey(index, 'layer.json')
  await store.put(key, seal(key, facts))
}
