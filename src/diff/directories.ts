/** Where an image grew or shrank: the sums of changes over directories, in one pass over changes in path order. */

import { Largest } from '../table/largest.ts'
import { isWithin, type PathKey, parentKey, showPath } from '../text/path.ts'
import { type Change, fromBytes, toBytes } from './change.ts'

/** A directory with all below it; itself counts among the paths where it changed. */
export type DirectoryChange = {
  readonly path: string
  readonly pathBase64?: string
  /** Bytes that the regular files below it grew by. */
  readonly delta: number
  /** Paths. */
  readonly added: number
  readonly removed: number
  readonly modified: number
}

/** One directory whose subtree is not yet passed. */
type Open = {
  readonly key: PathKey
  delta: number
  readonly paths: { added: number; removed: number; modified: number }
  /** Whether a file right in it has another size, as opposed to one further down. */
  moved: boolean
  /** Directories right in it that changed in size. */
  grownChildren: number
}

function openDirectory(key: PathKey): Open {
  return { key, delta: 0, paths: { added: 0, removed: 0, modified: 0 }, moved: false, grownChildren: 0 }
}

/** Holds the directories above the current path and those that are largest so far. */
export class DirectoryGrowth {
  readonly #root = openDirectory('')
  readonly #open: Open[] = [this.#root]
  readonly #largest: Largest<DirectoryChange>
  #closed = 0

  constructor(limit: number) {
    this.#largest = new Largest(limit)
  }

  /** Changes come in path order. */
  add(change: Change): void {
    const directory = this.#enter(isDirectory(change) ? change.key : parentKey(change.key))
    const delta = toBytes(change) - fromBytes(change)
    directory.paths[change.kind]++
    directory.delta += delta
    if (delta !== 0) directory.moved = true
  }

  /**
   * Largest first, by absolute value. Without the root, which is the image's own figure, and without directories that
   * changed only through a single one below them: that one says more.
   */
  finish(): DirectoryChange[] {
    this.#leave('')
    return this.#largest.sorted().map(({ item }) => item)
  }

  #enter(key: PathKey): Open {
    this.#leave(key)
    let top = this.#open.at(-1) ?? this.#root
    while (top.key !== key) {
      const end = key.indexOf('\0', top === this.#root ? 0 : top.key.length + 1)
      top = openDirectory(end < 0 ? key : key.slice(0, end))
      this.#open.push(top)
    }
    return top
  }

  /** Closes what is open but not above `key`. */
  #leave(key: PathKey): void {
    for (;;) {
      const top = this.#open.at(-1)
      const above = this.#open.at(-2)
      if (top === undefined || above === undefined || isWithin(key, top.key)) return
      this.#open.pop()
      above.delta += top.delta
      above.paths.added += top.paths.added
      above.paths.removed += top.paths.removed
      above.paths.modified += top.paths.modified
      this.#closed++
      if (top.delta === 0) continue
      above.grownChildren++
      if (!top.moved && top.grownChildren === 1) continue
      this.#largest.add(Math.abs(top.delta), this.#closed, () => ({
        ...showPath(top.key),
        delta: top.delta,
        ...top.paths,
      }))
    }
  }
}

/** On either side; its subtree follows it. */
function isDirectory(change: Change): boolean {
  return (
    (change.kind !== 'added' && change.from.type === 'directory') ||
    (change.kind !== 'removed' && change.to.type === 'directory')
  )
}
