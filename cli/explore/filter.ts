/** What a filter keeps of a listing: what fits, what is below it, and the folders above it. */
import { type Listing, ROOT } from './listing.ts'
import type { Matches } from './words.ts'

export class Filter {
  readonly #matches: Matches
  readonly #kept: Uint8Array
  /** Of folders: the sums of what is kept below them. What stays 0 takes no memory. */
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
      if (!this.keeps(row) || !listing.counts(row)) continue
      const parent = listing.parent(row)
      this.#bytes[parent] = (this.#bytes[parent] ?? 0) + this.bytes(row)
      this.#files[parent] = (this.#files[parent] ?? 0) + this.files(row)
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
    return this.listing.isFolder(row) ? (this.#bytes[row] ?? 0) : this.listing.bytes(row)
  }

  files(row: number): number {
    return this.listing.isFolder(row) ? (this.#files[row] ?? 0) : this.listing.files(row)
  }

  time(row: number): number {
    return this.listing.time(row)
  }
}
