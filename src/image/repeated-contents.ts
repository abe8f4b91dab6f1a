import type { ByteString } from '../bytes.ts'

const ONCE = 1
const AGAIN = 2

/**
 * Which contents can be there more than once: a few bits for each in place of its digest. What was seen once is told apart
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

  /** @param sha256 32 bytes */
  add(sha256: ByteString): void {
    const mark = this.#mark(sha256)
    const word = mark >>> 4
    const shift = 2 * (mark & 15)
    const marks = this.#marks[word] ?? 0
    const seen = (marks >>> shift) & ONCE
    this.#marks[word] = marks | ((seen === 0 ? ONCE : AGAIN) << shift)
  }

  /** False where it was added once at most. */
  has(sha256: ByteString): boolean {
    const mark = this.#mark(sha256)
    return (((this.#marks[mark >>> 4] ?? 0) >>> (2 * (mark & 15))) & AGAIN) !== 0
  }

  #mark(sha256: ByteString): number {
    const first = sha256.charCodeAt(0) | (sha256.charCodeAt(1) << 8) | (sha256.charCodeAt(2) << 16)
    return (first | (sha256.charCodeAt(3) << 24)) & this.#mask
  }
}
