/** What a rule measures in, and what it shows where it does not hold. */

/** What `limit` and `actual` are counted in. */
export type Unit = 'bytes' | 'count' | 'ratio' | 'percent'

/** A path of the image, or a whole layer where there is no path. */
export type Evidence = {
  readonly path?: string
  readonly pathBase64?: string
  readonly bytes?: number
  /** Index of the layer that holds it, from 0. */
  readonly layer?: number
}
