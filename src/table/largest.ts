/** The top N: the heaviest of many items, in memory for N of them. */
import { Heap } from './heap.ts'

/** Breaks ties between items of one weight: a number or a text. */
type Tie = number | string

export type Ranked<Item, Order extends Tie = number> = {
  readonly weight: number
  readonly ordinal: Order
  readonly item: Item
}

/** Keeps the `limit` items with the greatest weight; among equals, those with the least ordinal. */
export class Largest<Item, Order extends Tie = number> {
  readonly #limit: number
  /** The next item to be dropped is on top. */
  readonly #heap = new Heap<Ranked<Item, Order>>(isLighter)
  #lightest: Ranked<Item, Order> | undefined

  constructor(limit: number) {
    this.#limit = limit
  }

  /** @param make called only if the item is kept for now */
  add(weight: number, ordinal: Order, make: () => Item): void {
    const lightest = this.#lightest
    if (lightest === undefined) {
      if (this.#limit === 0) return
      this.#heap.push({ weight, ordinal, item: make() })
      if (this.#heap.size === this.#limit) this.#lightest = this.#heap.top
    } else if (weight > lightest.weight || (weight === lightest.weight && ordinal < lightest.ordinal)) {
      this.#heap.replaceTop({ weight, ordinal, item: make() })
      this.#lightest = this.#heap.top
    }
  }

  /** Heaviest first. */
  sorted(): Ranked<Item, Order>[] {
    return [...this.#heap].sort((a, b) => (isLighter(b, a) ? -1 : 1))
  }
}

/** Whether `a` is dropped before `b`. */
function isLighter<Order extends Tie>(a: Ranked<unknown, Order>, b: Ranked<unknown, Order>): boolean {
  return b.weight > a.weight || (b.weight === a.weight && b.ordinal < a.ordinal)
}
