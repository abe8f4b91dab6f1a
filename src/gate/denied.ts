/** Paths that a policy denies. */
import type { StoredPath } from '../image/stored-paths.ts'
import { decodeText } from '../text/bytes.ts'
import { compileGlobSet } from '../text/glob.ts'
import { keyToPath, type PathKey, showPath } from '../text/path.ts'
import type { Evidence } from './evidence.ts'
import { Worst } from './worst.ts'

export type DeniedPath = Evidence & { readonly key: PathKey }

export type Denied = { readonly paths: number; readonly worst: readonly DeniedPath[] }

/**
 * One pass for all globs.
 *
 * @param candidates paths that layers store, or those of the merged file system; each once
 * @returns for each glob how many paths match, and the ten largest of them
 */
export async function findDenied(
  candidates: AsyncIterable<readonly StoredPath[]>,
  globs: readonly string[],
  ignores: (path: string) => boolean,
): Promise<readonly Denied[]> {
  const matches = compileGlobSet(globs)
  const found = globs.map(() => ({ paths: 0, worst: new Worst<DeniedPath>() }))
  for await (const batch of candidates) {
    for (const candidate of batch) {
      const path = decodeText(keyToPath(candidate.key)).text
      const hits = matches(path)
      if (hits.length === 0 || ignores(path)) continue
      for (const hit of hits) {
        const denied = found[hit]
        if (denied === undefined) continue
        denied.paths++
        denied.worst.offer(candidate.bytes, () => deniedPath(candidate))
      }
    }
  }
  return found.map(({ paths, worst }) => ({ paths, worst: worst.list() }))
}

function deniedPath({ key, type, bytes, layer }: StoredPath): DeniedPath {
  return { key, ...showPath(key), ...(type === 'file' ? { bytes } : {}), layer }
}

export function withoutKey({ key: _, ...evidence }: DeniedPath): Evidence {
  return evidence
}
