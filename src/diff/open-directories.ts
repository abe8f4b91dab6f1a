/**
 * The directories above the current path, in one pass over paths in order: each is closed when everything below it has passed.
 */
import { isWithin, type PathKey } from '../text/path.ts'

export class OpenDirectories<Directory extends { readonly key: PathKey }> {
  readonly root: Directory
  readonly #open: Directory[]
  readonly #make: (key: PathKey) => Directory
  readonly #onLeft: (directory: Directory, above: Directory) => void

  /**
   * @param make an empty directory
   * @param onLeft called with each directory except the root, inner ones first
   */
  constructor(make: (key: PathKey) => Directory, onLeft: (directory: Directory, above: Directory) => void) {
    this.root = make('')
    this.#open = [this.root]
    this.#make = make
    this.#onLeft = onLeft
  }

  /** From the root to the innermost one. */
  get all(): readonly Directory[] {
    return this.#open
  }

  /** Closes what is not above `key`, and opens what is missing down to it. */
  enter(key: PathKey): Directory {
    this.leave(key)
    let top = this.#open.at(-1) ?? this.root
    while (top.key !== key) {
      const end = key.indexOf('\0', top === this.root ? 0 : top.key.length + 1)
      top = this.#make(end < 0 ? key : key.slice(0, end))
      this.#open.push(top)
    }
    return top
  }

  /** Closes what is not above `key`; the empty key closes all but the root. */
  leave(key: PathKey): void {
    for (;;) {
      const top = this.#open.at(-1)
      const above = this.#open.at(-2)
      if (top === undefined || above === undefined || isWithin(key, top.key)) return
      this.#open.pop()
      this.#onLeft(top, above)
    }
  }
}
