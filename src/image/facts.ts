/** The parts of the report that come from the layers, the manifest and the config, not from a walk. */
import type { IndexedLayer } from '../index/layer-index.ts'
import type { HistoryStep } from '../oci/config.ts'
import type { Descriptor } from '../oci/manifest.ts'
import type { MergeTotals } from './merge.ts'
import type { Counts, LayerReport, Package, Sizes, Verified } from './report.ts'
import { storedAs } from './stored.ts'

/** A layer as the manifest describes it and as it was read. */
export type ImageLayer = {
  readonly descriptor: Descriptor
  readonly facts: LayerFigures
  /** The name of its index. */
  readonly index: string
  readonly verified: Verified
}

/** The tar's size can be unknown for a layer known from its table of contents. */
export type LayerFigures = Omit<IndexedLayer, 'uncompressedBytes' | 'checkpoints'> & {
  readonly uncompressedBytes?: number
}

export function sizesOf(layers: readonly ImageLayer[], totals: MergeTotals): Sizes {
  const sum = (of: (facts: LayerFigures) => number) => layers.reduce((all, { facts }) => all + of(facts), 0)
  const isSizeKnown = layers.every(({ facts }) => facts.uncompressedBytes !== undefined)
  return {
    compressedBytes: sum((facts) => facts.compressedBytes),
    ...(isSizeKnown ? { uncompressedBytes: sum((facts) => facts.uncompressedBytes ?? 0) } : {}),
    fileBytes: sum((facts) => facts.fileBytes),
    rootfsBytes: totals.rootfsBytes,
    apparentBytes: totals.apparentBytes,
    stored: storedAs(layers.map(({ facts }) => facts)),
  }
}

export function countsOf(layers: readonly ImageLayer[], totals: MergeTotals): Counts {
  const { paths, files, directories, symlinks } = totals
  return {
    layers: layers.length,
    entries: layers.reduce((all, { facts }) => all + facts.entries, 0),
    paths,
    files,
    directories,
    symlinks,
    other: paths - files - directories - symlinks,
  }
}

/** @param history the steps that made layers; ignored if their number differs from that of the layers */
export function layerReports(
  layers: readonly ImageLayer[],
  history: readonly HistoryStep[],
  wastedBytes: readonly number[],
): LayerReport[] {
  return layers.map(({ descriptor, facts, verified }, index) => ({
    index,
    verified,
    digest: facts.digest,
    diffId: facts.diffId,
    mediaType: descriptor.mediaType,
    compression: facts.compression,
    compressedBytes: facts.compressedBytes,
    ...(facts.uncompressedBytes === undefined ? {} : { uncompressedBytes: facts.uncompressedBytes }),
    fileBytes: facts.fileBytes,
    entries: facts.entries,
    wastedBytes: wastedBytes[index] ?? 0,
    ...(history.length === layers.length ? stepFacts(history[index]) : {}),
  }))
}

function stepFacts(step: HistoryStep | undefined): Pick<LayerReport, 'createdBy' | 'created' | 'comment'> {
  const { createdBy, created, comment } = step ?? {}
  return {
    ...(createdBy === undefined ? {} : { createdBy }),
    ...(created === undefined ? {} : { created }),
    ...(comment === undefined ? {} : { comment }),
  }
}

export function countPackages(packages: readonly Package[]): {
  total: number
  byType: Record<string, number>
} {
  const byType: Record<string, number> = {}
  for (const { type } of packages) byType[type] = (byType[type] ?? 0) + 1
  return { total: packages.length, byType }
}
