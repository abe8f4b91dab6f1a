/** The next and the previous match in the order of the tree, in closed folders too. */
import { ROOT } from './listing.ts'
import type { TreePane } from './tree-pane.ts'
import type { Matches } from './words.ts'

/** Around at the end. @returns undefined if nothing matches */
export function nextMatch(tree: TreePane, matches: Matches, from: number): number | undefined {
  return around(from, matches, (row) => after(tree, matches, row))
}

/** Around at the beginning. @returns undefined if nothing matches */
export function previousMatch(tree: TreePane, matches: Matches, from: number): number | undefined {
  return around(from, matches, (row) => before(tree, matches, row))
}

function around(from: number, matches: Matches, step: (row: number) => number): number | undefined {
  if (!matches.isAbove(ROOT)) return undefined
  let wraps = 0
  for (let row = step(from); ; row = step(row)) {
    if (matches.fits(row)) return row
    // What fits may be hidden by a filter.
    if (row === ROOT && ++wraps > 1) return undefined
  }
}

function relevant(tree: TreePane, matches: Matches, row: number): Int32Array {
  return tree.children(row).filter((child) => matches.fits(child) || matches.isAbove(child))
}

function after(tree: TreePane, matches: Matches, from: number): number {
  if (matches.isAbove(from)) {
    const [first] = relevant(tree, matches, from)
    if (first !== undefined) return first
  }
  for (let row = from; row !== ROOT; row = tree.listing.parent(row)) {
    const siblings = tree.children(tree.listing.parent(row))
    for (let i = siblings.indexOf(row) + 1; i < siblings.length; i++) {
      const sibling = siblings[i] ?? ROOT
      if (matches.fits(sibling) || matches.isAbove(sibling)) return sibling
    }
  }
  return ROOT
}

function before(tree: TreePane, matches: Matches, from: number): number {
  if (from !== ROOT) {
    const parent = tree.listing.parent(from)
    const siblings = tree.children(parent)
    for (let i = siblings.indexOf(from) - 1; i >= 0; i--) {
      const sibling = siblings[i] ?? ROOT
      if (matches.fits(sibling) || matches.isAbove(sibling)) return lastIn(tree, matches, sibling)
    }
    return parent
  }
  return lastIn(tree, matches, ROOT)
}

function lastIn(tree: TreePane, matches: Matches, row: number): number {
  let last = row
  while (matches.isAbove(last)) {
    const below = relevant(tree, matches, last).at(-1)
    if (below === undefined) break
    last = below
  }
  return last
}
