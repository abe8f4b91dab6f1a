/** One layer in the store: a table of its members, together with its package databases, its checkpoints and its facts. */
import { z } from 'zod'
import { allOf } from '../concurrency.ts'
import type { ObjectStore } from '../host.ts'
import type { Entry } from '../layer/entry.ts'
import type { LayerFacts, LayerReading, LayerSinks } from '../layer/read.ts'
import type { ChunkSink } from '../layer/toc/chunk.ts'
import type { TableReading, TocFacts } from '../layer/toc/read.ts'
import type { LayerWarning } from '../layer/warnings.ts'
import type { Batches } from '../table/merge.ts'
import { readMetadata } from '../table/metadata.ts'
import type { KeyValue } from '../table/parquet/footer.ts'
import { NOWHERE, STORED_PART, type StoredPart } from '../table/part.ts'
import type { TableEnd } from '../table/write-table.ts'
import { CheckpointArchive } from './checkpoints.ts'
import { addChecksum, verifyChecksum } from './checksummed.ts'
import { ChunkArchive } from './chunks.ts'
import { DatabaseArchive, type StoredDatabases } from './databases.ts'
import { layerKey } from './keys.ts'
import { writeSorted } from './sort-entries.ts'

/** What is stored about a layer besides its tables. */
export type IndexedLayer = LayerFacts & StoredDatabases & { readonly checkpoints: StoredPart }

/** What is stored about a layer known from its table of contents: other properties in the manifest could be lies. */
export type TocLayer = TocFacts & Pick<IndexedLayer, 'digest'> & StoredDatabases

/** The key in the footer. */
const METADATA = 'lamina.layer'

const TABLE_FACTS = {
  digest: z.string(),
  compression: z.enum(['gzip', 'zstd', 'none']),
  fileBytes: z.number(),
  entries: z.number(),
  databases: z.number(),
  databasesBytes: z.number(),
  databasesCrc32: z.number(),
  databasesPart: STORED_PART,
  warnings: z.array(
    z.object({
      code: z.enum(['absolute', 'dotdot', 'databaseTooLarge', 'examinedTooLarge']),
      count: z.number(),
      key: z.string(),
    }),
  ),
}

const TABLED: z.ZodType<TocLayer> = z.object(TABLE_FACTS)
const FACTS: z.ZodType<IndexedLayer> = z.object({
  ...TABLE_FACTS,
  diffId: z.string(),
  compressedBytes: z.number(),
  uncompressedBytes: z.number(),
  checkpoints: STORED_PART,
})

/** What is known about a layer without its tables; undefined if it is not indexed, or if the stored data is damaged. */
export async function readLayerFacts(store: ObjectStore, digest: string): Promise<IndexedLayer | undefined> {
  const facts = FACTS.safeParse(await readFacts(store, digest)).data
  return facts?.digest === digest ? facts : undefined
}

/** The same for a layer known from its table of contents. @param index from {@link tableIndexName} */
export async function readTocFacts(store: ObjectStore, index: string): Promise<TocLayer | undefined> {
  const facts = TABLED.safeParse(await readFacts(store, index)).data
  return facts !== undefined && index.startsWith(`${facts.digest}/`) ? facts : undefined
}

async function readFacts(store: ObjectStore, index: string): Promise<unknown> {
  const key = layerKey(index, 'entries.parquet')
  const stored = await readMetadata(store, key, METADATA)
  return stored && verifyChecksum(key, stored)
}

/** All entries of a layer, sorted; can be iterated repeatedly. */
export type SortedEntries = () => Batches<Entry>

/** Adds what only hard links name. @returns what is odd about it */
export type AddLinked = (
  archive: DatabaseArchive,
  entries: SortedEntries,
  reading: Pick<LayerReading, 'linksDatabases' | 'linksExamined'>,
) => Promise<readonly LayerWarning[]>

/**
 * Reads a layer into the store, in memory that does not grow with the layer: the slowest step holds up the others.
 *
 * @param digest of its blob
 * @param read starts reading, with the sinks for what is collected while reading
 * @param addLinked called after the last entry
 * @returns what is now stored about it
 * @throws whatever the reading or the store throws; then the layer counts as not indexed, and nothing temporary is left
 * @example await indexLayer(store, descriptor.digest, (sinks) => readLayer(blob, { descriptor, limits, wasm, ...sinks }))
 */
export async function indexLayer(
  store: ObjectStore,
  digest: string,
  read: (sinks: LayerSinks) => LayerReading,
  addLinked?: AddLinked,
): Promise<IndexedLayer> {
  const database = new DatabaseArchive(store)
  const checkpoints = new CheckpointArchive(store)
  return within([database, checkpoints], () => {
    const reading = read({ database, checkpoints, inside: database })
    return writeLayer<IndexedLayer>(store, digest, reading.entries(), async (entries) => {
      const warnings = await addLinked?.(database, entries, reading)
      await allOf([database.finish(), checkpoints.finish()])
      return {
        archives: [database, checkpoints],
        facts: ([databasesPart = NOWHERE, checkpointsPart = NOWHERE]) => ({
          ...reading.facts,
          warnings: [...reading.facts.warnings, ...(warnings ?? [])],
          ...database.stored(databasesPart),
          checkpoints: checkpointsPart,
        }),
      }
    })
  })
}

export type TocIndex = {
  /** From {@link tableIndexName}. */
  readonly index: string
  /** Digest of the blob. */
  readonly digest: string
  /** Starts reading. */
  readonly read: (chunks: ChunkSink) => TableReading
  /** Adds the package databases: called after the last entry, when the chunks are stored. */
  readonly addDatabases: (
    reading: TableReading,
    archive: DatabaseArchive,
    entries: SortedEntries,
  ) => Promise<void>
}

/**
 * The same for a layer's table of contents, beside the layer's own index.
 *
 * @throws whatever the reading or the store throws; then this index counts as missing, and nothing temporary is left
 */
export async function indexTable(
  store: ObjectStore,
  { index, digest, read, addDatabases }: TocIndex,
): Promise<TocLayer> {
  const database = new DatabaseArchive(store)
  const chunks = new ChunkArchive(store, index)
  return within([database, chunks], () => {
    const reading = read(chunks)
    return writeLayer<TocLayer>(store, index, reading.entries(), async (entries) => {
      await chunks.finish(reading.contentEnd)
      await addDatabases(reading, database, entries)
      await database.finish()
      return {
        archives: [database],
        facts: ([databasesPart = NOWHERE]) => ({
          ...reading.facts,
          digest,
          ...database.stored(databasesPart),
        }),
      }
    })
  })
}

/** The footer entry of a layer's table with its facts. */
export function layerMetadata(index: string, facts: IndexedLayer | TocLayer): KeyValue {
  return { name: METADATA, value: addChecksum(layerKey(index, 'entries.parquet'), facts) }
}

/** Releases the archives when the work is done or has failed. */
async function within<T>(
  archives: readonly { release(failure?: unknown): Promise<void> }[],
  work: () => Promise<T>,
): Promise<T> {
  try {
    const result = await work()
    await Promise.all(archives.map((archive) => archive.release()))
    return result
  } catch (error) {
    await Promise.all(archives.map((archive) => archive.release(error)))
    throw error
  }
}

/** What is stored with the entries of a layer. */
type LayerEnd<Facts> = {
  readonly archives: readonly { chunks(): AsyncIterable<Uint8Array> }[]
  /** @param parts where the archives are */
  readonly facts: (parts: readonly StoredPart[]) => Facts
}

/**
 * @param finish called after the last entry
 * @returns the facts that are now stored
 */
async function writeLayer<Facts extends IndexedLayer | TocLayer>(
  store: ObjectStore,
  index: string,
  entries: AsyncIterable<readonly Entry[]>,
  finish: (entries: SortedEntries) => Promise<LayerEnd<Facts>>,
): Promise<Facts> {
  const key = layerKey(index, 'entries.parquet')
  const { promise, resolve } = Promise.withResolvers<Facts>()
  const end = async (rows: SortedEntries): Promise<TableEnd> => {
    const { archives, facts } = await finish(rows)
    const metadata = (parts: readonly StoredPart[]) => {
      const known = facts(parts)
      resolve(known)
      return layerMetadata(index, known)
    }
    return { parts: archives.map((archive) => () => archive.chunks()), metadata }
  }
  await writeSorted(store, { key, end }, entries)
  return promise
}
