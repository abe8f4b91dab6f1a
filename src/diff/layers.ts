/** The layers of two images, compared by diffId: a layer that was only compressed differently is the same layer. */
import type { LayerReport } from '../image/report.ts'

type LayerPlace = { readonly index: number; readonly digest: string }

export type SharedLayer = { readonly diffId: string; readonly from: LayerPlace; readonly to: LayerPlace }

export type UnsharedLayer = LayerPlace & {
  readonly diffId: string
  readonly compressedBytes: number
  readonly uncompressedBytes?: number
  /** The part of it that the merged file system does not show. */
  readonly wastedBytes: number
  readonly createdBy?: string
}

export type LayerDiff = {
  readonly shared: readonly SharedLayer[]
  readonly removed: readonly UnsharedLayer[]
  readonly added: readonly UnsharedLayer[]
}

export function diffLayers(from: readonly LayerReport[], to: readonly LayerReport[]): LayerDiff {
  const [before, after] = [byDiffId(from), byDiffId(to)]
  return {
    shared: [...before].flatMap(([diffId, layers]) => pairs(diffId, layers, after.get(diffId) ?? [])),
    removed: from.filter(({ diffId }) => !after.has(diffId)).map(unshared),
    added: to.filter(({ diffId }) => !before.has(diffId)).map(unshared),
  }
}

function byDiffId(layers: readonly LayerReport[]): Map<string, LayerReport[]> {
  return Map.groupBy(layers, ({ diffId }) => diffId)
}

/** A layer that one image has more often (usually an empty one) is shared with the other's last. */
function pairs(diffId: string, from: readonly LayerReport[], to: readonly LayerReport[]): SharedLayer[] {
  const [lastFrom, lastTo] = [from.at(-1), to.at(-1)]
  if (lastFrom === undefined || lastTo === undefined) return []
  return Array.from({ length: Math.max(from.length, to.length) }, (_, i) => ({
    diffId,
    from: layerPlaceOf(from[i] ?? lastFrom),
    to: layerPlaceOf(to[i] ?? lastTo),
  }))
}

function layerPlaceOf({ index, digest }: LayerReport): LayerPlace {
  return { index, digest }
}

function unshared(layer: LayerReport): UnsharedLayer {
  const { index, digest, diffId, compressedBytes, uncompressedBytes, wastedBytes, createdBy } = layer
  return {
    diffId,
    index,
    digest,
    compressedBytes,
    ...(uncompressedBytes === undefined ? {} : { uncompressedBytes }),
    wastedBytes,
    ...(createdBy === undefined ? {} : { createdBy }),
  }
}
