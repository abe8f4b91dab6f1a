/** What a machine that has one image downloads for another: reads the tables of both from the store. */
import type { Host, ObjectStore } from '../../host.ts'
import type { OpenedImage } from '../../open/open-image.ts'
import { builderOf } from '../../update/builder.ts'
import { COMPARED_COLUMNS, compareContents, type OldImage, type PulledLayer } from '../../update/contents.ts'
import { compareLayers, type LayerComparison, type StoredLayer } from '../../update/layers.ts'
import {
  describeUpdate,
  summariseUpdate,
  type TargetLayer,
  type Update,
  type UpdateParts,
  type UpdateSummary,
} from '../../update/update.ts'
import type { AnalysedImage } from './analyse.ts'
import type { Pair } from './diff.ts'
import { filesTable, membersTable, WHOLE_FETCH_BYTES } from './image-tables.ts'
import { repeatedArchives } from './update-archives.ts'

const CONTENT_COLUMNS = ['sha256'] as const

/** How many bytes are fetched of all layers' tables together; prefetching doubles that. */
const FETCH_BYTES = 4 * 1024 * 1024
/** Prefetching for more tables than this would take too much memory. */
const MOST_AHEAD = 32

/** The layers as their source stores them: from the manifest and the config alone. */
export function storedLayers({ manifest, config, source }: OpenedImage): StoredLayer[] {
  return manifest.layers.map(({ digest, size }, index) => ({
    index,
    digest,
    diffId: config.diffIds[index] ?? digest,
    compressedBytes: size,
    isPlain: source.parts?.isStoredPlain(digest) ?? false,
  }))
}

/** What the manifests and configs say about an update; no layer needs to be read. */
export function comparePulls({ from, to }: Pair<OpenedImage>): LayerComparison {
  return compareLayers(storedLayers(from), storedLayers(to))
}

/** @throws LostTable if a table of either image is missing; Problem if archives cannot be read for now */
export async function updateBetween(
  host: Host,
  pair: Pair<AnalysedImage>,
  signal: AbortSignal,
): Promise<Update> {
  const parts = await tablesCompared(host.store, pair)
  const images = { from: pair.from.image, to: pair.to.image }
  const archives = await repeatedArchives(host, images, parts.contents.archives, signal)
  return describeUpdate(parts, archives)
}

/**
 * What an update pulls, without the reasons: no archive is read.
 *
 * @throws LostTable
 */
export async function pullBetween(store: ObjectStore, pair: Pair<AnalysedImage>): Promise<UpdateSummary> {
  return summariseUpdate(await tablesCompared(store, pair))
}

async function tablesCompared(store: ObjectStore, { from, to }: Pair<AnalysedImage>): Promise<UpdateParts> {
  const comparison = comparePulls({ from: from.image, to: to.image })
  const pulled = comparison.states.flatMap((state, index) => (state === 'pulled' ? [index] : []))
  const contents = await compareContents(
    await oldImage(store, from.image),
    await pulledLayers(store, to.image, pulled),
  )
  return {
    from: from.image.identity,
    to: to.image.identity,
    layers: targetLayers(to),
    comparison,
    contents,
    builder: builderOf(to.image.config),
  }
}

async function oldImage(store: ObjectStore, image: OpenedImage): Promise<OldImage> {
  const files = await filesTable(store, image)
  const whole = { fetchBytes: WHOLE_FETCH_BYTES, ahead: 'next' } as const
  return {
    rows: files.rows({ columns: COMPARED_COLUMNS, ...whole }),
    contents: () => files.rows({ columns: CONTENT_COLUMNS, ...whole }),
  }
}

function pulledLayers(
  store: ObjectStore,
  image: OpenedImage,
  pulled: readonly number[],
): Promise<PulledLayer[]> {
  const ahead = pulled.length > MOST_AHEAD ? 'none' : 'next'
  const fetchBytes = Math.min(WHOLE_FETCH_BYTES, FETCH_BYTES / Math.max(pulled.length, 1))
  return Promise.all(
    pulled.map(async (index) => {
      const table = await membersTable(store, image, index)
      return { index, members: table.rows({ columns: COMPARED_COLUMNS, fetchBytes, ahead }) }
    }),
  )
}

function targetLayers({ image, facts }: AnalysedImage): TargetLayer[] {
  return storedLayers(image).map((layer, index) => {
    const { fileBytes = 0, createdBy } = facts.layers[index] ?? {}
    return { ...layer, fileBytes, ...(createdBy === undefined ? {} : { createdBy }) }
  })
}
