/** A binary heap: the item that comes before all others is on top. */
export class Heap<T> {
  readonly #items: T[] = []
  readonly #isBefore: (a: T, b: T) => boolean

  constructor(isBefore: (a: T, b: T) => boolean) {
    this.#isBefore = isBefore
  }

  get top(): T | undefined {
    return this.#items[0]
  }

  get size(): number {
    return this.#items.length
  }

  /** All items, in no particular order. */
  [Symbol.iterator](): Iterator<T> {
    return this.#items[Symbol.iterator]()
  }

  push(item: T): void {
    const items = this.#items
    let at = items.length
    items.push(item)
    while (at > 0) {
      const above = (at - 1) >> 1
      const other = items[above]
      if (other === undefined || !this.#isBefore(item, other)) break
      items[at] = other
      items[above] = item
      at = above
    }
  }

  removeTop(): void {
    const last = this.#items.pop()
    if (last === undefined || this.#items.length === 0) return
    this.#items[0] = last
    this.sink()
  }

  /** Replaces the top item. */
  replaceTop(item: T): void {
    this.#items[0] = item
    this.sink()
  }

  /** Call this after the top item changed: moves it to its place. */
  sink(): void {
    const items = this.#items
    const item = items[0]
    if (item === undefined) return
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      let first = items[child]
      if (first === undefined) break
      const right = items[child + 1]
      if (right !== undefined && this.#isBefore(right, first)) {
        first = right
        child++
      }
      if (!this.#isBefore(first, item)) break
      items[at] = first
      at = child
    }
    items[at] = item
  }
}
