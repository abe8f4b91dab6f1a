/** Whether the base moved between two images, and what part of the change is its. */
import type { LayerDiff } from '../diff/layers.ts'
import type { BaseReport } from './base.ts'

/** How an image divides into its base and what stands on it. */
export type BaseShare = {
  readonly reference: string
  readonly layers: number
  /** Compressed, of the image's own blobs. */
  readonly baseBytes: number
  readonly ownBytes: number
}

export type BaseMove = {
  /** The references of the bases, which can be the same. */
  readonly from: string
  readonly to: string
  /** Compressed; they sum to the change of the whole image. */
  readonly baseDelta: number
  readonly ownDelta: number
}

/** Undefined without a base, or if it is only a guess. */
export function baseShare({ base, own }: Pick<BaseReport, 'base' | 'own'>): BaseShare | undefined {
  if (base?.reference === undefined) return undefined
  const { reference, layers, compressedBytes } = base
  return { reference, layers, baseBytes: compressedBytes, ownBytes: own.compressedBytes }
}

/** Undefined if both stand on the same layers. */
export function baseMove(layers: LayerDiff, from: BaseShare, to: BaseShare): BaseMove | undefined {
  const kept = new Set(
    layers.shared.filter((one) => one.from.index === one.to.index).map((one) => one.to.index),
  )
  const isSame =
    from.layers === to.layers && Array.from({ length: to.layers }, (_, at) => at).every((at) => kept.has(at))
  if (isSame) return undefined
  return {
    from: from.reference,
    to: to.reference,
    baseDelta: to.baseBytes - from.baseBytes,
    ownDelta: to.ownBytes - from.ownBytes,
  }
}
