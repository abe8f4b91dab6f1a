/** Decides what whiteouts hide: when each directory above the current path was emptied. */
import { FOREVER, NEVER, type Sequence } from './sequence.ts'

/**
 * For the directories on the current path: when each was emptied, by a whiteout of it, an opaque whiteout in it, or a
 * non-directory in its place. Everything older below it is hidden.
 */
export class Deletions {
  /** By depth, ascending. */
  readonly #sequences: (readonly Sequence[])[] = [[]]
  /** By depth: the latest deletion of this directory and those above it. */
  readonly #latest: Sequence[] = [NEVER]
  /** By depth: the nearest directory, from this one up, that was ever emptied; -1 if none. */
  readonly #nearest: number[] = [-1]

  /** @param sequences ascending; kept, not copied */
  enter(depth: number, sequences: readonly Sequence[]): void {
    this.#sequences[depth] = sequences
    this.#latest[depth] = Math.max(depth === 0 ? NEVER : this.latest(depth - 1), sequences.at(-1) ?? NEVER)
    this.#nearest[depth] = sequences.length > 0 ? depth : depth === 0 ? -1 : (this.#nearest[depth - 1] ?? -1)
  }

  /** When content below the directory at `depth` was last hidden; `NEVER` if never. */
  latest(depth: number): Sequence {
    return this.#latest[depth] ?? NEVER
  }

  /** Like `latest`, but only those before `sequence`. */
  latestBefore(depth: number, sequence: Sequence): Sequence {
    let latest = NEVER
    for (let at = this.#nearest[depth] ?? -1; at >= 0; at = this.#above(at)) {
      const sequences = this.#sequences[at] ?? []
      latest = Math.max(latest, sequences[countBefore(sequences, sequence) - 1] ?? NEVER)
    }
    return latest
  }

  /** When something made below the directory at `depth` at `sequence` was first hidden; `FOREVER` if never. */
  firstAfter(depth: number, sequence: Sequence): Sequence {
    let first = FOREVER
    if (this.latest(depth) <= sequence) return first
    for (let at = this.#nearest[depth] ?? -1; at >= 0; at = this.#above(at)) {
      const sequences = this.#sequences[at] ?? []
      first = Math.min(first, sequences[countBefore(sequences, sequence)] ?? FOREVER)
    }
    return first
  }

  #above(depth: number): number {
    return depth === 0 ? -1 : (this.#nearest[depth - 1] ?? -1)
  }
}

/** How many of the ascending `sequences` are before `sequence`. */
export function countBefore(sequences: ArrayLike<Sequence>, sequence: Sequence): number {
  let low = 0
  let high = sequences.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((sequences[middle] ?? FOREVER) < sequence) low = middle + 1
    else high = middle
  }
  return low
}
