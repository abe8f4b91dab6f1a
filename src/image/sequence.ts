/**
 * The order in which members act. Layers are applied from the lowest up; in each, first all whiteouts (they concern
 * only lower layers, wherever they are in their tar), then all other members in the tar's order. A `Sequence` is that
 * order as one number, so that "later" is `>`.
 */

/** Greater means later. */
export type Sequence = number

/** Before everything. */
export const NEVER: Sequence = -1
/** After everything. */
export const FOREVER: Sequence = Number.POSITIVE_INFINITY

const LAYER = 2 ** 32
const AFTER_WHITEOUTS = 2 ** 31

export function memberSequence(layer: number, ordinal: number): Sequence {
  return layer * LAYER + AFTER_WHITEOUTS + ordinal
}

export function whiteoutSequence(layer: number, ordinal: number): Sequence {
  return layer * LAYER + ordinal
}

export function layerOf(sequence: Sequence): number {
  return Math.floor(sequence / LAYER)
}
