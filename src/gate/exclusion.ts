/** What does not count against an image: paths that a policy ignores, and the content of its base image. */

import type { WastedFile } from '../image/report.ts'
import { Problem } from '../problem.ts'
import { compileGlobs } from '../text/glob.ts'
import type { Evidence } from './evidence.ts'
import { SHOWN, Worst } from './worst.ts'

export type Exclusion = {
  /** @param path relative, as text */
  readonly ignores: (path: string) => boolean
  /** How many of the lowest layers belong to the base image. */
  readonly baseLayers: number
}

/**
 * @param diffIds of the image's layers, from the lowest
 * @param base those of its base image, if one is named
 * @returns undefined if nothing is excluded: the report's own figures then hold
 * @throws Problem `not_based_on` if even the lowest layer differs
 */
export function exclusionOf(
  ignore: readonly string[],
  diffIds: readonly string[],
  base: { readonly reference: string; readonly diffIds: readonly string[] } | undefined,
): Exclusion | undefined {
  const baseLayers = base === undefined ? 0 : sharedLayers(diffIds, base.diffIds)
  if (base !== undefined && baseLayers === 0) {
    throw new Problem('not_based_on', `the image shares no layer with ${base.reference}`, {
      parameter: 'baseImage',
    })
  }
  if (ignore.length === 0 && baseLayers === 0) return undefined
  return { ignores: compileGlobs(ignore), baseLayers }
}

function sharedLayers(diffIds: readonly string[], base: readonly string[]): number {
  let shared = 0
  while (shared < diffIds.length && diffIds[shared] === base[shared]) shared++
  return shared
}

export type WasteFound = { readonly bytes: number; readonly worst: readonly Evidence[] }

/**
 * Waste without what is excluded: what the base image itself hid does not count; what a layer of this image hid does, even if
 * the bytes are stored in the base.
 */
export async function findWaste(
  rows: AsyncIterable<readonly WastedFile[]>,
  exclusion: Exclusion,
): Promise<WasteFound> {
  const worst = new Worst<Evidence>()
  let bytes = 0
  for await (const batch of rows) {
    for (const row of batch) {
      if (row.byLayer < exclusion.baseLayers || exclusion.ignores(row.path)) continue
      bytes += row.bytes
      if (row.bytes > 0) worst.offer(row.bytes, () => wasteEvidence(row))
    }
  }
  return { bytes, worst: worst.list() }
}

/** The ten largest of rows that are sorted already. */
export async function worstWaste(rows: AsyncIterable<readonly WastedFile[]>): Promise<readonly Evidence[]> {
  const worst: Evidence[] = []
  for await (const batch of rows) {
    for (const row of batch) {
      if (row.bytes === 0 || worst.length === SHOWN) return worst
      worst.push(wasteEvidence(row))
    }
  }
  return worst
}

function wasteEvidence({ path, pathBase64, bytes, layer }: WastedFile): Evidence {
  return { path, ...(pathBase64 === undefined ? {} : { pathBase64 }), bytes, layer }
}
