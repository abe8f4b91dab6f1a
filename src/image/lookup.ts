/** Finds a file by its path, following links only inside the image. */

import { inParallel } from '../concurrency.ts'
import { ENTRIES } from '../index/entries.ts'
import type { Entry } from '../layer/entry.ts'
import { Problem } from '../problem.ts'
import { plainRow, type Table } from '../table/table.ts'
import type { ByteString } from '../text/bytes.ts'
import { type PathKey, showPath } from '../text/path.ts'
import { CollectedLinks, type HardLinks, resolveHardLinks } from './hard-links.ts'
import type { MergedEntry } from './merged-entry.ts'

/** Gives the table of a layer's members. */
export type OpenMembers = (layer: number) => Promise<Table<Entry>>

/** Where a file's content is: in a member of a layer, at this position in the tar. */
export type FoundFile = {
  readonly layer: number
  readonly bytes: number
  readonly sha256: ByteString
  readonly offset: number
}

/** How many tables are opened at the same time. */
const TABLES_AT_ONCE = 16
/** The same limit as in Linux. */
const MAX_LINKS = 40

/**
 * A file of the merged file system.
 *
 * @throws Problem `path_not_found` if nothing is there, or not a regular file
 */
export async function findFile(files: Table<MergedEntry>, key: PathKey): Promise<FoundFile> {
  const entry = await resolve(key, (at) => rowAt(files, at))
  return regular(key, entry, entry.layer)
}

/**
 * A file as one layer has it, even if a later one hides it. Symbolic links lead to what the same layer has; a hard link to what
 * was at its target when it was made, in this layer or in those below.
 *
 * @throws Problem `path_not_found`
 */
export async function findMember(open: OpenMembers, layer: number, key: PathKey): Promise<FoundFile> {
  const table = await open(layer)
  let links: Promise<HardLinks> | undefined
  const entry = await resolve(key, async (at): Promise<PlacedEntry | undefined> => {
    const member = await memberAt(table, at)
    if (member === undefined) return undefined
    if (member.type !== 'hardlink') return { ...member, layer }
    links ??= hardLinksUpTo(open, layer)
    const known = await links
    // As in the merge, a hard link to nothing leaves the file of its name as it was.
    const shown = await memberAt(
      table,
      at,
      ({ type, ordinal }) => type !== 'hardlink' || known.targetOf(layer, ordinal) !== undefined,
    )
    return linkedMember(known, { ...(shown ?? member), layer })
  })
  return regular(key, entry, entry.layer)
}

type PlacedEntry = Entry & { readonly layer: number }

/** The hard links of a layer and all below it; all their rows are read twice, whatever the request. */
export async function hardLinksUpTo(open: OpenMembers, layer: number): Promise<HardLinks> {
  const tables = await inParallel([...Array(layer + 1).keys()], TABLES_AT_ONCE, open)
  const columns = ['key', 'type', 'link', 'whiteout', 'ordinal'] as const
  const links = new CollectedLinks()
  for (const [index, table] of tables.entries()) {
    for await (const rows of table.rows({ columns })) for (const row of rows) links.see(row, index)
  }
  return resolveHardLinks(links, () => tables.map((table) => table.rows({ ahead: 'none' })))
}

/** What a hard link shows, at the link's own path. */
function linkedMember(links: HardLinks, member: PlacedEntry): PlacedEntry {
  const { key, layer, ordinal, type } = member
  if (type !== 'hardlink') return member
  const target = links.targetOf(layer, ordinal)
  if (target === undefined) throw missing(key, 'is a hard link whose target does not exist')
  return { ...links.content(target), key, layer: links.layer(target) }
}

/**
 * Walks a path like Linux in a container whose root is the image: links on the way are followed, too, and nothing leads above
 * the root. If the whole path exists, nothing on the way is a link: usually one lookup is enough.
 */
async function resolve<E extends Entry>(
  asked: PathKey,
  lookUp: (key: PathKey) => Promise<E | undefined>,
): Promise<E> {
  const passed: string[] = []
  let ahead = asked.split('\0')
  for (let links = 0; links <= MAX_LINKS; links++) {
    const whole = ahead.includes('..') ? undefined : await lookUp([...passed, ...ahead].join('\0'))
    if (whole !== undefined && whole.type !== 'symlink') return whole
    const entry = await walk(passed, ahead, lookUp)
    if (entry === undefined) throw missing(asked, 'does not exist')
    if (entry.type !== 'symlink') return entry
    const { link = '' } = entry
    if (link.startsWith('/')) passed.length = 0
    ahead = [...link.split('/').filter((part) => part !== '' && part !== '.'), ...ahead]
  }
  throw missing(asked, `leads through more than ${MAX_LINKS} symbolic links`)
}

/**
 * Moves parts from `ahead` to `passed` up to a symbolic link, which it removes from both.
 *
 * @returns the link, or else what is at the end
 */
async function walk<E extends Entry>(
  passed: string[],
  ahead: string[],
  lookUp: (key: PathKey) => Promise<E | undefined>,
): Promise<E | undefined> {
  let last: E | undefined
  for (let part = ahead.shift(); part !== undefined; part = ahead.shift()) {
    if (part === '..') {
      passed.pop()
      last = undefined
      continue
    }
    passed.push(part)
    last = await lookUp(passed.join('\0'))
    if (last === undefined) return undefined
    if (last.type !== 'symlink') continue
    passed.pop()
    return last
  }
  return last ?? lookUp(passed.join('\0'))
}

async function rowAt(files: Table<MergedEntry>, key: PathKey): Promise<MergedEntry | undefined> {
  for await (const batch of files.rows(files.at(key))) {
    for (const row of batch) if (row.key === key) return row
  }
  return undefined
}

/** The last member of that name that counts, as a plain object. */
async function memberAt(
  layer: Table<Entry>,
  key: PathKey,
  counts: (row: Entry) => boolean = () => true,
): Promise<Entry | undefined> {
  let last: Entry | undefined
  for await (const batch of layer.rows(layer.at(key))) {
    for (const row of batch)
      if (row.key === key && row.whiteout === undefined && counts(row)) last = plainRow(ENTRIES, row)
  }
  return last
}

function regular(asked: PathKey, { type, bytes, sha256, offset }: Entry, layer: number): FoundFile {
  if (type !== 'file' || sha256 === undefined) throw missing(asked, `is not a regular file but a ${type}`)
  return { layer, bytes, sha256, offset }
}

function missing(key: PathKey, why: string): Problem {
  return new Problem('path_not_found', `${JSON.stringify(showPath(key).path)} ${why}`)
}
