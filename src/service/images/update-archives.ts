/** Reads new versions of archives, and the versions before them, for what both contain. */
import { inParallel } from '../../concurrency.ts'
import type { Host } from '../../host.ts'
import { findFile, findMember } from '../../image/lookup.ts'
import type { OpenedImage } from '../../open/open-image.ts'
import { Problem } from '../../problem.ts'
import { repeatedBytes } from '../../update/archives.ts'
import type { ArchiveCandidate } from '../../update/contents.ts'
import type { RepeatedArchive } from '../../update/update.ts'
import { openLayerFile } from '../inside/layer-file.ts'
import type { Pair } from './diff.ts'
import { filesTable, membersTable } from './image-tables.ts'

/** Each holds up to 8 bytes for each entry of its old version, and a few pieces of both. */
const AT_ONCE = 2

/**
 * The archives whose old version has at least half of what they store. Archives that cannot be read are left out.
 *
 * @throws Problem if the registry or the store fails for now; the signal's reason once it is aborted
 */
export async function repeatedArchives(
  host: Host,
  { from, to }: Pair<OpenedImage>,
  candidates: readonly ArchiveCandidate[],
  signal: AbortSignal,
): Promise<readonly RepeatedArchive[]> {
  const bytesOf = async ({ key, layer }: ArchiveCandidate): Promise<number> => {
    const now = await findMember((index) => membersTable(host.store, to, index), layer, key)
    const before = await findFile(await filesTable(host.store, from), key)
    return repeatedBytes(
      await openLayerFile(host, to, now, signal),
      await openLayerFile(host, from, before, signal),
    )
  }
  return inParallel(candidates, AT_ONCE, async (candidate) => {
    signal.throwIfAborted()
    try {
      return { layer: candidate.layer, bytes: await bytesOf(candidate) }
    } catch (error) {
      signal.throwIfAborted()
      if (error instanceof Problem && !isTransient(error)) return { layer: candidate.layer, bytes: 0 }
      throw error
    }
  }).then((archives) => archives.filter(({ bytes }) => bytes > 0))
}

/** Answers are kept: one that is made without the registry or the store would stay incomplete. */
function isTransient({ status }: Problem): boolean {
  return status === 429 || status >= 500
}
