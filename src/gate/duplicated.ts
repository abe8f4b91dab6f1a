/** Duplicates without what a policy excludes: counted again, since the report's groups name only their first paths. */
import { type ByteString, decodeText, toByteString } from '../bytes.ts'
import type { MergedEntry } from '../image/merged-entry.ts'
import type { DuplicateGroup } from '../image/report.ts'
import { keyToPath } from '../path.ts'
import type { Exclusion } from './exclusion.ts'
import { NumberSet } from './number-set.ts'
import type { GateTables } from './tables.ts'
import type { Evidence } from './verdict.ts'
import { Worst } from './worst.ts'

export type DuplicatesFound = { readonly wastedBytes: number; readonly worst: readonly Evidence[] }

/**
 * Of each group the first file is none too many. Where the base image has it, every copy that this image's layers hold
 * is one too many, and the base image's own copies are its own affair.
 */
export async function findDuplicates(
  tables: Pick<GateTables, 'duplicates' | 'files'>,
  exclusion: Exclusion,
): Promise<DuplicatesFound> {
  const copies = new Map<ByteString, Copies>()
  for await (const batch of tables.duplicates()) {
    for (const group of batch) copies.set(digestOf(group), { own: 0, inBase: false })
  }
  if (copies.size === 0) return { wastedBytes: 0, worst: [] }
  await count(tables.files(), exclusion, copies)
  const worst = new Worst()
  let wastedBytes = 0
  for await (const batch of tables.duplicates()) {
    for (const group of batch) {
      const { own, inBase } = copies.get(digestOf(group)) ?? { own: 0, inBase: false }
      const tooMany = inBase ? own : Math.max(own - 1, 0)
      const wasted = group.bytes * tooMany
      wastedBytes += wasted
      if (wasted > 0) worst.offer(wasted, () => groupEvidence(group, exclusion, wasted))
    }
  }
  return { wastedBytes, worst: worst.list() }
}

type Copies = { own: number; inBase: boolean }

async function count(
  files: AsyncIterable<readonly MergedEntry[]>,
  exclusion: Exclusion,
  copies: ReadonlyMap<ByteString, Copies>,
): Promise<void> {
  const counted = new NumberSet()
  for await (const batch of files) {
    for (const file of batch) {
      if (file.type !== 'file' || file.bytes === 0 || file.sha256 === undefined) continue
      const group = copies.get(file.sha256)
      if (group === undefined || exclusion.ignores(decodeText(keyToPath(file.key)).text)) continue
      // Hard links of each other are one file.
      if (file.inode !== undefined && !counted.add(file.inode)) continue
      if (file.layer < exclusion.baseLayers) group.inBase = true
      else group.own++
    }
  }
}

function digestOf({ sha256 }: DuplicateGroup): ByteString {
  return toByteString(Buffer.from(sha256, 'hex'))
}

function groupEvidence({ paths }: DuplicateGroup, exclusion: Exclusion, bytes: number): Evidence {
  return { ...(paths.find(({ path }) => !exclusion.ignores(path)) ?? paths[0]), bytes }
}
