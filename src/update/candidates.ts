/** Files whose contents the old image may show at another path: some 20 bytes for each, up to a limit. */
import type { ByteString } from '../text/bytes.ts'
import type { PathKey } from '../text/path.ts'

export type Candidate = {
  readonly layer: number
  readonly bytes: number
  /** Of an archive that the old image has in another version. */
  readonly archive: PathKey | undefined
  readonly isMoved: boolean
}

const MAX_FILES = 1 << 20
const MAX_NAME_BYTES = 4 * 1024 * 1024

/** A chained hash table in typed arrays. Two digests count as equal if their first 64 bits are. */
export class Candidates {
  /** By the low bits of the digest: the number of the chain's first file, from 1. */
  readonly #chains = new Uint32Array(MAX_FILES)
  /** For each file: two words of its digest, the next in the chain, its layer. */
  #files = new Uint32Array(4 * 1024)
  #bytes = new Float64Array(1024)
  #moved = new Uint8Array(1024)
  readonly #archives = new Map<number, PathKey>()
  #nameBytes = 0
  #count = 0

  get count(): number {
    return this.#count
  }

  get isFull(): boolean {
    return this.#count === MAX_FILES || this.#nameBytes > MAX_NAME_BYTES
  }

  add(sha256: ByteString, file: Omit<Candidate, 'isMoved'>): void {
    const number = this.#count++
    if (number === this.#bytes.length) this.#grow()
    const [low, high] = wordsOf(sha256)
    const at = 4 * number
    const chain = low & (MAX_FILES - 1)
    this.#files[at] = low
    this.#files[at + 1] = high
    this.#files[at + 2] = this.#chains[chain] ?? 0
    this.#files[at + 3] = file.layer
    this.#chains[chain] = number + 1
    this.#bytes[number] = file.bytes
    if (file.archive === undefined) return
    this.#archives.set(number, file.archive)
    this.#nameBytes += file.archive.length
  }

  /** The old image shows this content. */
  see(sha256: ByteString): void {
    const [low, high] = wordsOf(sha256)
    let number = this.#chains[low & (MAX_FILES - 1)] ?? 0
    while (number !== 0) {
      const at = 4 * (number - 1)
      if (this.#files[at] === low && this.#files[at + 1] === high) this.#moved[number - 1] = 1
      number = this.#files[at + 2] ?? 0
    }
  }

  /** Yields all files and forgets them. */
  *take(): Generator<Candidate> {
    for (let number = 0; number < this.#count; number++) {
      yield {
        layer: this.#files[4 * number + 3] ?? 0,
        bytes: this.#bytes[number] ?? 0,
        archive: this.#archives.get(number),
        isMoved: this.#moved[number] === 1,
      }
    }
    this.#chains.fill(0)
    this.#moved.fill(0)
    this.#archives.clear()
    this.#nameBytes = 0
    this.#count = 0
  }

  #grow(): void {
    const [files, bytes, moved] = [this.#files, this.#bytes, this.#moved]
    this.#files = new Uint32Array(2 * files.length)
    this.#bytes = new Float64Array(2 * bytes.length)
    this.#moved = new Uint8Array(2 * moved.length)
    this.#files.set(files)
    this.#bytes.set(bytes)
    this.#moved.set(moved)
  }
}

function wordsOf(sha256: ByteString): readonly [low: number, high: number] {
  return [wordAt(sha256, 0), wordAt(sha256, 4)]
}

function wordAt(text: ByteString, at: number): number {
  const high = (text.charCodeAt(at) << 24) | (text.charCodeAt(at + 1) << 16)
  return (high | (text.charCodeAt(at + 2) << 8) | text.charCodeAt(at + 3)) >>> 0
}
