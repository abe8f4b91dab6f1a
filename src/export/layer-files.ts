/**
 * The files that one layer itself has, as rows of a file system: without its whiteouts, the last of the members with one name,
 * and hard links with the content that they had when they were made, even if a lower layer has it.
 */
import { hardLinksUpTo, type OpenMembers } from '../image/lookup.ts'
import { type MergedEntry, MergedRow } from '../image/merged-entry.ts'
import type { Entry } from '../layer/entry.ts'
import { Problem } from '../problem.ts'
import { isWithin, type PathKey, showPath } from '../text/path.ts'
import { FETCH_BYTES, type Rows } from './rootfs.ts'
import { Survivors } from './survivors.ts'

/**
 * @param within only this path and what is below it; the root means everything
 * @throws Problem `path_not_found` if the layer has nothing there
 */
export async function layerFiles(open: OpenMembers, layer: number, within: PathKey): Promise<Rows> {
  const table = await open(layer)
  const members = async function* () {
    for await (const rows of table.rows({ ...table.within(within), fetchBytes: FETCH_BYTES }))
      yield rows.filter(({ key, whiteout }) => whiteout === undefined && isWithin(key, within))
  }
  let isFound = within === ''
  let hasLinks = false
  for await (const rows of members()) {
    isFound ||= rows.length > 0
    hasLinks ||= rows.some(({ type }) => type === 'hardlink')
  }
  if (!isFound)
    throw new Problem('path_not_found', `layer ${layer} has no ${showPath(within).path}`, { layer })
  const links = hasLinks ? await hardLinksUpTo(open, layer) : undefined
  const linked = new Survivors()
  const shownOf = (row: Entry): MergedEntry | undefined => {
    const { key, type, ordinal } = row
    const ownLinks = type === 'directory' ? undefined : { inode: 0, linked: linked.has(layer, ordinal) }
    if (type !== 'hardlink') return new MergedRow(key, row, layer, ownLinks)
    const target = links?.targetOf(layer, ordinal)
    if (links === undefined || target === undefined) return undefined
    return new MergedRow(key, links.content(target), links.layer(target), { inode: 0, linked: true })
  }
  /** The last member of each name: they follow one another. */
  const shown = async function* () {
    let last: MergedEntry | undefined
    for await (const rows of members()) {
      const batch: MergedEntry[] = []
      for (const row of rows) {
        const next = shownOf(row)
        if (next === undefined) continue
        if (last !== undefined && last.key !== next.key) batch.push(last)
        last = next
      }
      yield batch
    }
    if (last !== undefined) yield [last]
  }
  if (links !== undefined)
    for await (const rows of shown())
      for (const row of rows) if (row.linked) linked.add(row.layer, row.ordinal)
  return shown
}
