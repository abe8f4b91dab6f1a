/** Tells when a path was a directory only because layers have members below it. */
import type { PathKey } from '../text/path.ts'
import { countBefore } from './deletions.ts'
import { FOREVER, memberSequence, NEVER, type Sequence } from './sequence.ts'
import type { PathRows } from './walk.ts'

/**
 * When members below a path made it a directory, in relation to the events at the path itself. These events divide time into
 * intervals: interval `i` ends with event `i`, the last one never; only the first and the last touch of each are kept.
 */
export class Touches {
  readonly #events: readonly Sequence[]
  readonly #first: Sequence[] = []
  readonly #last: Sequence[] = []
  readonly #firstKey: PathKey[] = []

  /** @param events ascending; kept, not copied */
  constructor(events: readonly Sequence[]) {
    this.#events = events
  }

  /**
   * A member at `key`, below the path, acted at `sequence`. An action at an event itself belongs to the interval that ends
   * there.
   */
  add(sequence: Sequence, key: PathKey): void {
    const interval = countBefore(this.#events, sequence)
    if (sequence < this.first(interval)) {
      this.#first[interval] = sequence
      this.#firstKey[interval] = key
    }
    if (sequence > this.last(interval)) this.#last[interval] = sequence
  }

  first(interval: number): Sequence {
    return this.#first[interval] ?? FOREVER
  }

  /** The key of the interval's first touch; the root's if there was no touch. */
  firstKey(interval: number): PathKey {
    return this.#firstKey[interval] ?? ''
  }

  last(interval: number): Sequence {
    return this.#last[interval] ?? NEVER
  }
}

/** For a path with nothing below it. */
export const UNTOUCHED = new Touches([])

/** The ancestors of the current path whose touches are needed, usually none. */
export class TouchedPaths {
  readonly #depths: number[] = []
  readonly #touches: Touches[] = []

  open(depth: number, touches: Touches): void {
    this.#depths.push(depth)
    this.#touches.push(touches)
  }

  close(depth: number): void {
    if (this.#depths.at(-1) !== depth) return
    this.#depths.pop()
    this.#touches.pop()
  }

  /** Call this with each path before it is opened itself. */
  touch({ key, rows, layers, count }: PathRows): void {
    if (this.#touches.length === 0) return
    for (let i = 0; i < count; i++) {
      const row = rows[i]
      if (row === undefined || row.whiteout !== undefined) continue
      const sequence = memberSequence(layers[i] ?? 0, row.ordinal)
      for (const touches of this.#touches) touches.add(sequence, key)
    }
  }
}
