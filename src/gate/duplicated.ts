/** Duplicates without what a policy excludes: counted again, since the report's groups name only their first paths. */

import type { MergedEntry } from '../image/merged-entry.ts'
import { InodeSet } from '../image/packages/inode-set.ts'
import type { DuplicateGroup } from '../image/report.ts'
import { type ByteString, decodeText, toByteString } from '../text/bytes.ts'
import { keyToPath } from '../text/path.ts'
import type { Evidence } from './evidence.ts'
import type { Exclusion } from './exclusion.ts'
import type { GateTables } from './tables.ts'
import { SHOWN, Worst } from './worst.ts'

export type DuplicatesFound = {
  readonly wastedBytes: number
  /** Files that could be removed. */
  readonly copies: number
  readonly worst: readonly Evidence[]
}

/** How many groups are counted in one pass over the files, which bounds the memory to some 20 MB. */
const GROUPS_AT_ONCE = 100_000

/** A group whose copies are counted again. */
type Recount = { readonly sha256: string; readonly bytes: number; own: number; inBase: boolean }
type Recounts = ReadonlyMap<ByteString, Recount>

/**
 * One file of each group is not a duplicate. If the base image has it, every copy in this image's layers is one; copies
 * inside the base image do not count.
 */
export async function findDuplicates(
  tables: Pick<GateTables, 'duplicates' | 'files'>,
  exclusion: Exclusion,
): Promise<DuplicatesFound> {
  const worst = new Worst<{ readonly sha256: string; readonly wasted: number }>()
  let wastedBytes = 0
  let copies = 0
  for await (const recounts of slices(tables.duplicates())) {
    await recount(tables.files(), exclusion, recounts)
    for (const { sha256, bytes, own, inBase } of recounts.values()) {
      const spare = inBase ? own : Math.max(own - 1, 0)
      const wasted = bytes * spare
      wastedBytes += wasted
      copies += spare
      if (wasted > 0) worst.offer(wasted, () => ({ sha256, wasted }))
    }
  }
  const paths = await pathsOf(
    tables.duplicates(),
    exclusion,
    worst.list().map(({ sha256 }) => sha256),
  )
  return {
    wastedBytes,
    copies,
    worst: worst.list().map(({ sha256, wasted }) => ({ ...paths.get(sha256), bytes: wasted })),
  }
}

async function* slices(groups: AsyncIterable<readonly DuplicateGroup[]>): AsyncGenerator<Recounts> {
  let slice = new Map<ByteString, Recount>()
  for await (const batch of groups) {
    for (const { sha256, bytes } of batch) {
      slice.set(toByteString(Buffer.from(sha256, 'hex')), { sha256, bytes, own: 0, inBase: false })
    }
    if (slice.size < GROUPS_AT_ONCE) continue
    yield slice
    slice = new Map()
  }
  if (slice.size > 0) yield slice
}

async function recount(
  files: AsyncIterable<readonly MergedEntry[]>,
  exclusion: Exclusion,
  recounts: Recounts,
): Promise<void> {
  const counted = new InodeSet()
  for await (const batch of files) {
    for (const { key, type, sha256, layer, inode } of batch) {
      const group = type === 'file' && sha256 !== undefined ? recounts.get(sha256) : undefined
      if (group === undefined || exclusion.ignores(decodeText(keyToPath(key)).text)) continue
      // Hard links of one another are one file, which counts as long as one of its paths does.
      if (inode !== undefined && !counted.add(inode)) continue
      if (layer < exclusion.baseLayers) group.inBase = true
      else group.own++
    }
  }
}

/** For some groups the first path that is not ignored. */
async function pathsOf(
  groups: AsyncIterable<readonly DuplicateGroup[]>,
  exclusion: Exclusion,
  digests: readonly string[],
): Promise<ReadonlyMap<string, Evidence>> {
  const found = new Map<string, Evidence>()
  if (digests.length === 0) return found
  for await (const batch of groups) {
    for (const { sha256, paths } of batch) {
      if (!digests.includes(sha256)) continue
      found.set(sha256, paths.find(({ path }) => !exclusion.ignores(path)) ?? paths[0] ?? {})
      if (found.size === digests.length) return found
    }
  }
  return found
}

/** The ten groups with the largest waste. @param groups largest waste first */
export async function worstDuplicates(
  groups: AsyncIterable<readonly DuplicateGroup[]>,
): Promise<readonly Evidence[]> {
  const worst: Evidence[] = []
  for await (const batch of groups) {
    for (const { paths, wastedBytes } of batch) {
      worst.push({ ...paths[0], bytes: wastedBytes })
      if (worst.length === SHOWN) return worst
    }
  }
  return worst
}
