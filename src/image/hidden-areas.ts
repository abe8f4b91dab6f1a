/** Adds to the areas of what an image shows what its layers store besides: files that a later layer removed or replaced. */
import { Largest } from '../table/largest.ts'
import type { PathKey } from '../text/path.ts'
import type { Area } from './areas.ts'

export type HiddenRow = { readonly key: PathKey; readonly bytes: number; readonly layer: number }

/** How many hidden areas a directory has at most. */
const CHILDREN = 100

/** @param rows what is hidden anywhere below the area, largest first */
export function withHidden(area: Area, rows: readonly HiddenRow[]): Area {
  if (rows.length === 0) return area
  const bytes = area.bytes + sumOf(rows)
  const files = area.files + rows.length
  if (area.children === undefined) return { ...area, bytes, files }
  const groups = byChild(area.key, rows)
  const shown = area.children.map((child) => {
    const group = child.isDirectory ? groups.get(child.key) : undefined
    if (group === undefined) return child
    groups.delete(child.key)
    return withHidden(child, group)
  })
  const hidden = new Largest<Area>(CHILDREN)
  let ordinal = 0
  for (const [key, group] of groups) {
    const child = hiddenArea(key, group)
    hidden.add(child.bytes, ordinal++, () => child)
  }
  const children = [...shown, ...hidden.sorted().map(({ item }) => item)]
  return { ...area, bytes, files, children: children.sort((a, b) => b.bytes - a.bytes) }
}

function byChild(directory: PathKey, rows: readonly HiddenRow[]): Map<PathKey, HiddenRow[]> {
  const start = directory === '' ? 0 : directory.length + 1
  const groups = new Map<PathKey, HiddenRow[]>()
  for (const row of rows) {
    const end = row.key.indexOf('\0', start)
    const child = end < 0 ? row.key : row.key.slice(0, end)
    const group = groups.get(child)
    if (group === undefined) groups.set(child, [row])
    else group.push(row)
  }
  return groups
}

/** One area for all of them; its layer is that of the largest. */
function hiddenArea(key: PathKey, rows: readonly HiddenRow[]): Area {
  return {
    key,
    isDirectory: rows.some((row) => row.key !== key),
    bytes: sumOf(rows),
    files: rows.length,
    hiddenIn: rows[0]?.layer ?? 0,
  }
}

function sumOf(rows: readonly HiddenRow[]): number {
  return rows.reduce((sum, { bytes }) => sum + bytes, 0)
}
