import type { ByteString } from '../bytes.ts'

/**
 * Which contents can be there more than once: a few bits for each in place of its digest. What was seen once is told apart
 * from what was seen again by a part of the digest, so a content that is there once is mistaken now and then, and one that
 * is there twice never.
 */
export class RepeatedContents {
  readonly #once: Uint32Array
  readonly #again: Uint32Array
  readonly #mask: number

  /** @param most how many contents there can be: decides on the memory, 4 to 8 bytes for each, and on nothing else */
  constructor(most: number) {
    const bits = 2 ** Math.min(Math.max(Math.ceil(Math.log2(most + 1)) + 4, 10), 28)
    this.#once = new Uint32Array(bits / 32)
    this.#again = new Uint32Array(bits / 32)
    this.#mask = bits - 1
  }

  /** @param sha256 32 bytes */
  add(sha256: ByteString): void {
    const bit = this.#bit(sha256)
    const word = bit >>> 5
    const mark = 1 << (bit & 31)
    const seen = this.#once[word] ?? 0
    if ((seen & mark) === 0) this.#once[word] = seen | mark
    else this.#again[word] = (this.#again[word] ?? 0) | mark
  }

  /** False where it was added once at most. */
  has(sha256: ByteString): boolean {
    const bit = this.#bit(sha256)
    return (((this.#again[bit >>> 5] ?? 0) >>> (bit & 31)) & 1) === 1
  }

  #bit(sha256: ByteString): number {
    const first = sha256.charCodeAt(0) | (sha256.charCodeAt(1) << 8) | (sha256.charCodeAt(2) << 16)
    return (first | (sha256.charCodeAt(3) << 24)) & this.#mask
  }
}
