/** One layer in the store: its members sorted, its package databases, and last the facts that say that it is whole. */
import { z } from 'zod'
import type { ObjectStore } from '../host.ts'
import type { LayerFacts, LayerReading, LayerSinks } from '../layer/read.ts'
import { fetchBytes } from '../table/fetch-bytes.ts'
import { parseJson } from '../text/json.ts'
import { CheckpointArchive } from './checkpoints.ts'
import { DatabaseArchive } from './databases.ts'
import { layerKey } from './keys.ts'
import { writeSorted } from './sort-entries.ts'

/** What is stored of a layer beside its tables. */
export type IndexedLayer = LayerFacts & {
  /** How many members `databases.tar` has; there is no such object for 0. */
  readonly databases: number
}

const FACTS: z.ZodType<IndexedLayer> = z.object({
  digest: z.string(),
  diffId: z.string(),
  compression: z.enum(['gzip', 'zstd', 'none']),
  compressedBytes: z.number(),
  uncompressedBytes: z.number(),
  fileBytes: z.number(),
  entries: z.number(),
  databases: z.number(),
  warnings: z.array(
    z.object({
      code: z.enum(['absolute', 'dotdot', 'databaseTooLarge']),
      count: z.number(),
      key: z.string(),
    }),
  ),
})

/** A few warnings and digests; more is damaged. */
const MAX_FACTS_BYTES = 1 << 20

/** What is known of a layer without its tables; undefined where it is not indexed, or where what is stored makes no sense. */
export async function readLayerFacts(store: ObjectStore, digest: string): Promise<IndexedLayer | undefined> {
  const stored = await fetchBytes(store, layerKey(digest, 'layer.json'), {
    offset: 0,
    length: MAX_FACTS_BYTES,
  })
  if (stored === undefined) return undefined
  const facts = FACTS.safeParse(parseJson(stored.bytes)).data
  return facts?.digest === digest ? facts : undefined
}

/**
 * Reads a layer into the store, in memory that does not grow with it: what takes longest holds up the others.
 *
 * @param digest of its blob
 * @param read begins the reading, with the sinks for what is caught in passing
 * @param addLinked adds the databases that only hard links name: called where there are some, when the entries are stored
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
    await database.finish()
    await checkpoints.finish()
    const facts = { ...reading.facts, databases: database.count }
    await store.put(layerKey(digest, 'layer.json'), new TextEncoder().encode(JSON.stringify(facts)))
    return facts
  } catch (error) {
    await database.abort(error)
    await checkpoints.abort(error)
    throw error
  }
}
