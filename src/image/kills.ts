import { FOREVER, NEVER, type Stamp } from './stamp.ts'

/**
 * For the directories on the current path: when each was emptied, by a whiteout of it, an opaque whiteout in it, or a
 * member in its place that is no directory. What stands below it and is older is hidden.
 */
export class Kills {
  /** By depth, ascending. */
  readonly #stamps: (readonly Stamp[])[] = [[]]
  /** By depth: the latest of this directory and those above it. */
  readonly #latest: Stamp[] = [NEVER]
  /** By depth: the nearest directory, this one or one above it, that was ever emptied; -1 for none. */
  readonly #nearest: number[] = [-1]

  /** @param stamps ascending; kept, not copied */
  enter(depth: number, stamps: readonly Stamp[]): void {
    this.#stamps[depth] = stamps
    this.#latest[depth] = Math.max(depth === 0 ? NEVER : this.latest(depth - 1), stamps.at(-1) ?? NEVER)
    this.#nearest[depth] = stamps.length > 0 ? depth : depth === 0 ? -1 : (this.#nearest[depth - 1] ?? -1)
  }

  /** When something below the directory at `depth` was hidden last; `NEVER` if it never was. */
  latest(depth: number): Stamp {
    return this.#latest[depth] ?? NEVER
  }

  /** As `latest`, of those before `stamp`. */
  latestBefore(depth: number, stamp: Stamp): Stamp {
    let latest = NEVER
    for (let at = this.#nearest[depth] ?? -1; at >= 0; at = this.#above(at)) {
      const stamps = this.#stamps[at] ?? []
      latest = Math.max(latest, stamps[countBefore(stamps, stamp) - 1] ?? NEVER)
    }
    return latest
  }

  /** When something below the directory at `depth` that was made at `stamp` was hidden first; `FOREVER` if it never was. */
  firstAfter(depth: number, stamp: Stamp): Stamp {
    let first = FOREVER
    if (this.latest(depth) <= stamp) return first
    for (let at = this.#nearest[depth] ?? -1; at >= 0; at = this.#above(at)) {
      const stamps = this.#stamps[at] ?? []
      first = Math.min(first, stamps[countBefore(stamps, stamp)] ?? FOREVER)
    }
    return first
  }

  #above(depth: number): number {
    return depth === 0 ? -1 : (this.#nearest[depth - 1] ?? -1)
  }
}

/** How many of the ascending `stamps` are before `stamp`. */
export function countBefore(stamps: ArrayLike<Stamp>, stamp: Stamp): number {
  let low = 0
  let high = stamps.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((stamps[middle] ?? FOREVER) < stamp) low = middle + 1
    else high = middle
  }
  return low
}
