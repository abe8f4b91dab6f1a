/** Which members of which layers an image still shows: a bit for each, so that a layer can be read in its own order. */

const WORD_BITS = 32
const FIRST_WORDS = 32

export class Survivors {
  readonly #layers: Uint32Array[] = []

  add(layer: number, ordinal: number): void {
    const word = Math.floor(ordinal / WORD_BITS)
    const bits = this.#grown(layer, word)
    bits[word] = (bits[word] ?? 0) | (1 << (ordinal % WORD_BITS))
  }

  has(layer: number, ordinal: number): boolean {
    const word = this.#layers[layer]?.[Math.floor(ordinal / WORD_BITS)] ?? 0
    return (word & (1 << (ordinal % WORD_BITS))) !== 0
  }

  /** Whether a layer has any. */
  hasAny(layer: number): boolean {
    return this.#layers[layer] !== undefined
  }

  #grown(layer: number, word: number): Uint32Array {
    const bits = this.#layers[layer]
    if (bits !== undefined && word < bits.length) return bits
    const grown = new Uint32Array(Math.max(FIRST_WORDS, word + 1, (bits?.length ?? 0) * 2))
    if (bits !== undefined) grown.set(bits)
    this.#layers[layer] = grown
    return grown
  }
}
