/**
 * When a member acts. Layers are applied from the lowest up, in each first all whiteouts (they concern lower layers only,
 * wherever they stand in their tar), then all other members in the tar's order. A `Stamp` is that order as one number, so
 * that "later" is `>`.
 */

/** What acts later has the greater one. */
export type Stamp = number

/** Before everything. */
export const NEVER: Stamp = -1
/** After everything. */
export const FOREVER: Stamp = Number.POSITIVE_INFINITY

const LAYER = 2 ** 32
const AFTER_WHITEOUTS = 2 ** 31

export function memberStamp(layer: number, ordinal: number): Stamp {
  return layer * LAYER + AFTER_WHITEOUTS + ordinal
}

export function whiteoutStamp(layer: number, ordinal: number): Stamp {
  return layer * LAYER + ordinal
}

export function layerOf(stamp: Stamp): number {
  return Math.floor(stamp / LAYER)
}
