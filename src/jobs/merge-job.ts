/** The second half of an image's analysis: its indexed layers become the image's own tables and report. */
import type { Limits } from '../configuration.ts'
import type { ImageLayer, LayerFigures } from '../image/facts.ts'
import { writeImage } from '../image/write.ts'
import type { IndexedLayer, TocLayer } from '../index/layer-index.ts'
import { readMembers } from '../layer/members.ts'
import { declaredTarBytes, tableDigest } from '../layer/toc/verified-toc.ts'
import type { ImageConfig } from '../oci/config.ts'
import type { Descriptor } from '../oci/manifest.ts'
import type { SourceRef } from '../oci/source-ref.ts'
import type { Reading } from '../open/open-image.ts'
import { blobOpener, openSource } from '../open/open-source.ts'
import type { Service } from '../open/service.ts'
import { Problem } from '../problem.ts'
import { readTableMembers } from './table-job.ts'

/** Plain data, so that a host can do this in another thread. */
export type Merge = {
  /** The name of the image's index. */
  readonly index: string
  readonly config: ImageConfig
  /** From the lowest layer up; all are indexed. */
  readonly layers: readonly IndexedDescriptor[]
  readonly read: Reading
  /** Shows these bytes in the progress of the image's analysis. */
  readonly source: SourceRef
}

/** A layer of the manifest, and what is known of it. */
export type IndexedDescriptor = KnownLayer & { readonly descriptor: Descriptor }

/** What the store has of a layer: its digest is the name of the index of its content. */
export type KnownLayer =
  | { readonly index: string; readonly verified: 'content'; readonly facts: IndexedLayer }
  | { readonly index: string; readonly verified: 'contents-table'; readonly facts: TocLayer }

/** @throws Problem `invalid_image` if a layer differs from what manifest and config say; `too_large`; `store_error` */
export async function mergeImage(service: Service, merge: Merge, signal?: AbortSignal): Promise<void> {
  const { index, config, layers, read } = merge
  const { store, wasm, configuration } = service.host
  const totals = new Totals(configuration.limits)
  const indexed: ImageLayer[] = []
  for (const [layer, known] of layers.entries()) {
    const { descriptor } = known
    const diffId = config.diffIds[layer]
    const found = figuresOf(known, diffId)
    requireDeclared(found.facts, { layer, descriptor, diffId })
    totals.add(found.facts)
    indexed.push(found)
  }
  const unusedTables = [...layers.keys()].filter((layer) => read === 'toc' && isTableUnused(layers[layer]))
  await writeImage(store, {
    index,
    config,
    layers: indexed,
    unusedTables,
    async readAgain(layer, members, sink) {
      const found = layers[layer]
      if (found === undefined) return
      const open = blobOpener(openSource(service, merge.source, signal), found.descriptor)
      const options = { limits: configuration.limits, wasm, signal }
      if (found.verified === 'content') await readMembers(await open(), sink, { members, ...options })
      else await readTableMembers(store, { index: found.index, members }, sink, { open, ...options })
    },
  })
}

/** It was indexed before, or its table cannot describe it. */
function isTableUnused(layer: IndexedDescriptor | undefined): boolean {
  return layer?.verified === 'content' && tableDigest(layer.descriptor) !== undefined
}

/** What a table of contents does not say is taken from manifest and config. */
function figuresOf(layer: IndexedDescriptor, diffId = ''): ImageLayer {
  if (layer.verified === 'content') return layer
  const { descriptor, facts } = layer
  const uncompressedBytes = declaredTarBytes(descriptor)
  const declared = {
    ...facts,
    diffId,
    compressedBytes: descriptor.size,
    ...(uncompressedBytes === undefined ? {} : { uncompressedBytes }),
  }
  return { ...layer, facts: declared }
}

type DeclaredLayer = {
  readonly layer: number
  readonly descriptor: Descriptor
  readonly diffId: string | undefined
}

function requireDeclared(facts: LayerFigures, { layer, descriptor, diffId }: DeclaredLayer): void {
  if (facts.compressedBytes !== descriptor.size) {
    const detail = `layer ${layer} has ${facts.compressedBytes} bytes, but the manifest says ${descriptor.size}`
    throw new Problem('invalid_image', detail, { layer, permanent: true })
  }
  if (facts.diffId !== diffId) {
    const detail = `layer ${layer} has the diffId ${facts.diffId}, but the config says ${diffId ?? 'nothing'}`
    throw new Problem('invalid_image', detail, { layer, permanent: true })
  }
}

type Figures = Pick<LayerFigures, 'uncompressedBytes' | 'fileBytes' | 'entries'>

/** Totals over an image's layers, checked against the limits as each layer becomes known. */
export class Totals {
  readonly #limits: Limits
  #bytes = 0
  #entries = 0

  constructor(limits: Limits) {
    this.#limits = limits
  }

  /** @throws Problem `too_large` */
  add({ uncompressedBytes, fileBytes, entries }: Figures): void {
    this.#bytes += uncompressedBytes ?? fileBytes
    this.#entries += entries
    const { imageBytes, entries: members } = this.#limits
    if (this.#bytes > imageBytes) throw tooLarge('LAMINA_MAX_IMAGE_BYTES', imageBytes, 'bytes')
    if (this.#entries > members) throw tooLarge('LAMINA_MAX_ENTRIES', members, 'members')
  }
}

function tooLarge(setting: string, limit: number, what: string): Problem {
  return new Problem('too_large', `the image has more than ${limit} ${what} (${setting})`)
}
