/** Whose an item of advice is: the base image's, or the image's own. */
import { type Whose, whoseOf } from '../base/whose.ts'
import type { AdviceItem } from './advise.ts'

/** Rules that know only of their largest files in which layer these are. */
export const LARGEST_ONLY: ReadonlySet<string> = new Set(['duplicates', 'build-tools'])

/**
 * @param baseLayers how many of the lowest layers are the base image's
 * @returns undefined if that is not known of all its files
 */
export function whoseItem(item: AdviceItem, baseLayers: number): Whose | undefined {
  const { rule, files, paths } = item
  if (!LARGEST_ONLY.has(rule)) return whoseOf(item, baseLayers)
  const layers = paths.flatMap(({ layer }) => (layer === undefined ? [] : [layer]))
  return layers.length === files ? whoseOf({ layers }, baseLayers) : undefined
}
