/** Layers and images in a store, without the tars that they would come from. */
import { createHash } from 'node:crypto'
import type { ObjectStore } from '../../src/host.ts'
import type { ImageLayer } from '../../src/image/facts.ts'
import { openSmallTable, readStoredImage, type SmallTable } from '../../src/image/image.ts'
import { type ImageSource, writeImage } from '../../src/image/write.ts'
import { ENTRIES } from '../../src/index/entries.ts'
import { layerKey } from '../../src/index/keys.ts'
import type { Entry } from '../../src/layer/entry.ts'
import type { ImageConfig } from '../../src/oci/config.ts'
import type { Schema } from '../../src/table/schema.ts'
import type { Table } from '../../src/table/table.ts'
import { writeTable } from '../../src/table/write-table.ts'
import { tableRows } from './generate.ts'

export function digestOf(text: string): string {
  return `sha256:${createHash('sha256').update(text).digest('hex')}`
}

/** @param rows of the layer's table, sorted */
export async function storeLayer(
  store: ObjectStore,
  name: string,
  rows: AsyncIterable<readonly Entry[]>,
): Promise<ImageLayer> {
  const digest = digestOf(name)
  let fileBytes = 0
  async function* counted(): AsyncGenerator<readonly Entry[]> {
    for await (const batch of rows) {
      for (const { type, whiteout, bytes } of batch) {
        if (type === 'file' && whiteout === undefined) fileBytes += bytes
      }
      yield batch
    }
  }
  const { rowCount: entries } = await writeTable(
    store,
    layerKey(digest, 'entries.parquet'),
    ENTRIES,
    counted(),
  )
  const descriptor = { mediaType: 'application/vnd.oci.image.layer.v1.tar', digest, size: 10_240 }
  return {
    descriptor,
    index: digest,
    verified: 'content',
    facts: {
      digest,
      diffId: digest,
      compression: 'none',
      compressedBytes: descriptor.size,
      uncompressedBytes: descriptor.size,
      fileBytes,
      entries,
      databases: 0,
      databasesBytes: 0,
      databasesCrc32: 0,
      databasesPart: { offset: 0, bytes: 0 },
      warnings: [],
    },
  }
}

export function imageSource(name: string, layers: readonly ImageLayer[]): ImageSource {
  const config: ImageConfig = {
    os: 'linux',
    architecture: 'amd64',
    config: { env: [], labels: {}, exposedPorts: [], volumes: [], onBuild: [] },
    diffIds: layers.map(({ facts }) => facts.diffId),
    history: [],
  }
  return { index: digestOf(name), config, layers, unusedTables: [] }
}

/** Indexes an image of these layers, with their members in tar order. */
export async function storeImage(store: ObjectStore, layers: readonly (readonly Entry[])[]) {
  const stored: ImageLayer[] = []
  for (const [layer, entries] of layers.entries()) {
    stored.push(await storeLayer(store, `layer ${layer}`, tableRows(entries)))
  }
  const source = imageSource('an image', stored)
  return { digest: source.index, layers: stored, facts: await writeImage(store, source) }
}

/** A small table of a stored image. @param index the name of the image's index */
export async function smallTable<Row>(
  store: ObjectStore,
  index: string,
  name: SmallTable,
  schema: Schema<Row>,
): Promise<Table<Row>> {
  const stored = await readStoredImage(store, index)
  if (stored === undefined || 'failure' in stored) throw new Error(`${index} is not analysed`)
  const table = await openSmallTable(store, index, { name, part: stored.tables[name], schema })
  if (table === undefined) throw new Error(`no ${name}`)
  return table
}
