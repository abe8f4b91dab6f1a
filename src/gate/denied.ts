/** Paths that a policy denies. */

import type { MergedEntry } from '../image/merged-entry.ts'
import { decodeText } from '../text/bytes.ts'
import { compileGlobSet } from '../text/glob.ts'
import { keyToPath, showPath } from '../text/path.ts'
import type { Evidence } from './evidence.ts'
import { Worst } from './worst.ts'

export type Denied = { readonly paths: number; readonly worst: readonly Evidence[] }

/**
 * One pass for all globs.
 *
 * @returns for each glob how many paths match, and the ten largest of them
 */
export async function findDenied(
  files: AsyncIterable<readonly MergedEntry[]>,
  globs: readonly string[],
  ignores: (path: string) => boolean,
): Promise<readonly Denied[]> {
  const matches = compileGlobSet(globs)
  const found = globs.map(() => ({ paths: 0, worst: new Worst<Evidence>() }))
  for await (const batch of files) {
    for (const file of batch) {
      const path = decodeText(keyToPath(file.key)).text
      const hits = matches(path)
      if (hits.length === 0 || ignores(path)) continue
      for (const hit of hits) {
        const denied = found[hit]
        if (denied === undefined) continue
        denied.paths++
        denied.worst.offer(file.bytes, () => fileEvidence(file))
      }
    }
  }
  return found.map(({ paths, worst }) => ({ paths, worst: worst.list() }))
}

function fileEvidence(file: MergedEntry): Evidence {
  return {
    ...showPath(file.key),
    ...(file.type === 'file' ? { bytes: file.bytes } : {}),
    layer: file.layer,
  }
}
