/** Where an image grew or shrank: the sums of changes by directory, in one pass over changes in path order. */

import { Largest } from '../table/largest.ts'
import { type PathKey, parentKey, showPath } from '../text/path.ts'
import { type Change, fromBytes, isDirectoryChange, toBytes } from './change.ts'
import { OpenDirectories } from './open-directories.ts'

/** A directory with everything below it; the directory counts among the paths if it changed itself. */
export type DirectoryChange = {
  readonly path: string
  readonly pathBase64?: string
  /** Growth in bytes of the regular files below it. */
  readonly delta: number
  /** Number of paths. */
  readonly added: number
  readonly removed: number
  readonly modified: number
}

/** A directory whose subtree is not complete yet. */
type Open = {
  readonly key: PathKey
  delta: number
  readonly paths: { added: number; removed: number; modified: number }
  /** Whether a file directly in it changed in size, rather than one further down. */
  moved: boolean
  /** Directories directly in it that changed in size. */
  grownChildren: number
}

function openDirectory(key: PathKey): Open {
  return { key, delta: 0, paths: { added: 0, removed: 0, modified: 0 }, moved: false, grownChildren: 0 }
}

/** Holds the directories above the current path and the largest so far. */
export class DirectoryGrowth {
  readonly #open = new OpenDirectories<Open>(openDirectory, (directory, above) => this.#add(directory, above))
  readonly #largest: Largest<DirectoryChange>
  #closed = 0

  constructor(limit: number) {
    this.#largest = new Largest(limit)
  }

  /** Changes come in path order. */
  add(change: Change): void {
    const directory = this.#open.enter(isDirectoryChange(change) ? change.key : parentKey(change.key))
    const delta = toBytes(change) - fromBytes(change)
    directory.paths[change.kind]++
    directory.delta += delta
    if (delta !== 0) directory.moved = true
  }

  /**
   * Largest first, by absolute value. Without the root, which is the image's own figure, and without directories that changed
   * only through a single directory below them, which says more.
   */
  finish(): DirectoryChange[] {
    this.#open.leave('')
    return this.#largest.sorted().map(({ item }) => item)
  }

  #add(directory: Open, above: Open): void {
    above.delta += directory.delta
    above.paths.added += directory.paths.added
    above.paths.removed += directory.paths.removed
    above.paths.modified += directory.paths.modified
    this.#closed++
    if (directory.delta === 0) return
    above.grownChildren++
    if (!directory.moved && directory.grownChildren === 1) return
    this.#largest.add(Math.abs(directory.delta), this.#closed, () => ({
      ...showPath(directory.key),
      delta: directory.delta,
      ...directory.paths,
    }))
  }
}
