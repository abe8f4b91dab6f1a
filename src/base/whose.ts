/** Whose something in an image is: the base image's, or what its own layers added. */

export type Whose = 'base' | 'own' | 'both'

/** Where something is: an item of advice, a wasted file. */
export type Stored = {
  readonly layer?: number | undefined
  /** All layers that store it, if they are several. */
  readonly layers?: readonly number[] | undefined
  /** The layer that hides it. */
  readonly byLayer?: number | undefined
}

/**
 * The layer that hides files wasted them, wherever they are stored; else those that store them count.
 *
 * @param baseLayers how many of the lowest layers are the base image's
 * @returns undefined if no layer is known
 */
export function whoseOf({ layer, layers, byLayer }: Stored, baseLayers: number): Whose | undefined {
  const all = byLayer !== undefined ? [byLayer] : (layers ?? (layer === undefined ? [] : [layer]))
  if (all.length === 0) return undefined
  const below = all.filter((one) => one < baseLayers).length
  return below === 0 ? 'own' : below === all.length ? 'base' : 'both'
}
