const PAGE_BITS = 32_768

/** A set of whole numbers that mostly lie close to each other: a bit for each. */
export class NumberSet {
  readonly #pages = new Map<number, Uint32Array>()

  /** @returns whether it was not there yet */
  add(value: number): boolean {
    const number = Math.floor(value / PAGE_BITS)
    const bit = value - number * PAGE_BITS
    let page = this.#pages.get(number)
    if (page === undefined) {
      page = new Uint32Array(PAGE_BITS / 32)
      this.#pages.set(number, page)
    }
    const word = page[bit >>> 5] ?? 0
    const mask = 1 << (bit & 31)
    page[bit >>> 5] = word | mask
    return (word & mask) === 0
  }
}
