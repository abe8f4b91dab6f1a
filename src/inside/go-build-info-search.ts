/** Looks for Go's build info in a program that passes piece by piece. */
import { BUILD_INFO_ALIGNMENT, findBuildInfo, type GoBuildInfo, parseBuildInfo } from './go-build-info.ts'

/** A mark that begins in one piece and ends in the next is found in between. */
const OVERLAP = BUILD_INFO_ALIGNMENT

export class BuildInfoSearch {
  /** The end of what has passed: at least a mark, or all from a mark on that is not complete. */
  #held: Uint8Array = new Uint8Array(0)
  /** Position of what is held in the file. */
  #start = 0
  /** The held bytes begin with a mark; it is looked at again when there are this many. */
  #enough = 0
  #found: GoBuildInfo | undefined

  push(piece: Uint8Array): void {
    if (this.#found !== undefined) return
    if (this.#enough === 0 && this.#held.length > 0 && piece.length >= 2 * OVERLAP) {
      // The seam first, without a copy of the piece.
      const { length } = this.#held
      const seam = Buffer.concat([this.#held, piece.subarray(0, OVERLAP)])
      if (findBuildInfo(seam, 0, this.#start) < 0) {
        this.#start += length
        this.#held = new Uint8Array(0)
        this.#search(piece, 'more comes')
        return
      }
    }
    const bytes = this.#held.length === 0 ? piece : Buffer.concat([this.#held, piece])
    if (bytes.length < this.#enough) this.#held = bytes
    else this.#search(bytes, 'more comes')
  }

  finish(): GoBuildInfo | undefined {
    if (this.#found === undefined) this.#search(this.#held, 'all there')
    return this.#found
  }

  /** @param bytes from `#start` on */
  #search(bytes: Uint8Array, state: 'more comes' | 'all there'): void {
    for (
      let at = findBuildInfo(bytes, 0, this.#start);
      at >= 0;
      at = findBuildInfo(bytes, at + 1, this.#start)
    ) {
      const info = parseBuildInfo(bytes.subarray(at))
      if (info === 'more' && state === 'more comes') {
        this.#keep(bytes, at)
        this.#enough = 2 * Math.max(64 * 1024, this.#held.length)
        return
      }
      if (info === undefined || info === 'more') continue
      this.#found = info
      this.#held = new Uint8Array(0)
      return
    }
    this.#enough = 0
    this.#keep(bytes, Math.max(0, bytes.length - OVERLAP))
  }

  #keep(bytes: Uint8Array, from: number): void {
    this.#start += from
    this.#held = bytes.slice(from)
  }
}
