/** Spares the search for duplicates the contents that occur only once. */
import type { ByteString } from '../text/bytes.ts'

const ONCE = 1
const AGAIN = 2

/**
 * Which contents may occur more than once: a few bits for each in place of its digest. A part of the digest tells contents
 * apart, so a content that occurs once is sometimes reported as repeated, but a repeated one is never missed.
 */
export class RepeatedContents {
  /** Two bits each, so that a lookup is one memory access. */
  readonly #marks: Uint32Array
  readonly #mask: number

  /** @param most how many contents there can be: only decides the memory, 4 to 8 bytes for each */
  constructor(most: number) {
    const marks = 2 ** Math.min(Math.max(Math.ceil(Math.log2(most + 1)) + 4, 10), 28)
    this.#marks = new Uint32Array(marks / 16)
    this.#mask = marks - 1
  }

  /** @param sha256Start the digest's first 32 bits */
  add(sha256Start: number): void {
    const mark = sha256Start & this.#mask
    const word = mark >>> 4
    const shift = 2 * (mark & 15)
    const marks = this.#marks[word] ?? 0
    const seen = (marks >>> shift) & ONCE
    this.#marks[word] = marks | ((seen === 0 ? ONCE : AGAIN) << shift)
  }

  /** False if it was added at most once. */
  has(sha256: ByteString): boolean {
    const mark = startOf(sha256) & this.#mask
    return (((this.#marks[mark >>> 4] ?? 0) >>> (2 * (mark & 15))) & AGAIN) !== 0
  }
}

function startOf(sha256: ByteString): number {
  const high = (sha256.charCodeAt(0) << 24) | (sha256.charCodeAt(1) << 16)
  return high | (sha256.charCodeAt(2) << 8) | sha256.charCodeAt(3)
}
