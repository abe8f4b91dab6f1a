/**
 * Files of an image that change together, as far as the image shows: those of a package, a large file, a
 * directory.
 */
import { createHash, type Hash } from 'node:crypto'
import type { MergedEntry } from '../image/merged-entry.ts'
import { IDENTITY_COLUMNS } from '../layer/entry.ts'
import type { PathKey } from '../text/path.ts'
import { memberIdentity } from './member-identity.ts'

/** A package, or a path: of a file, or of the directory whose files are in no other group. */
export type GroupName =
  | { readonly kind: 'package'; readonly type: string; readonly name: string }
  | { readonly kind: 'path'; readonly key: PathKey }

export type Group = {
  readonly name: GroupName
  /** Of regular files, each inode once. */
  readonly bytes: number
  /** Equal for equal members: all that they are but their times. */
  readonly digest: string
}

/** By a text that identifies the group. */
export type Groups = ReadonlyMap<string, Group>

export type PackageName = { readonly type: string; readonly name: string }
/** The first package, by type and name, that has this file among its bytes. */
export type OwnerOf = (key: PathKey) => PackageName | undefined

/** The columns of the merged file system that decide. */
export const GROUP_COLUMNS = [...IDENTITY_COLUMNS, 'bytes', 'layer', 'inode'] as const

export type GroupRow = Pick<MergedEntry, (typeof GROUP_COLUMNS)[number]>

export type ImageRows = {
  /** In path order. */
  readonly rows: AsyncIterable<readonly GroupRow[]>
  readonly ownerOf: OwnerOf
  /** Members of lower layers are the base image's. */
  readonly firstLayer: number
}

/** Two directories deep: `usr/lib`. */
const DIRECTORY_PARTS = 2
/** A file without a package is a group of its own if it has this share of all bytes. */
const LARGE_SHARE = 10

export class TooManyGroups extends Error {}

/** Keys of files that are groups of their own: the large ones of the last image that no package owns. */
export async function largeFiles({ rows, ownerOf, firstLayer }: ImageRows): Promise<ReadonlySet<PathKey>> {
  let total = 0
  let lastInode = 0
  // A file of at least a tenth of all bytes is a tenth of the bytes so far, too; so few remain.
  let candidates: { readonly key: PathKey; readonly bytes: number }[] = []
  for await (const batch of rows) {
    for (const row of batch) {
      if (row.type !== 'file' || row.layer < firstLayer || row.bytes === 0) continue
      const { key, bytes, inode = 0 } = row
      if (inode > lastInode) {
        lastInode = inode
        total += bytes
      }
      if (bytes * LARGE_SHARE >= total && ownerOf(key) === undefined) candidates.push({ key, bytes })
    }
    candidates = candidates.filter(({ bytes }) => bytes * LARGE_SHARE >= total)
  }
  return new Set(candidates.map(({ key }) => key))
}

/** Adds up the groups of one image. */
class GroupSums {
  readonly #sums = new Map<string, { name: GroupName; bytes: number; hash: Hash }>()
  readonly #limit: number

  constructor(limit: number) {
    this.#limit = limit
  }

  add(name: GroupName, row: GroupRow, isFirstLink: boolean): void {
    const id = groupId(name)
    let sum = this.#sums.get(id)
    if (sum === undefined) {
      if (this.#sums.size === this.#limit) throw new TooManyGroups()
      sum = { name, bytes: 0, hash: createHash('sha256') }
      this.#sums.set(id, sum)
    }
    sum.hash.update(memberIdentity(row), 'latin1')
    if (row.type === 'file' && isFirstLink) sum.bytes += row.bytes
  }

  finish(): Groups {
    const groups = new Map<string, Group>()
    for (const [id, { name, bytes, hash }] of this.#sums) {
      groups.set(id, { name, bytes, digest: hash.digest('base64') })
    }
    return groups
  }
}

/**
 * The groups of everything above the base image that is not a directory.
 *
 * @param limit how many groups there may be
 * @throws TooManyGroups
 */
export async function groupsOf(
  { rows, ownerOf, firstLayer }: ImageRows,
  large: ReadonlySet<PathKey>,
  limit: number,
): Promise<Groups> {
  const sums = new GroupSums(limit)
  // Inodes are numbered by first appearance in the whole image.
  let lastInode = 0
  for await (const batch of rows) {
    for (const row of batch) {
      if (row.type === 'directory' || row.layer < firstLayer) continue
      const { inode = 0 } = row
      sums.add(nameOf(row, ownerOf, large), row, inode > lastInode)
      if (inode > lastInode) lastInode = inode
    }
  }
  return sums.finish()
}

function nameOf({ key, type }: GroupRow, ownerOf: OwnerOf, large: ReadonlySet<PathKey>): GroupName {
  const owner = type === 'file' ? ownerOf(key) : undefined
  if (owner !== undefined) return { kind: 'package', type: owner.type, name: owner.name }
  return { kind: 'path', key: large.has(key) ? key : directoryOf(key) }
}

function directoryOf(key: PathKey): PathKey {
  return key.split('\0').slice(0, -1).slice(0, DIRECTORY_PARTS).join('\0')
}

function groupId(name: GroupName): string {
  return name.kind === 'package' ? `package\0${name.type}\0${name.name}` : `path\0${name.key}`
}
