/** What people type to search and filter: a part of a name, of a path if it has a `/`, or a glob. */
import { Problem } from '../../src/problem.ts'
import { decodeText } from '../../src/text/bytes.ts'
import { compileGlobs } from '../../src/text/glob.ts'
import { type Listing, ROOT } from './listing.ts'

const GLOB = /[*?[{]/
const NO_ASCII = /[^\x20-\x7e]/

/** Whether a text, or if there is a `/` a path, is meant. */
export type Words = {
  readonly isPath: boolean
  /** @param text a name, or a path without a leading `/`; a folder's ends in one */
  fits(text: string): boolean
  /** In lower case, if it is a part of a name and plain ASCII. */
  readonly plain: string | undefined
}

export function wordsOf(typed: string): Words {
  const isPath = typed.includes('/')
  const glob = GLOB.test(typed) ? compiled(typed.replace(/^\/|\/$/g, '')) : undefined
  if (glob !== undefined) return { isPath, plain: undefined, fits: (text) => glob(text.replace(/\/$/, '')) }
  const part = typed.toLowerCase()
  const plain = isPath || NO_ASCII.test(part) ? undefined : part
  if (isPath) return { isPath, plain, fits: (text) => `/${text}`.toLowerCase().includes(part) }
  return { isPath, plain, fits: (text) => text.toLowerCase().includes(part) }
}

/** Undefined for an invalid glob, or one that is not whole yet. */
function compiled(typed: string): ((path: string) => boolean) | undefined {
  try {
    return compileGlobs([typed])
  } catch (error) {
    if (error instanceof Problem) return undefined
    throw error
  }
}

/** Rows between two looks at the clock. */
const ROWS_AT_ONCE = 2_000

/** The rows that words fit: looked for piece by piece, so that nobody has to wait. */
export class Matches {
  readonly listing: Listing
  readonly #words: Words
  readonly #flags: Uint8Array
  #at = ROOT + 1
  /** Of the folders above the row that was looked at last. */
  readonly #above: { readonly row: number; readonly path: string }[] = [{ row: ROOT, path: '' }]

  constructor(listing: Listing, words: Words) {
    this.listing = listing
    this.#words = words
    this.#flags = new Uint8Array(listing.length)
  }

  get isDone(): boolean {
    return this.#at >= this.listing.length
  }

  /** @param until in milliseconds, of `performance.now()` */
  work(until: number): void {
    while (!this.isDone && performance.now() < until) {
      const end = Math.min(this.#at + ROWS_AT_ONCE, this.listing.length)
      if (this.#words.plain !== undefined) this.#lookAtBytes(end, Buffer.from(this.#words.plain))
      else this.#look(end)
      this.#at = end
    }
  }

  fits(row: number): boolean {
    return ((this.#flags[row] ?? 0) & 1) !== 0
  }

  /** Whether something below it fits. */
  isAbove(row: number): boolean {
    return ((this.#flags[row] ?? 0) & 2) !== 0
  }

  #mark(row: number): void {
    this.#flags[row] = (this.#flags[row] ?? 0) | 1
    for (let at = this.listing.parent(row); at >= ROOT && !this.isAbove(at); at = this.listing.parent(at))
      this.#flags[at] = (this.#flags[at] ?? 0) | 2
  }

  #lookAtBytes(end: number, part: Uint8Array): void {
    const { bytes, starts } = this.listing.nameBytes()
    const [first = 0] = part
    for (let row = this.#at; row < end; row++) {
      const last = (starts[row + 1] ?? 0) - part.length
      for (let at = starts[row] ?? 0; at <= last; at++) {
        if (LOWER[bytes[at] ?? 0] !== first) continue
        let i = 1
        while (i < part.length && LOWER[bytes[at + i] ?? 0] === part[i]) i++
        if (i < part.length) continue
        this.#mark(row)
        break
      }
    }
  }

  #look(end: number): void {
    const { listing } = this
    for (let row = this.#at; row < end; row++) {
      const name = decodeText(listing.name(row)).text
      const text = this.#words.isPath ? this.#pathOf(row, name) : name
      if (this.#words.fits(text)) this.#mark(row)
    }
  }

  #pathOf(row: number, name: string): string {
    const parent = this.listing.parent(row)
    while ((this.#above.at(-1)?.row ?? parent) !== parent) this.#above.pop()
    // Rows that were added folder by folder have no such order.
    const above = this.#above.at(-1)?.path ?? folderPath(this.listing, parent)
    const path = `${above}${name}`
    if (!this.listing.isFolder(row)) return path
    this.#above.push({ row, path: `${path}/` })
    return `${path}/`
  }
}

function folderPath(listing: Listing, row: number): string {
  return row === ROOT ? '' : `${decodeText(listing.path(row)).text}/`
}

/** Each byte in lower case. */
const LOWER = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte,
)
