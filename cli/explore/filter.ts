/** What a filter keeps of a listing: what fits, what is below it, and the folders above it. */
import { type Listing, ROOT } from './listing.ts'
import type { Matches } from './words.ts'

export class Filter {
  readonly #matches: Matches
  readonly #kept: Uint8Array
  readonly #bytes: Float64Array
  readonly #files: Int32Array

  /** @param matches of all rows */
  constructor(matches: Matches) {
    const { listing } = matches
    this.#matches = matches
    this.#kept = new Uint8Array(listing.length)
    this.#bytes = new Float64Array(listing.length)
    this.#files = new Int32Array(listing.length)
    // A folder is before what is in it.
    for (let row = ROOT + 1; row < listing.length; row++)
      if (matches.fits(row) || this.#kept[listing.parent(row)] === 1) this.#kept[row] = 1
    for (let row = listing.length - 1; row > ROOT; row--) {
      if (!this.keeps(row)) continue
      if (!listing.isFolder(row)) {
        this.#bytes[row] = listing.bytes(row)
        this.#files[row] = listing.files(row)
      }
      if (!listing.counts(row)) continue
      const parent = listing.parent(row)
      this.#bytes[parent] = (this.#bytes[parent] ?? 0) + (this.#bytes[row] ?? 0)
      this.#files[parent] = (this.#files[parent] ?? 0) + (this.#files[row] ?? 0)
    }
  }

  get listing(): Listing {
    return this.#matches.listing
  }

  keeps(row: number): boolean {
    return row === ROOT || this.#kept[row] === 1 || this.#matches.isAbove(row)
  }

  /** Folders above what fits are open. */
  opens(row: number): boolean {
    return this.#matches.isAbove(row)
  }

  bytes(row: number): number {
    return this.#bytes[row] ?? 0
  }

  files(row: number): number {
    return this.#files[row] ?? 0
  }

  time(row: number): number {
    return this.listing.time(row)
  }
}
