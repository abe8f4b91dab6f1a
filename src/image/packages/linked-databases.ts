/**
 * Package databases under other names: pnpm and bun keep each `package.json` in a store and hard-link it into `node_modules`,
 * and a tar has the content under whichever name comes first.
 */

import type { SortedEntries } from '../../index/layer-index.ts'
import { isKeptDatabase } from '../../layer/database.ts'
import type { Entry } from '../../layer/entry.ts'
import type { WantedMember } from '../../layer/members.ts'
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
  const collected = new CollectedLinks()
  const named: number[] = []
  for await (const rows of entries()) {
    for (const row of rows) {
      collected.see(row, 0)
      if (isDatabaseLink(row) && named.length < MAX_LINKS) named.push(row.ordinal)
    }
  }
  const links = await resolveHardLinks(collected, () => [entries()])
  const targets = new Set<number>()
  for (const ordinal of named) {
    const target = links.targetOf(0, ordinal)
    if (target !== undefined) targets.add(links.content(target).ordinal)
  }
  const found: WantedMember[] = []
  for await (const rows of entries()) {
    for (const row of rows) {
      if (targets.has(row.ordinal) && isUnkept(row)) found.push(row)
    }
  }
  found.sort((a, b) => a.ordinal - b.ordinal)
  return withinRoom(found, room)
}

function isDatabaseLink(row: Entry): boolean {
  return row.type === 'hardlink' && row.whiteout === undefined && isKeptDatabase(row.key)
}

function isUnkept(row: Entry): boolean {
  return row.type === 'file' && row.whiteout === undefined && !isKeptDatabase(row.key)
}

function withinRoom(members: readonly WantedMember[], room: number): readonly WantedMember[] {
  let left = room
  return members.filter(({ bytes }) => {
    if (bytes > left) return false
    left -= bytes
    return true
  })
}
