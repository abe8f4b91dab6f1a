/**
 * Finds the bytes of a window that the following blocks refer to, usually few: the rest need not be stored. To see where an inflated
 * byte was copied from, the blocks are inflated after windows whose bytes encode their own places. A place takes 15 bits, so there
 * are two such windows. They differ in every byte, so a byte that is the same after both was not copied from the window.
 */

import type { BlockInflater } from './block-inflater.ts'
import { type BitStart, WINDOW_BYTES } from './block-start.ts'

/** Bytes further on than this cannot refer to the window. */
const REACH = WINDOW_BYTES

export class NeededWindow {
  readonly #inflater: BlockInflater
  readonly #low = new Uint8Array(WINDOW_BYTES + REACH)
  readonly #high = new Uint8Array(WINDOW_BYTES + REACH)
  /** The low byte of each place. */
  readonly #lowPlaces = new Uint8Array(WINDOW_BYTES)
  /** The upper seven bits of each place, below a bit that the low byte does not have. */
  readonly #highPlaces = new Uint8Array(WINDOW_BYTES)

  constructor(inflater: BlockInflater) {
    this.#inflater = inflater
    for (let place = 0; place < WINDOW_BYTES; place++) {
      this.#lowPlaces[place] = place
      this.#highPlaces[place] = (place >> 8) | (~place & 0x80)
    }
  }

  /**
   * The window with zeros in place of the bytes that no block refers to; undefined if too little follows to tell.
   *
   * @param behind what follows the start's byte in the stream
   */
  of(start: BitStart, behind: Uint8Array): Uint8Array | undefined {
    if (start.window.length !== WINDOW_BYTES) return undefined
    const isKnown =
      this.#fills({ ...start, window: this.#lowPlaces }, behind, this.#low) &&
      this.#fills({ ...start, window: this.#highPlaces }, behind, this.#high)
    return isKnown ? copied(start.window, this.#low, this.#high) : undefined
  }

  #fills(start: BitStart, behind: Uint8Array, output: Uint8Array): boolean {
    return this.#inflater.inflate(start, behind, output) === output.length
  }
}

function copied(window: Uint8Array, low: Uint8Array, high: Uint8Array): Uint8Array {
  const needed = new Uint8Array(WINDOW_BYTES)
  for (let at = WINDOW_BYTES; at < low.length; at++) {
    const a = low[at] ?? 0
    const b = high[at] ?? 0
    if (a === b) continue
    const place = ((b & 0x7f) << 8) | a
    needed[place] = window[place] ?? 0
  }
  return needed
}
