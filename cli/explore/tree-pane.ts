/** The tree as one walks through it: what is open, what is selected, and in which order. */
import type { ByteString } from '../../src/text/bytes.ts'
import type { Filter } from './filter.ts'
import { Listing, ROOT } from './listing.ts'
import { type Figures, LARGEST_FIRST, type Order, type Sort, sorted } from './order.ts'

export class TreePane {
  #listing = new Listing({ isWhole: false })
  #filter: Filter | undefined
  #order: Order = LARGEST_FIRST
  #selected = ROOT
  /** Paths of the open folders, so that they stay open in another listing. */
  #open = new Set<ByteString>([''])
  readonly #children = new Map<number, Int32Array>()
  #rows: Int32Array | undefined
  #index = 0
  /** The first row on the screen. */
  top = 0

  get listing(): Listing {
    return this.#listing
  }

  get filter(): Filter | undefined {
    return this.#filter
  }

  get order(): Order {
    return this.#order
  }

  get selected(): number {
    return this.#selected
  }

  /** Sizes as they are shown. */
  get figures(): Figures {
    return this.#filter ?? this.#listing
  }

  /** The rows that open folders show, from the root on. */
  get rows(): Int32Array {
    this.#rows ??= this.#flatten()
    return this.#rows
  }

  /** The place of the selected row in {@link rows}. */
  get index(): number {
    const { rows } = this
    if (rows[this.#index] !== this.#selected) this.#index = Math.max(rows.indexOf(this.#selected), 0)
    return this.#index
  }

  /** Shows another listing: the same folders are open, the same path or the nearest is selected. */
  show(listing: Listing): void {
    const path = this.#listing.path(this.#selected)
    this.#listing = listing
    this.#filter = undefined
    this.#selected = listing.nearest(path)
    this.#forget()
  }

  /** Shows only what the filter keeps, or all again. */
  keepOnly(filter: Filter | undefined): void {
    this.#filter = filter
    if (filter !== undefined)
      while (!filter.keeps(this.#selected)) this.#selected = this.#listing.parent(this.#selected)
    this.#forget()
    this.reveal(this.#selected)
  }

  /** By this, largest, newest or first first; again: reversed. */
  sortBy(sort: Sort): void {
    this.#order = { sort, isReversed: this.#order.sort === sort && !this.#order.isReversed }
    this.#forget()
  }

  /** To be called when rows were added to the listing. */
  refresh(): void {
    this.#forget()
  }

  #forget(): void {
    this.#children.clear()
    this.#rows = undefined
  }

  isOpen(row: number): boolean {
    return this.#listing.isFolder(row) && (this.#open.has(this.#listing.path(row)) || this.#isOpenedBy(row))
  }

  #isOpenedBy(row: number): boolean {
    return this.#filter?.opens(row) === true && !this.#closed.has(this.#listing.path(row))
  }

  /** Folders that a filter opens, but were closed by hand since. */
  readonly #closed = new Set<ByteString>()

  open(row: number): void {
    const path = this.#listing.path(row)
    this.#open.add(path)
    this.#closed.delete(path)
    this.#rows = undefined
  }

  close(row: number): void {
    const path = this.#listing.path(row)
    this.#open.delete(path)
    if (this.#filter !== undefined) this.#closed.add(path)
    this.#rows = undefined
  }

  /** What is in a folder, in order. */
  children(row: number): Int32Array {
    let children = this.#children.get(row)
    if (children === undefined) {
      const all = this.#listing.children(row)
      const filter = this.#filter
      const kept = filter === undefined ? all : all.filter((child) => filter.keeps(child))
      children = sorted(kept, this.#order, this.figures)
      this.#children.set(row, children)
    }
    return children
  }

  #flatten(): Int32Array {
    const rows: number[] = []
    const put = (row: number): void => {
      rows.push(row)
      if (this.isOpen(row)) for (const child of this.children(row)) put(child)
    }
    put(ROOT)
    return Int32Array.from(rows)
  }

  /** By this many rows, as far as there are any. */
  move(by: number): void {
    const { rows } = this
    const to = Math.min(Math.max(this.index + by, 0), rows.length - 1)
    this.#index = to
    this.#selected = rows[to] ?? ROOT
  }

  select(row: number): void {
    this.#selected = row
    this.reveal(row)
  }

  /** Opens the folders above a row. */
  reveal(row: number): void {
    for (let at = this.#listing.parent(row); at >= ROOT; at = this.#listing.parent(at))
      if (!this.isOpen(at)) this.open(at)
  }

  /** Which folders are open, to come back to. */
  opened(): ReadonlySet<ByteString> {
    return new Set(this.#open)
  }

  reopen(paths: ReadonlySet<ByteString>): void {
    this.#open = new Set(paths)
    this.#rows = undefined
  }

  /** Closes the selected folder, or goes to the one above. */
  closeOrLeave(): void {
    if (this.#selected !== ROOT && this.isOpen(this.#selected)) this.close(this.#selected)
    else if (this.#selected === ROOT) this.close(ROOT)
    else this.#selected = this.#listing.parent(this.#selected)
  }
}
