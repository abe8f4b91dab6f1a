/** Which package owns which file, for a whole distribution in a few megabytes, and the size of each package's files. */
import { isWithin, type PathKey } from '../../text/path.ts'
import { InodeSet } from './inode-set.ts'
import { npmDirectory } from './paths.ts'

/** Limit on the recorded paths in all: some 24 MB. */
const MAX_PATHS = 1 << 20
/** Limit on directories that are looked at for each file. */
const MAX_FOLDERS = 100

/**
 * Owners are numbered from 0. Paths are kept as 64-bit hashes in a chained hash table of typed arrays: 16 bytes per entry, and
 * 4 to 8 for the table.
 */
export class PackageOwners {
  readonly #limit: number
  readonly #numbers = new Map<string, number>()
  readonly #bytes: number[] = []
  /** Owners with more paths than there was room for. */
  readonly #cut = new Set<number>()
  readonly #directories = new Map<PathKey, number>()
  /** Directories of runtimes, which own all that is in them. */
  readonly #folders: { readonly directory: PathKey; readonly owner: number }[] = []
  readonly #counted = new InodeSet()

  /** The number of each chain's first entry, from 1; 0 for an empty chain. */
  #chains = new Uint32Array(1024)
  /** Four words per entry: two of the hash, the number of the next in the chain, the owner. */
  #entries = new Uint32Array(4 * 1024)
  #size = 0

  readonly #seed = crypto.getRandomValues(new Uint32Array(2))
  /** Hash of the current path. */
  #low = 0
  #high = 0

  constructor(limit = MAX_PATHS) {
    this.#limit = limit
  }

  /** The number of the owner of that name; a new name gets a new number. */
  owner(name: string): number {
    const known = this.#numbers.get(name)
    if (known !== undefined) return known
    const number = this.#bytes.push(0) - 1
    this.#numbers.set(name, number)
    return number
  }

  /** Undefined if there is no owner of that name. */
  find(name: string): number | undefined {
    return this.#numbers.get(name)
  }

  /** Records an owner's paths. Repeated paths count once; directories may be included and do not count. */
  add(owner: number, paths: Iterable<PathKey>): void {
    for (const path of paths) {
      if (this.#size === this.#limit) {
        this.#cut.add(owner)
        return
      }
      this.#add(path, owner)
    }
  }

  /** Records the directory of an npm package, which owns everything in it except nested packages. */
  addNpmDirectory(owner: number, directory: PathKey): void {
    this.#directories.set(directory, owner)
  }

  /** Records a directory whose files are all its owner's. */
  addFolder(owner: number, directory: PathKey): void {
    if (this.#folders.length < MAX_FOLDERS) this.#folders.push({ directory, owner })
  }

  /**
   * Counts a file of the merged file system for all owners of its path; an inode counts once.
   *
   * @returns those for whom it was counted
   */
  see(path: PathKey, inode: number | undefined, bytes: number): ReadonlySet<number> | undefined {
    const owners = this.#ownersOf(path)
    if (owners === undefined) return undefined
    if (inode !== undefined && !this.#counted.add(inode)) return undefined
    for (const owner of owners) this.#bytes[owner] = (this.#bytes[owner] ?? 0) + bytes
    return owners
  }

  /** The owners of a path; undefined if nobody owns it. */
  of(path: PathKey): ReadonlySet<number> | undefined {
    return this.#ownersOf(path)
  }

  /** The size of its files among those seen; undefined if some of its paths could not be recorded. */
  bytesOf(owner: number): number | undefined {
    return this.#cut.has(owner) ? undefined : this.#bytes[owner]
  }

  #ownersOf(path: PathKey): Set<number> | undefined {
    let owners: Set<number> | undefined
    const directory = this.#directories.size === 0 ? undefined : npmDirectory(path)
    const holder = directory === undefined ? undefined : this.#directories.get(directory)
    if (holder !== undefined) owners = new Set([holder])
    for (const { directory: folder, owner } of this.#folders)
      if (isWithin(path, folder)) owners = (owners ?? new Set()).add(owner)
    this.#hash(path)
    let number = this.#chains[this.#low & (this.#chains.length - 1)] ?? 0
    while (number !== 0) {
      const at = 4 * (number - 1)
      if (this.#entries[at] === this.#low && this.#entries[at + 1] === this.#high) {
        owners = (owners ?? new Set()).add(this.#entries[at + 3] ?? 0)
      }
      number = this.#entries[at + 2] ?? 0
    }
    return owners
  }

  #add(path: PathKey, owner: number): void {
    if (4 * this.#size === this.#entries.length) this.#grow()
    this.#hash(path)
    const at = 4 * this.#size++
    this.#entries[at] = this.#low
    this.#entries[at + 1] = this.#high
    this.#entries[at + 3] = owner
    this.#chain(at)
  }

  #chain(at: number): void {
    const chain = (this.#entries[at] ?? 0) & (this.#chains.length - 1)
    this.#entries[at + 2] = this.#chains[chain] ?? 0
    this.#chains[chain] = at / 4 + 1
  }

  #grow(): void {
    const entries = new Uint32Array(2 * this.#entries.length)
    entries.set(this.#entries)
    this.#entries = entries
    this.#chains = new Uint32Array(2 * this.#chains.length)
    for (let at = 0; at < 4 * this.#size; at += 4) this.#chain(at)
  }

  /** cyrb53's mixing. The seed is random, so that nobody can construct an image whose paths all collide. */
  #hash(path: PathKey): void {
    let low = this.#seed[0] ?? 0
    let high = this.#seed[1] ?? 0
    for (let i = 0; i < path.length; i++) {
      const byte = path.charCodeAt(i)
      low = Math.imul(low ^ byte, 0x9e37_79b1)
      high = Math.imul(high ^ byte, 0x5f35_6495)
    }
    low = Math.imul(low ^ (low >>> 16), 0x85eb_ca6b) ^ Math.imul(high ^ (high >>> 13), 0xc2b2_ae35)
    high = Math.imul(high ^ (high >>> 16), 0x85eb_ca6b) ^ Math.imul(low ^ (low >>> 13), 0xc2b2_ae35)
    this.#low = low >>> 0
    this.#high = high >>> 0
  }
}
