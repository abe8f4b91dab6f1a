/** What the tags of a repository store, which of it each has alone, and what deleting some of them frees. */
import type { Problem } from '../problem.ts'
import { compareNames } from '../text/natural-order.ts'
import type { Ledger, LedgerTag, ReadTag } from './ledger.ts'

export type StoredTag = {
  readonly name: string
  readonly digest: string
  /** All that it leads to. */
  readonly bytes: number
  /** What no other tag needs. */
  readonly uniqueBytes: number
  readonly sharedBytes: number
  readonly created?: string
}

export type StorageItem = StoredTag | { readonly name: string; readonly problem: Problem }

export type StorageTotal = {
  readonly tags: number
  readonly manifests: number
  /** Configs and layers. */
  readonly blobs: number
  readonly bytes: number
  /** Every tag could be read. */
  readonly complete: boolean
}

export type Reclaim = {
  readonly tags: readonly string[]
  readonly manifests: number
  readonly blobs: number
  readonly bytes: number
}

export const STORAGE_SORTS = ['-uniqueBytes', '-bytes', 'created', 'name'] as const
export type StorageSort = (typeof STORAGE_SORTS)[number]

export function storageTotal(ledger: Ledger): StorageTotal {
  const { manifests, blobs, bytes } = sumOf(ledger, (number, counts) => (counts[number] ?? 0) > 0)
  const complete = [...ledger.tags.values()].every((tag) => !('problem' in tag))
  return { tags: ledger.names.length, manifests, blobs, bytes, complete }
}

/** Sorted; tags that could not be read last. */
export function storageItems(ledger: Ledger, sort: StorageSort): readonly StorageItem[] {
  const counts = ledger.counts()
  const items = ledger.names.flatMap((name) => {
    const tag = ledger.tags.get(name)
    return tag === undefined ? [] : itemOf(ledger, name, tag, counts)
  })
  return items.sort((a, b) => {
    if ('problem' in a || 'problem' in b)
      return Number('problem' in a) - Number('problem' in b) || compareNames(a.name, b.name)
    return compare(a, b, sort) || compareNames(a.name, b.name)
  })
}

function itemOf(ledger: Ledger, name: string, tag: LedgerTag, counts: Int32Array): StorageItem {
  if ('problem' in tag) return { name, problem: tag.problem }
  let bytes = 0
  let uniqueBytes = 0
  for (const number of tag.contents) {
    bytes += ledger.sizeOf(number)
    if (counts[number] === 1) uniqueBytes += ledger.sizeOf(number)
  }
  const { digest, created } = tag
  const sizes = { bytes, uniqueBytes, sharedBytes: bytes - uniqueBytes }
  return { name, digest, ...sizes, ...(created === undefined ? {} : { created }) }
}

function compare(a: StoredTag, b: StoredTag, sort: StorageSort): number {
  switch (sort) {
    case '-uniqueBytes':
      return b.uniqueBytes - a.uniqueBytes
    case '-bytes':
      return b.bytes - a.bytes
    case 'created':
      return compareTimes(b.created, a.created)
    case 'name':
      return 0
  }
}

/** Oldest first; what has no time counts as older than everything. To the second, which is as exact as most builders are. */
function compareTimes(a: string | undefined, b: string | undefined): number {
  return timeOf(a) - timeOf(b) || 0
}

function timeOf(created: string | undefined): number {
  return created === undefined ? Number.NEGATIVE_INFINITY : Math.floor(Date.parse(created) / 1000)
}

/** Which tags go: those that match, without the newest digests among them, of which each stays with all its tags. */
export type Deletion = {
  readonly matches: (name: string) => boolean
  /** How many of the newest digests stay. Tags without a date stay, too. */
  readonly keep?: number | undefined
}

/** What deleting tags frees. Tags that could not be read are never deleted. */
export function reclaimOf(ledger: Ledger, deletion: Deletion): Reclaim {
  const tags = tagsToDelete(ledger, deletion)
  const going = new Set(tags)
  const kept = ledger.counts((name) => !going.has(name))
  const freed = sumOf(ledger, (number, counts) => (counts[number] ?? 0) > 0 && kept[number] === 0)
  return { tags, ...freed }
}

function tagsToDelete(ledger: Ledger, { matches, keep }: Deletion): readonly string[] {
  const tags = new Map<string, ReadTag>()
  for (const [name, tag] of ledger.tags) if (!('problem' in tag) && matches(name)) tags.set(name, tag)
  const names = [...tags.keys()].sort(compareNames)
  if (keep === undefined) return names
  const digests = new Map<string, { readonly created: string; last: string }>()
  for (const name of names) {
    const { digest, created } = tags.get(name) ?? {}
    if (digest === undefined || created === undefined) continue
    const known = digests.get(digest)
    if (known === undefined) digests.set(digest, { created, last: name })
    else known.last = name
  }
  const newest = [...digests]
    .sort(([, a], [, b]) => compareTimes(b.created, a.created) || compareNames(b.last, a.last))
    .map(([digest]) => digest)
  const old = new Set(newest.slice(keep))
  return names.filter((name) => old.has(tags.get(name)?.digest ?? ''))
}

type Sum = { readonly manifests: number; readonly blobs: number; readonly bytes: number }

function sumOf(ledger: Ledger, isMeant: (number: number, counts: Int32Array) => boolean): Sum {
  const counts = ledger.counts()
  let manifests = 0
  let blobs = 0
  let bytes = 0
  for (const number of counts.keys()) {
    if (!isMeant(number, counts)) continue
    if (ledger.isManifest(number)) manifests++
    else blobs++
    bytes += ledger.sizeOf(number)
  }
  return { manifests, blobs, bytes }
}

/** Contents that the same tags need. */
export type SharingGroup = {
  /** Places of the tags in the list of items, ascending. */
  readonly tags: readonly number[]
  readonly bytes: number
}

/** What a reader needs to know what deleting any of these tags frees: a group is freed with the last of its tags. */
export function sharingGroups(ledger: Ledger, items: readonly StorageItem[]): readonly SharingGroup[] {
  const places = new Map<number, number[]>()
  for (const [place, { name }] of items.entries()) {
    const tag = ledger.tags.get(name)
    if (tag === undefined || 'problem' in tag) continue
    for (const number of tag.contents) {
      const known = places.get(number)
      if (known === undefined) places.set(number, [place])
      else known.push(place)
    }
  }
  const groups = new Map<string, { readonly tags: readonly number[]; bytes: number }>()
  for (const [number, tags] of places) {
    const key = tags.join()
    const known = groups.get(key)
    if (known === undefined) groups.set(key, { tags, bytes: ledger.sizeOf(number) })
    else known.bytes += ledger.sizeOf(number)
  }
  return [...groups.values()]
}
