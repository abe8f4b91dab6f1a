/** A list as one walks through it: rows in the order of their endpoint, asked for as they are needed. */
import { type ByteString, decodeText } from '../../src/text/bytes.ts'
import type { Sign } from './listing.ts'
import { WaitingKeys } from './waiting-keys.ts'
import { wordsOf } from './words.ts'

/** A file that a row is about. */
export type RowFile = {
  readonly path: ByteString
  /** The layer whose version it is; absent for what the image shows. */
  readonly layer?: number | undefined
  /** The version that the layers up to this one show. */
  readonly upTo?: number | undefined
  /** Whether it is in the second image. */
  readonly isIn2?: boolean
}

export type Row = {
  readonly cells: readonly string[]
  /** What is searched, and stands above the keys. */
  readonly name: string
  /** Undefined for a row without a size. */
  readonly bytes: number | undefined
  readonly sign?: Sign | undefined
  readonly file?: RowFile | undefined
  readonly layer?: number | undefined
  /** Its details as lines, with sentences wrapped at `columns`; absent if the row shows everything. */
  readonly about?: ((columns: number) => readonly string[]) | undefined
}

export type RowPage = { readonly rows: readonly Row[]; readonly next?: string | undefined }

type Sought = { readonly typed: string; readonly from: number; readonly onMissing: () => void }

export class ListPane {
  readonly #read: (cursor: string | undefined) => Promise<RowPage>
  #rows: Row[] = []
  #kept: readonly Row[] | undefined
  #filter: string | undefined
  #next: string | undefined
  #isReading = false
  #isComplete = false
  #wantsEnd = false
  /** What is looked for in rows that are still to be read. */
  #sought: Sought | undefined
  readonly #waiting = new WaitingKeys()
  index = 0
  /** The first row on the screen. */
  top = 0

  /** @param read reads a page */
  constructor(read: (cursor: string | undefined) => Promise<RowPage>) {
    this.#read = read
  }

  get rows(): readonly Row[] {
    return this.#kept ?? this.#rows
  }

  get selected(): Row | undefined {
    return this.rows[this.index]
  }

  get filter(): string | undefined {
    return this.#filter
  }

  get isReading(): boolean {
    return this.#isReading
  }

  /** Whether more should be read: the selection comes near the end. */
  needs(near: number): boolean {
    const wantsAll = this.#wantsEnd || this.#filter !== undefined || this.#sought !== undefined
    const isNear = wantsAll || this.index + near >= this.#rows.length
    return isNear && !this.#isReading && !this.#isComplete
  }

  async more(): Promise<void> {
    this.#isReading = true
    try {
      const { rows, next } = await this.#read(this.#next)
      this.#rows = [...this.#rows, ...rows]
      this.#next = next
      this.#isComplete = next === undefined
      this.#keep()
      if (this.#wantsEnd) this.index = Math.max(this.rows.length - 1, 0)
      this.#lookOn()
    } catch (error) {
      this.#isComplete = true
      this.stopSeeking()
      throw error
    } finally {
      this.#isReading = false
    }
  }

  /** Selects the row that matches next, also if it is still to be read. */
  seek(sought: Sought): void {
    this.#sought = sought
    this.#waiting.begin()
    this.#lookOn()
  }

  stopSeeking(): void {
    this.#sought = undefined
    this.#waiting.end()
  }

  whenFound(then: () => void): void {
    this.#waiting.whenFound(then)
  }

  #lookOn(): void {
    const { typed, from, onMissing } = this.#sought ?? {}
    if (typed === undefined || from === undefined) return
    const found = this.find(typed, from, 1)
    // What is before it comes last, when all rows are there.
    if (found < from && !this.#isComplete) return
    if (found < 0) onMissing?.()
    else this.index = found
    this.stopSeeking()
  }

  move(by: number): void {
    this.stopSeeking()
    this.#wantsEnd = by === Number.POSITIVE_INFINITY
    this.index = Math.max(Math.min(this.index + by, this.rows.length - 1), 0)
  }

  keepOnly(typed: string | undefined): void {
    const { selected } = this
    this.#filter = typed
    this.#keep()
    this.index = Math.max(selected === undefined ? 0 : this.rows.indexOf(selected), 0)
  }

  #keep(): void {
    const fits = this.#filter === undefined ? undefined : rowFilter(this.#filter)
    this.#kept = fits && this.#rows.filter(fits)
  }

  /** The row that matches next, around at the end; -1 if none does. */
  find(typed: string, from: number, step: 1 | -1): number {
    const fits = rowFilter(typed)
    const { rows } = this
    for (let i = 0; i < rows.length; i++) {
      const at = (from + step * i + rows.length * 2) % rows.length
      const row = rows[at]
      if (row !== undefined && fits(row)) return at
    }
    return -1
  }
}

function rowFilter(typed: string): (row: Row) => boolean {
  const words = wordsOf(typed)
  const fitsPath = (path: string) => words.fits(words.isPath ? path : path.slice(path.lastIndexOf('/') + 1))
  return ({ name, file }) => fitsPath(file === undefined ? name : decodeText(file.path).text)
}
