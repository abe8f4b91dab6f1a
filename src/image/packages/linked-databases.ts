/**
 * Package databases, archives and runtimes under other names: pnpm and bun keep each `package.json` in a store and hard-link it
 * into `node_modules`, and a tar has the content under whichever name comes first.
 */

import type { SortedEntries } from '../../index/layer-index.ts'
import { isKeptDatabase } from '../../layer/database.ts'
import type { Entry } from '../../layer/entry.ts'
import { isExaminedByName, isExaminedOnlyAs } from '../../layer/examine.ts'
import type { WantedMember } from '../../layer/members.ts'
import type { PathKey } from '../../text/path.ts'
import { CollectedLinks, resolveHardLinks } from '../hard-links.ts'

/** Limit on links that are followed, and members that they lead to, in one layer: as many as an image may have packages. */
const MAX_LINKS = 100_000

/**
 * The members of a layer that hard links with a database's name lead to, and whose own name is not a database's: their content
 * was not kept when the layer was read. In the order of the tar.
 *
 * @param entries of the layer
 * @param room for their content, in bytes: those that do not fit are left out
 */
export async function findLinkedDatabases(
  entries: SortedEntries,
  room: number,
): Promise<readonly WantedMember[]> {
  const targets = await targetsOf(entries, isDatabaseLink)
  const found: WantedMember[] = []
  for await (const rows of entries()) {
    for (const row of rows) if (targets.has(row.ordinal) && isUnkept(row)) found.push(row)
  }
  found.sort((a, b) => a.ordinal - b.ordinal)
  return withinRoom(found, room)
}

/**
 * The same for names by which files are examined: busybox's own images have its content under the name of the first applet.
 * Each is at the first such name.
 */
export async function findLinkedExamined(entries: SortedEntries): Promise<readonly WantedMember[]> {
  const targets = await targetsOf(entries, isExaminedLink)
  const found: WantedMember[] = []
  for await (const rows of entries()) {
    for (const row of rows) {
      const key = targets.get(row.ordinal)
      if (key === undefined || !isFile(row) || !isExaminedOnlyAs(key, row.key)) continue
      const { ordinal, offset, bytes, sha256 } = row
      found.push({ key, ordinal, offset, bytes, sha256 })
    }
  }
  return found.sort((a, b) => a.ordinal - b.ordinal)
}

/** The members that hard links lead to, and the first of these links in path order. */
async function targetsOf(
  entries: SortedEntries,
  isNamed: (link: Entry) => boolean,
): Promise<ReadonlyMap<number, PathKey>> {
  const collected = new CollectedLinks()
  const named: { readonly key: PathKey; readonly ordinal: number }[] = []
  for await (const rows of entries()) {
    for (const row of rows) {
      collected.see(row, 0)
      const { key, ordinal } = row
      if (isNamed(row) && named.length < MAX_LINKS) named.push({ key, ordinal })
    }
  }
  const links = await resolveHardLinks(collected, () => [entries()])
  const targets = new Map<number, PathKey>()
  for (const { key, ordinal } of named) {
    const target = links.targetOf(0, ordinal)
    const member = target === undefined ? undefined : links.content(target).ordinal
    if (member !== undefined && !targets.has(member)) targets.set(member, key)
  }
  return targets
}

function isDatabaseLink(row: Entry): boolean {
  return row.type === 'hardlink' && row.whiteout === undefined && isKeptDatabase(row.key)
}

function isExaminedLink(row: Entry): boolean {
  return row.type === 'hardlink' && row.whiteout === undefined && isExaminedByName(row.key)
}

function isFile(row: Entry): boolean {
  return row.type === 'file' && row.whiteout === undefined
}

function isUnkept(row: Entry): boolean {
  return isFile(row) && !isKeptDatabase(row.key)
}

function withinRoom(members: readonly WantedMember[], room: number): readonly WantedMember[] {
  let left = room
  return members.filter(({ bytes }) => {
    if (bytes > left) return false
    left -= bytes
    return true
  })
}
