/** A set of numbers from 0 on that costs 16 to 32 bytes each, where a `Set` takes twice that and is the collector's to walk. */
export class NumberSet {
  #slots = emptySlots(1024)
  #size = 0

  /** Whether it is new. */
  add(value: number): boolean {
    const slot = this.#slot(value)
    if (this.#slots[slot] === value) return false
    this.#slots[slot] = value
    this.#size++
    if (2 * this.#size > this.#slots.length) this.#grow()
    return true
  }

  /** Where the value is, or would be. */
  #slot(value: number): number {
    const mask = this.#slots.length - 1
    let slot = scatter(value) & mask
    while (this.#slots[slot] !== value && this.#slots[slot] !== EMPTY) slot = (slot + 1) & mask
    return slot
  }

  #grow(): void {
    const old = this.#slots
    this.#slots = emptySlots(2 * old.length)
    for (const value of old) if (value !== EMPTY) this.#slots[this.#slot(value)] = value
  }
}

const EMPTY = -1

function emptySlots(length: number): Float64Array<ArrayBuffer> {
  return new Float64Array(length).fill(EMPTY)
}

/** Neighbours stay apart, and so do multiples of a power of two. */
function scatter(value: number): number {
  const mixed = Math.imul(value ^ Math.floor(value / 0x1_0000_0000), 0x9e37_79b1)
  return mixed ^ (mixed >>> 15)
}
