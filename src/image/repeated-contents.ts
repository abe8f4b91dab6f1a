import type { ByteString } from '../text/bytes.ts'

const ONCE = 1
const AGAIN = 2

/**
 * Which contents can be there more than once: a few bits for each in place of its digest. What was seen once is distinguished
 * from what was seen again by a part of the digest, so a content that is there once is mistaken now and then, and one that
 * is there twice never.
 */
export class RepeatedContents {
  /** Two bits each, so that a look is one access to memory. */
  readonly #marks: Uint32Array
  readonly #mask: number

  /** @param most how many contents there can be: decides on the memory, 4 to 8 bytes for each, and on nothing else */
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

  /** False if it was added once at most. */
  has(sha256: ByteString): boolean {
    const mark = startOf(sha256) & this.#mask
    return (((this.#marks[mark >>> 4] ?? 0) >>> (2 * (mark & 15))) & AGAIN) !== 0
  }
}

function startOf(sha256: ByteString): number {
  const [a, b] = [sha256.charCodeAt(0) << 24, sha256.charCodeAt(1) << 16]
  return a | b | (sha256.charCodeAt(2) << 8) | sha256.charCodeAt(3)
}
