/** Which layers a machine that has one image downloads for another. */

/** A layer, as far as its download is concerned. */
export type StoredLayer = {
  readonly index: number
  readonly digest: string
  readonly diffId: string
  readonly compressedBytes: number
  /** An archive or engine stores it uncompressed, so it has no blob to pull yet: the diffId identifies it. */
  readonly isPlain: boolean
}

/**
 * `shared`: the other image, or an earlier layer of this one, has the same blob. `repacked`: the other image has the same tar,
 * compressed in another way.
 */
export type LayerState = 'shared' | 'repacked' | 'pulled'

/** A blob counts once; compressed bytes. */
export type LayerSum = { readonly layers: number; readonly bytes: number }

export type LayerComparison = {
  readonly total: LayerSum
  readonly pull: LayerSum
  /** From the first layer on that is not the blob at its position in the other image. */
  readonly chained: LayerSum
  /** Of `pull`. */
  readonly repacked: LayerSum
  /** Of each layer of the new image. */
  readonly states: readonly LayerState[]
}

/** @param from layers of the image that the machine has, lowest first */
export function compareLayers(from: readonly StoredLayer[], to: readonly StoredLayer[]): LayerComparison {
  const has = blobSet(from)
  const diffIds = new Set(from.map(({ diffId }) => diffId))
  const states = to.map((layer, index): LayerState => {
    if (has(layer) || to.slice(0, index).some((earlier) => isSameBlob(earlier, layer))) return 'shared'
    return diffIds.has(layer.diffId) ? 'repacked' : 'pulled'
  })
  const firstOther = to.findIndex((layer, index) => {
    const before = from[index]
    return before === undefined || !isSameBlob(before, layer)
  })
  return {
    total: sumOf(to),
    pull: sumOf(to.filter((_, index) => states[index] !== 'shared')),
    chained: sumOf(firstOther < 0 ? [] : to.slice(firstOther)),
    repacked: sumOf(to.filter((_, index) => states[index] === 'repacked')),
    states,
  }
}

function isSameBlob(a: StoredLayer, b: StoredLayer): boolean {
  return a.digest === b.digest || ((a.isPlain || b.isPlain) && a.diffId === b.diffId)
}

function blobSet(layers: readonly StoredLayer[]): (layer: StoredLayer) => boolean {
  const digests = new Set(layers.map(({ digest }) => digest))
  const diffIds = new Set(layers.map(({ diffId }) => diffId))
  const plainDiffIds = new Set(layers.filter(({ isPlain }) => isPlain).map(({ diffId }) => diffId))
  return ({ digest, diffId, isPlain }) =>
    digests.has(digest) || plainDiffIds.has(diffId) || (isPlain && diffIds.has(diffId))
}

function sumOf(layers: readonly StoredLayer[]): LayerSum {
  const blobs = new Map(layers.map((layer) => [layer.digest, layer.compressedBytes]))
  return { layers: blobs.size, bytes: [...blobs.values()].reduce((all, bytes) => all + bytes, 0) }
}
