/** A growing list of numbers, eight bytes each, for data with up to one number per member of an image. */
export class NumberList {
  #values = new Float64Array(64)
  length = 0

  /** @returns how many there are now */
  push(value: number): number {
    if (this.length === this.#values.length) {
      const grown = new Float64Array(this.length + (this.length >> 1))
      grown.set(this.#values)
      this.#values = grown
    }
    this.#values[this.length++] = value
    return this.length
  }

  /** NaN past the end. */
  get(index: number): number {
    return index < this.length ? (this.#values[index] ?? Number.NaN) : Number.NaN
  }

  set(index: number, value: number): void {
    this.#values[index] = value
  }

  /** A view of all numbers, valid until the next `push`. */
  values(): Float64Array {
    return this.#values.subarray(0, this.length)
  }
}
