/** One layer from its table of contents, into a separate index. */
import type { ObjectStore } from '../host.ts'
import { findLinkedDatabases } from '../image/packages/linked-databases.ts'
import { findChunks } from '../index/chunks.ts'
import { tableIndexName } from '../index/keys.ts'
import { indexTable, readLayerFacts, readTocFacts, type TocIndex } from '../index/layer-index.ts'
import type { LayerWork, Progress } from '../job.ts'
import { type DatabaseSink, MAX_DATABASE_BYTES } from '../layer/database.ts'
import type { OpenBlob } from '../layer/member.ts'
import type { WantedMember } from '../layer/members.ts'
import { type DatabaseOptions, readDatabaseChunks } from '../layer/toc/databases.ts'
import { type TableFile, UnsaidName } from '../layer/toc/entries.ts'
import { TableReading } from '../layer/toc/read.ts'
import { verifiedToc } from '../layer/toc/verified-toc.ts'
import type { Descriptor } from '../oci/manifest.ts'
import type { Service } from '../open/service.ts'
import type { VisibleSource } from '../open/visible-source.ts'
import { Problem } from '../problem.ts'

type TableLayer = { readonly source: VisibleSource; readonly descriptor: Descriptor }

/**
 * Reads the table even if it is indexed already, unless the caller may see it: only verified bytes make this registry one of
 * its sources.
 *
 * @returns undefined if the layer must be read whole: it has no table, or the table does not describe all of it
 */
export async function indexFromTable(
  service: Service,
  { source, descriptor }: TableLayer,
  report: (progress: Progress) => void,
  signal: AbortSignal,
): Promise<LayerWork | undefined> {
  const { store, wasm, configuration } = service.host
  const { digest, size } = descriptor
  const table = verifiedToc(descriptor)
  if (table === undefined) return undefined
  const layer = { table: table.digest, blob: digest }
  const index = tableIndexName(digest, table.digest)
  const { visibility } = source
  const nothing = { readBytes: 0, decodedBytes: 0 }
  if (await visibility.maySee(digest, 'layer')) {
    if ((await readLayerFacts(store, digest)) !== undefined) return nothing
  }
  if (await visibility.maySeeToc(layer)) {
    if ((await readTocFacts(store, index)) !== undefined) return nothing
  }
  let readBytes = 0
  const open: OpenBlob = async ({ start, end = size } = { start: 0, end: size }) => {
    const length = Math.max(0, Math.min(end, size) - start)
    readBytes += length
    report({ layers: 1, layersDone: 0, layersReused: 0, bytes: size, bytesDone: Math.min(readBytes, size) })
    return source.blob(descriptor, { offset: start, length })
  }
  const options = { open, limits: configuration.limits, wasm, signal }
  const addDatabases: TocIndex['addDatabases'] = async (reading, archive, entries) => {
    await readDatabaseChunks(reading.wanted, archive, options)
    if (!reading.linksDatabases) return
    const members = await findLinkedDatabases(entries, MAX_DATABASE_BYTES - archive.bytes)
    await readTableMembers(store, { index, members }, archive, options)
  }
  try {
    await indexTable(store, {
      index,
      digest,
      read: (chunks) => new TableReading({ ...options, table, size, chunks }),
      addDatabases,
    })
    await visibility.recordTocOrigin(layer)
    return { readBytes, decodedBytes: 0 }
  } catch (error) {
    if (error instanceof UnsaidName) return undefined
    // The manifest vouches for the table, so everyone who may read the blob may know about the fault.
    if (error instanceof Problem && error.permanent) await visibility.recordTocOrigin(layer)
    else await visibility.requireTableSource(layer)
    throw error
  }
}

type TableMembers = {
  readonly index: string
  /** In the order of the table. */
  readonly members: readonly WantedMember[]
}

/** Passes the content of each member to `sink`, read from the chunks that the table of contents lists. */
export async function readTableMembers(
  store: ObjectStore,
  { index, members }: TableMembers,
  sink: DatabaseSink,
  options: DatabaseOptions,
): Promise<void> {
  const found: TableFile[] = []
  // Copied property by property, since a row of a table is a view.
  for (const { key, ordinal, offset, bytes, sha256 } of members) {
    if (bytes === 0) continue
    found.push({ key, ordinal, bytes, sha256, ...(await findChunks(store, index, { offset, bytes })) })
  }
  await readDatabaseChunks(found, sink, options)
}
