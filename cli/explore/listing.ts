/**
 * The paths of a file system in little memory: a million of them in some 50 MB. Rows are numbered; a folder's row is before those
 * in it. Folders may be known without what is in them, until someone asks.
 */
import { MEMBER_TYPES, type MemberType } from '../../src/tar/member.ts'
import { type ByteString, decodeText } from '../../src/text/bytes.ts'

/** What a layer did to a path. */
export type Sign = '+' | '~' | '-'
const SIGNS: readonly (Sign | undefined)[] = [undefined, '+', '~', '-']

export const ROOT = 0
const NONE = -1
/** Times take 4 bytes each: from 1901 to 2038, which is enough to sort by. */
const EARLIEST = -(2 ** 31)
const LATEST = 2 ** 31 - 1
const DIRECTORY = MEMBER_TYPES.indexOf('directory')

export type Path = {
  /** Its last part. */
  readonly name: ByteString
  readonly type: MemberType
  /** Of a folder: of all below it, or 0 if {@link Listing.sum} will add it up. */
  readonly bytes: number
  readonly files: number
  /** Seconds since 1970, kept as whole ones. */
  readonly time?: number
  readonly sign?: Sign | undefined
}

export class Listing {
  #names = Buffer.alloc(4_096)
  #starts = new Uint32Array(64)
  #parents = new Int32Array(64)
  /** What was added to a folder last, and what to its folder before a row: ROOT, which is in no folder, if nothing. */
  #newest = new Int32Array(64)
  #older = new Int32Array(64)
  #bytes = new Float64Array(64)
  #files = new Int32Array(64)
  #times = new Int32Array(64)
  #types = new Uint8Array(64)
  #signs = new Uint8Array(64)
  #known = new Uint8Array(64)
  #length = 0
  /** Whether all that is below every folder is known. */
  readonly isWhole: boolean

  /** @param expected how many paths are likely to be added */
  constructor({ isWhole, expected = 0 }: { readonly isWhole: boolean; readonly expected?: number }) {
    this.isWhole = isWhole
    if (expected > 64) this.#grow(expected + 2)
    this.add(NONE, { name: '', type: 'directory', bytes: 0, files: 0 })
  }

  get length(): number {
    return this.#length
  }

  /** @returns its number */
  add(parent: number, { name, type, bytes, files, time = 0, sign }: Path): number {
    const row = this.#length
    if (row + 2 > this.#parents.length) this.#grow(2 * row)
    const start = this.#starts[row] ?? 0
    if (start + name.length > this.#names.length) {
      const names = Buffer.alloc(2 * (start + name.length))
      this.#names.copy(names, 0, 0, start)
      this.#names = names
    }
    this.#names.write(name, start, 'latin1')
    this.#starts[row + 1] = start + name.length
    this.#parents[row] = parent
    this.#bytes[row] = bytes
    this.#files[row] = files
    this.#times[row] = Math.max(EARLIEST, Math.min(time, LATEST))
    this.#types[row] = MEMBER_TYPES.indexOf(type)
    // What stays 0 takes no memory.
    if (sign !== undefined) this.#signs[row] = SIGNS.indexOf(sign)
    this.#length = row + 1
    if (parent !== NONE) {
      this.#older[row] = this.#newest[parent] ?? ROOT
      this.#newest[parent] = row
    }
    return row
  }

  #grow(rows: number): void {
    const grown = <T extends { set(from: T): void }>(from: T, make: (length: number) => T): T => {
      const to = make(rows)
      to.set(from)
      return to
    }
    this.#starts = grown(this.#starts, (length) => new Uint32Array(length))
    this.#parents = grown(this.#parents, (length) => new Int32Array(length))
    this.#newest = grown(this.#newest, (length) => new Int32Array(length))
    this.#older = grown(this.#older, (length) => new Int32Array(length))
    this.#bytes = grown(this.#bytes, (length) => new Float64Array(length))
    this.#files = grown(this.#files, (length) => new Int32Array(length))
    this.#times = grown(this.#times, (length) => new Int32Array(length))
    this.#types = grown(this.#types, (length) => new Uint8Array(length))
    this.#signs = grown(this.#signs, (length) => new Uint8Array(length))
    this.#known = grown(this.#known, (length) => new Uint8Array(length))
  }

  /** Adds up what is below each folder. */
  sum(): void {
    for (let row = this.#length - 1; row > ROOT; row--) {
      const parent = this.#parents[row] ?? ROOT
      if (!this.counts(row)) continue
      this.#bytes[parent] = (this.#bytes[parent] ?? 0) + (this.#bytes[row] ?? 0)
      this.#files[parent] = (this.#files[parent] ?? 0) + (this.#files[row] ?? 0)
    }
  }

  /** Whether its bytes are part of its folder's: what is removed is only part of a folder that is removed too. */
  counts(row: number): boolean {
    return this.sign(row) !== '-' || this.sign(this.parent(row)) === '-'
  }

  /** Says that all that is directly in this folder was added. */
  setKnown(row: number): void {
    this.#known[row] = 1
  }

  /** Whether what is in this folder was added. */
  isKnown(row: number): boolean {
    return this.isWhole || this.#known[row] === 1
  }

  setSize(row: number, { bytes, files }: Pick<Path, 'bytes' | 'files'>): void {
    this.#bytes[row] = bytes
    this.#files[row] = files
  }

  /** Makes a folder of what was added as something else, since something is below it. */
  setFolder(row: number): void {
    this.#types[row] = DIRECTORY
  }

  setSign(row: number, sign: Sign | undefined): void {
    this.#signs[row] = SIGNS.indexOf(sign)
  }

  parent(row: number): number {
    return this.#parents[row] ?? NONE
  }

  isFolder(row: number): boolean {
    return this.#types[row] === DIRECTORY
  }

  type(row: number): MemberType {
    return MEMBER_TYPES[this.#types[row] ?? 0] ?? 'other'
  }

  bytes(row: number): number {
    return this.#bytes[row] ?? 0
  }

  files(row: number): number {
    return this.#files[row] ?? 0
  }

  time(row: number): number {
    return this.#times[row] ?? 0
  }

  sign(row: number): Sign | undefined {
    return SIGNS[this.#signs[row] ?? 0]
  }

  name(row: number): ByteString {
    return this.#names.toString('latin1', this.#starts[row], this.#starts[row + 1])
  }

  /** The bytes of all names, and where that of a row begins and ends: for those who look at all of them. */
  nameBytes(): { readonly bytes: Uint8Array; readonly starts: Uint32Array } {
    return { bytes: this.#names, starts: this.#starts }
  }

  /** Its path, without a leading `/`; the root's is empty. */
  path(row: number): ByteString {
    const parts: ByteString[] = []
    for (let at = row; at > ROOT; at = this.parent(at)) parts.push(this.name(at))
    return parts.reverse().join('/')
  }

  depth(row: number): number {
    let depth = 0
    for (let at = row; at > ROOT; at = this.parent(at)) depth++
    return depth
  }

  /** What is directly in a folder, in path order. */
  children(row: number): Int32Array {
    const newest = this.#newest[row] ?? ROOT
    let count = 0
    for (let at = newest; at !== ROOT; at = this.#older[at] ?? ROOT) count++
    const children = new Int32Array(count)
    for (let at = newest; at !== ROOT; at = this.#older[at] ?? ROOT) children[--count] = at
    return children
  }

  /** The row of a path, or of the deepest folder above it that is here. */
  nearest(path: ByteString): number {
    let row = ROOT
    for (const part of path === '' ? [] : path.split('/')) {
      const child = this.#child(row, part)
      if (child === undefined) return row
      row = child
    }
    return row
  }

  /** The row of a path; undefined if it is not here. */
  find(path: ByteString): number | undefined {
    const row = this.nearest(path)
    return this.path(row) === path ? row : undefined
  }

  #child(row: number, name: ByteString): number | undefined {
    for (let at = this.#newest[row] ?? ROOT; at !== ROOT; at = this.#older[at] ?? ROOT) {
      const isSameLength = (this.#starts[at + 1] ?? 0) - (this.#starts[at] ?? 0) === name.length
      if (isSameLength && this.name(at) === name) return at
    }
    return undefined
  }

  /** The name as text; bytes that are not UTF-8 become U+FFFD. */
  text(row: number): string {
    return decodeText(this.name(row)).text
  }
}
