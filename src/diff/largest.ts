/** The heaviest of many, in memory for as many as are wanted. */

type Ranked<T> = { readonly weight: number; readonly ordinal: number; readonly item: T }

/** Keeps the `limit` items of the greatest weight; of equal ones those that came first. */
export class Largest<T> {
  readonly #limit: number
  /** A binary heap with the item at its head that is next to go. */
  readonly #heap: Ranked<T>[] = []

  constructor(limit: number) {
    this.#limit = limit
  }

  /** @param make called only where the item is kept, for now */
  add(weight: number, ordinal: number, make: () => T): void {
    const worst = this.#heap[0]
    if (this.#heap.length < this.#limit) {
      this.#heap.push({ weight, ordinal, item: make() })
      this.#rise(this.#heap.length - 1)
    } else if (worst !== undefined && precedes({ weight, ordinal }, worst)) {
      this.#heap[0] = { weight, ordinal, item: make() }
      this.#sink(0)
    }
  }

  /** Heaviest first. */
  sorted(): Ranked<T>[] {
    return this.#heap.toSorted((a, b) => (precedes(a, b) ? -1 : 1))
  }

  #rise(from: number): void {
    for (let child = from; child > 0; ) {
      const parent = (child - 1) >> 1
      if (!this.#swapped(parent, child)) return
      child = parent
    }
  }

  #sink(from: number): void {
    for (let parent = from; ; ) {
      const [left, right] = [2 * parent + 1, 2 * parent + 2]
      const [first, second] = [this.#heap[left], this.#heap[right]]
      if (first === undefined) return
      const child = second !== undefined && precedes(first, second) ? right : left
      if (!this.#swapped(parent, child)) return
      parent = child
    }
  }

  /** Puts the worse one of the two on top. */
  #swapped(parent: number, child: number): boolean {
    const [upper, lower] = [this.#heap[parent], this.#heap[child]]
    if (upper === undefined || lower === undefined || precedes(lower, upper)) return false
    this.#heap[parent] = lower
    this.#heap[child] = upper
    return true
  }
}

type Rank = Pick<Ranked<unknown>, 'weight' | 'ordinal'>

function precedes(a: Rank, b: Rank): boolean {
  return a.weight !== b.weight ? a.weight > b.weight : a.ordinal < b.ordinal
}
