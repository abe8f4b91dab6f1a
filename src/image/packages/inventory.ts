/** The packages of an image, from the databases in its layers. */
import {
  type DatabaseSink,
  databaseKind,
  isPackageDatabase,
  type PackageDatabase,
} from '../../layer/database.ts'
import type { WantedMember } from '../../layer/members.ts'
import { Problem } from '../../problem.ts'
import { type PathKey, parentKey, showPath } from '../../text/path.ts'
import { LargestPaths } from '../largest.ts'
import type { MergedEntry } from '../merged-entry.ts'
import type { BuildTools, Package, PackageType } from '../report.ts'
import { isBuildTool } from './build-tools.ts'
import { type InsideFile, packagesInside, parseExamined } from './examined.ts'
import { type DatabaseContent, type FoundPackage, UnreadableDatabase } from './found.ts'
import { InodeSet } from './inode-set.ts'
import { type Distribution, readOsRelease } from './os-release.ts'
import { PackageOwners } from './owners.ts'
import { purlOf } from './purl.ts'
import { listOwner, ownerNames, readDatabase } from './read.ts'
import { RuntimeCandidates } from './runtime-candidates.ts'
import type { ShownDatabases } from './shown-databases.ts'
import { UnreadDatabases, type UnreadPlace } from './unread-databases.ts'

/** Limit for one image, two hundred times what large ones have. */
const MAX_PACKAGES = 200_000
/** Limit for the names of all packages in memory; large images need a tenth. */
const MAX_NAME_BYTES = 64 * 1024 * 1024
/** Memory for a package besides its name. */
const PACKAGE_BYTES = 100
/** Limit on what is known of the inside of files: what does not fit is left out, with a warning. */
const MAX_EXAMINED_BYTES = 64 * 1024 * 1024
const NOTHING: InsideFile = { packages: [], unreadable: [] }
/** A member shown at several paths is read for each path; a larger one only for the first. */
const MAX_REPEATED_BYTES = 1024 * 1024
/** Limit on members that are read from a layer's blob again: each is held whole, and is usually a `package.json`. */
const MAX_AGAIN_BYTES = 16 * 1024 * 1024

/** One database in a layer. */
export type DatabaseMember = {
  readonly key: PathKey
  /** Position among the members of the layer's tar. */
  readonly ordinal: number
  readonly bytes: number
  /** The content is what was found inside the file. */
  readonly isExamined?: boolean
  /** Can be read once, before the next member is requested; may be left unread. */
  readonly content: DatabaseContent
}

const MAX_LARGEST_TOOLS = 10

export type PackageName = { readonly type: PackageType; readonly name: string }

export type LayerDatabases = {
  /** Index of the layer, from 0. */
  readonly layer: number
  readonly members: AsyncIterable<DatabaseMember>
  /** Reads members of the layer's blob again, in the order of the tar. */
  readonly again?: ((members: readonly WantedMember[], sink: DatabaseSink) => Promise<void>) | undefined
}

/** Which layer added each package of a database, according to the version read last. */
type Version = { readonly broughtBy: Map<string, number>; nameBytes: number }

type Listed = {
  readonly found: FoundPackage
  /** Path of the database. */
  readonly key: PathKey
  /** The layer that added it. */
  readonly layer: number
  readonly owners: readonly string[]
  /** Present if the bytes are not those of the files that its owner has: absent ones are undefined. */
  readonly counted?: { readonly bytes: number | undefined }
}

/** A row of the merged file system. */
export type SeenRow = Pick<MergedEntry, 'key' | 'type' | 'bytes' | 'layer' | 'inode'> &
  Partial<Pick<MergedEntry, 'ordinal'>>

/** Owns the files that packages were found in, besides their own. */
const FOUND_IN = 'found in'
/** Files that these list are not runtimes besides. */
const MANAGERS: ReadonlySet<PackageType> = new Set<PackageType>(['deb', 'apk', 'rpm', 'alpm', 'conda'])

/**
 * Four steps, each over all data: `read` the databases of each layer, lowest layer first; if any file was examined, `survey` the
 * rows of the merged file system, for what is inside them; `see` them, to sum each package's files; `packages`.
 */
export class Inventory {
  readonly #shown: ShownDatabases
  readonly #owners = new PackageOwners()
  readonly #listed = new Map<string, Listed>()
  readonly #versions = new Map<PathKey, Version>()
  #nameBytes = 0
  /** Bytes of the packages that only a build needs. */
  #toolOwners: Set<number> | undefined
  #toolFiles = 0
  readonly #largestTools = new LargestPaths()
  #distribution: Distribution | undefined
  /** By the owner's number. */
  #types: ReadonlyMap<number, PackageType> | undefined
  #names: ReadonlyMap<number, PackageName> | undefined
  /** What is inside members, by layer and ordinal, as JSON: the values take several times as much memory. */
  readonly #examined = new Map<string, string>()
  readonly #symbolBytes = new Map<string, number>()
  #examinedBytes = 0
  readonly #runtimes = new RuntimeCandidates()
  #hasRuntimes = false
  readonly #surveyed = new InodeSet()
  readonly #unreadableArchives = new UnreadDatabases()
  readonly #leftOut = new UnreadDatabases()
  #ownedBytes = 0

  constructor(shown: ShownDatabases) {
    this.#shown = shown
  }

  /** @throws Problem `too_large` for more packages than any image has */
  async read(layer: number, member: DatabaseMember): Promise<void> {
    if (member.isExamined === true) {
      await this.#keepExamined(layer, member)
      return
    }
    const [key, ...others] = this.#shown.take(layer, member.ordinal)
    if (key === undefined) {
      if (this.#shown.has(member.key)) await this.#readHidden(layer, member)
      return
    }
    if (others.length === 0) {
      await this.#readShown(layer, key, member)
      return
    }
    if (member.bytes > MAX_REPEATED_BYTES) {
      await this.#readShown(layer, key, member)
      for (const other of others) this.#shown.unread.add(layer, other)
      return
    }
    const content: Uint8Array[] = []
    for await (const chunk of member.content) content.push(chunk.slice())
    for (const at of [key, ...others]) await this.#readShown(layer, at, { ...member, content })
  }

  /** Call this after the databases of the last layer. */
  finish(): void {
    for (const { layer, key } of this.#shown.left()) this.#shown.unread.add(layer, key)
  }

  /** Whether what is inside files must be found by {@link survey}. */
  get hasExamined(): boolean {
    return this.#examined.size > 0
  }

  /** Call this with every row of the merged file system, in path order, before the first is seen. */
  survey(row: SeenRow): void {
    const { key, type, bytes, layer, ordinal, inode = 0 } = row
    if (this.#hasRuntimes) this.#runtimes.see(key)
    if (type !== 'file') return
    if (this.#hasRuntimes && this.#isManaged(key)) this.#runtimes.addManaged(inode)
    const json = this.#examined.get(`${layer}/${ordinal}`)
    const examined = json === undefined ? undefined : parseExamined(json)
    if (examined === undefined) return
    if (examined.runtime !== undefined) this.#runtimes.add({ key, bytes, layer, inode }, examined.runtime)
    const isSeen = this.#surveyed.has(inode)
    const { packages, unreadable } = isSeen ? NOTHING : packagesInside(examined, { key, bytes })
    if (packages.length === 0 && unreadable.length === 0) return
    this.#surveyed.add(inode)
    if (!this.#hasRoomFor(packages)) {
      this.#leftOut.add(layer, key)
      return
    }
    for (const { found, key: place, bytes: own } of packages)
      this.#listInside({ found, key: place, layer, owners: [`inside/${key}`], counted: { bytes: own } })
    if (packages.length > 0) this.#own(`inside/${key}`, [key])
    for (const place of unreadable) this.#unreadableArchives.add(layer, place)
  }

  /** Call this after the last row was surveyed. */
  finishSurvey(): void {
    for (const { runtime, version, key, home, layer, bytes } of this.#runtimes.found()) {
      const owner = `runtime/${runtime.name}/${key}`
      const number = this.#owners.owner(owner)
      this.#owners.add(number, [key])
      if (runtime.bytes === 'folder') this.#owners.addFolder(number, home)
      const counted = { bytes: runtime.bytes === 'file' ? bytes : undefined }
      this.#listInside({
        found: { type: 'generic', name: runtime.name, version },
        key,
        layer,
        owners: [owner],
        ...(runtime.bytes === 'folder' ? {} : { counted }),
      })
    }
    this.#types = undefined
    this.#names = undefined
  }

  /** The members whose symbols can be stripped: their bytes, by layer and ordinal. */
  symbolBytes(layer: number, ordinal: number): number {
    return this.#symbolBytes.get(`${layer}/${ordinal}`) ?? 0
  }

  /** Directories of JDKs. Call it after the survey. */
  get jdks(): ReadonlySet<PathKey> {
    return this.#runtimes.jdks()
  }

  /** Bytes of the files that some package owns. */
  get ownedBytes(): number {
    return this.#ownedBytes
  }

  /** Whether some package owns a path. */
  owns(key: PathKey): boolean {
    return this.#owners.of(key) !== undefined
  }

  /** Archives that cannot be read. */
  get unreadableArchives(): readonly Readonly<UnreadPlace>[] {
    return this.#unreadableArchives.places
  }

  /** Files in which more was found than there is room for in all. */
  get leftOut(): readonly Readonly<UnreadPlace>[] {
    return this.#leftOut.places
  }

  /** Call this with every row of the merged file system, in path order: the first link of an inode counts. */
  see({ key, type, bytes, layer, inode }: SeenRow): void {
    if (type !== 'file') return
    this.#toolOwners ??= this.#findToolOwners()
    const owners = this.#owners.see(key, inode, bytes)
    if (owners !== undefined) this.#ownedBytes += bytes
    if (owners === undefined || this.#toolOwners.size === 0) return
    for (const owner of owners) {
      if (!this.#toolOwners.has(owner)) continue
      this.#toolFiles++
      this.#largestTools.add({ key, bytes, layer })
      return
    }
  }

  /** Bytes of compilers and headers; undefined if the image has neither. */
  buildTools(): BuildTools | undefined {
    let bytes = 0
    for (const owner of this.#toolOwners ?? []) bytes += this.#owners.bytesOf(owner) ?? 0
    if (bytes === 0) return undefined
    return { bytes, files: this.#toolFiles, largest: this.#largestTools.list().slice(0, MAX_LARGEST_TOOLS) }
  }

  /** By type, then by name, version, architecture and path. */
  packages(): Package[] {
    const sorted = [...this.#listed.values()].sort((a, b) => (sortingName(a) < sortingName(b) ? -1 : 1))
    return sorted.map((listed) => this.#describe(listed))
  }

  /** The type of the package that owns a path; undefined if none does. Call it after {@link finish}. */
  typeOf(key: PathKey): PackageType | undefined {
    this.#types ??= this.#findTypes()
    for (const owner of this.#owners.of(key) ?? []) {
      const type = this.#types.get(owner)
      if (type !== undefined) return type
    }
    return undefined
  }

  /** The first package, by type and name, that owns a file. Call it after {@link finish}. */
  packageOf(key: PathKey): PackageName | undefined {
    this.#names ??= this.#findNames()
    let first: PackageName | undefined
    for (const owner of this.#owners.of(key) ?? []) {
      const name = this.#names.get(owner)
      if (name !== undefined && (first === undefined || isBefore(name, first))) first = name
    }
    return first
  }

  /**
   * Which rows of the image's packages own a path. Call it after {@link finish}.
   *
   * @returns a filter for the rows
   */
  owning(key: PathKey): (row: Pick<Package, 'purl' | 'path'>) => boolean {
    const owners = this.#owners.of(key)
    const names = new Set<string>()
    for (const listed of owners === undefined ? [] : this.#listed.values()) {
      const owner = this.#ownerOf(listed)
      if (owner !== undefined && owners?.has(owner) === true) names.add(nameOf(this.#describe(listed)))
    }
    return (row) => names.has(nameOf(row))
  }

  /** In the order in which they were found. */
  get unread(): readonly Readonly<UnreadPlace>[] {
    return this.#shown.unread.places
  }

  async #readShown(layer: number, key: PathKey, member: DatabaseMember): Promise<void> {
    try {
      await this.#readAt(layer, key, member)
    } catch (error) {
      if (!isOfDatabase(error)) throw error
      this.#shown.unread.add(layer, key)
    }
  }

  async #readAt(layer: number, key: PathKey, member: DatabaseMember): Promise<void> {
    const kind = databaseKind(key)
    if (kind === undefined) return
    if (kind === 'osRelease') {
      this.#distribution ??= await readOsRelease(member.content)
      return
    }
    if (isPackageDatabase(kind)) {
      const list = (found: FoundPackage, by: number) => this.#list(kind, found, key, by)
      await this.#readVersion({ layer, key, kind }, member, list)
      return
    }
    const owner = listOwner(kind, key)
    for await (const finding of readDatabase(kind, key, member)) {
      if (finding.kind === 'files' && owner !== undefined) this.#own(owner, finding.paths)
    }
  }

  /** A version that a later one replaced still shows which packages existed before, if it can be read. */
  async #readHidden(layer: number, member: DatabaseMember): Promise<void> {
    const kind = databaseKind(member.key)
    if (kind === undefined || !isPackageDatabase(kind)) return
    try {
      await this.#readVersion({ layer, key: member.key, kind }, member)
    } catch (error) {
      if (!isOfDatabase(error)) throw error
    }
  }

  /**
   * A package that was in the previous version was added with it; one that disappeared in between counts as new.
   *
   * @param list receives what the image shows; returns the owner of the files that the database lists next
   */
  async #readVersion(
    { layer, key, kind }: { readonly layer: number; readonly key: PathKey; readonly kind: PackageDatabase },
    member: DatabaseMember,
    list?: (found: FoundPackage, by: number) => string | undefined,
  ): Promise<void> {
    const before = this.#versions.get(key)
    const version: Version = { broughtBy: new Map(), nameBytes: 0 }
    this.#versions.set(key, version)
    let owner: string | undefined
    for await (const finding of readDatabase(kind, key, member)) {
      if (finding.kind === 'files') {
        if (owner !== undefined) this.#own(owner, finding.paths)
        continue
      }
      const { found } = finding
      const name = `${found.name}\0${found.version}\0${found.architecture ?? ''}`
      const by = before?.broughtBy.get(name) ?? layer
      version.broughtBy.set(name, by)
      version.nameBytes += this.#hold(name.length + (found.license?.length ?? 0))
      owner = list?.(found, by)
    }
    this.#nameBytes -= before?.nameBytes ?? 0
  }

  /** @returns the memory that a package takes whose texts have this length */
  #hold(length: number): number {
    const bytes = PACKAGE_BYTES + length
    this.#nameBytes += bytes
    if (this.#nameBytes <= MAX_NAME_BYTES) return bytes
    throw tooLarge(`the names of the image's packages take more than ${MAX_NAME_BYTES} bytes`)
  }

  /** @returns the owner of the files that the database lists next */
  #list(kind: PackageDatabase, found: FoundPackage, key: PathKey, layer: number): string | undefined {
    const owners = ownerNames(kind, key, found)
    this.#listed.set(identity(found, key), { found, key, layer, owners })
    if (this.#listed.size > MAX_PACKAGES) {
      throw tooLarge(`the image has more than ${MAX_PACKAGES} packages`)
    }
    this.#own(FOUND_IN, [key])
    const [owner] = owners
    if (kind === 'npm' && owner !== undefined) {
      this.#owners.addNpmDirectory(this.#owners.owner(owner), parentKey(key))
    }
    return owner
  }

  /** What is inside one file is never the reason to refuse an image. */
  #hasRoomFor(packages: InsideFile['packages']): boolean {
    const bytes = packages.reduce((sum, { found }) => sum + PACKAGE_BYTES + found.name.length, 0)
    return this.#listed.size + packages.length <= MAX_PACKAGES && this.#nameBytes + bytes <= MAX_NAME_BYTES
  }

  #listInside(listed: Listed): void {
    this.#listed.set(`inside\0${this.#listed.size}`, listed)
    this.#hold(listed.found.name.length)
    if (this.#listed.size > MAX_PACKAGES) throw tooLarge(`the image has more than ${MAX_PACKAGES} packages`)
  }

  async #keepExamined(layer: number, { key, ordinal, bytes, content }: DatabaseMember): Promise<void> {
    if (this.#examinedBytes + bytes > MAX_EXAMINED_BYTES) {
      this.#leftOut.add(layer, key)
      return
    }
    this.#examinedBytes += bytes
    const pieces: Uint8Array[] = []
    for await (const piece of content) pieces.push(piece.slice())
    const json = Buffer.concat(pieces)
    const examined = parseExamined(json)
    if (examined === undefined) return
    this.#examined.set(`${layer}/${ordinal}`, json.toString())
    if (examined.symbolBytes !== undefined) this.#symbolBytes.set(`${layer}/${ordinal}`, examined.symbolBytes)
    this.#hasRuntimes ||= examined.runtime !== undefined
  }

  #isManaged(key: PathKey): boolean {
    this.#types ??= this.#findTypes()
    for (const owner of this.#owners.of(key) ?? []) {
      const type = this.#types.get(owner)
      if (type !== undefined && MANAGERS.has(type)) return true
    }
    return false
  }

  #own(owner: string, paths: Iterable<PathKey>): void {
    this.#owners.add(this.#owners.owner(owner), this.#resolved(paths))
  }

  *#resolved(paths: Iterable<PathKey>): Generator<PathKey> {
    for (const path of paths) yield this.#shown.resolve(path)
  }

  #findToolOwners(): Set<number> {
    const owners = new Set<number>()
    for (const listed of this.#listed.values()) {
      const owner = isBuildTool(listed.found) ? this.#ownerOf(listed) : undefined
      if (owner !== undefined) owners.add(owner)
    }
    return owners
  }

  #findTypes(): ReadonlyMap<number, PackageType> {
    const types = new Map<number, PackageType>()
    for (const listed of this.#listed.values()) {
      const owner = this.#ownerOf(listed)
      if (owner !== undefined) types.set(owner, listed.found.type)
    }
    return types
  }

  #findNames(): ReadonlyMap<number, PackageName> {
    const names = new Map<number, PackageName>()
    for (const listed of this.#listed.values()) {
      const owner = this.#ownerOf(listed)
      if (owner === undefined) continue
      const { type, name } = listed.found
      const known = names.get(owner)
      if (known === undefined || isBefore({ type, name }, known)) names.set(owner, { type, name })
    }
    return names
  }

  #ownerOf({ owners }: Listed): number | undefined {
    return owners.map((name) => this.#owners.find(name)).find((number) => number !== undefined)
  }

  #describe(listed: Listed): Package {
    const { found, key, layer } = listed
    const owner = this.#ownerOf(listed)
    const summed = owner === undefined ? undefined : this.#owners.bytesOf(owner)
    const bytes = listed.counted === undefined ? summed : listed.counted.bytes
    const { version, ...rest } = found
    return {
      ...rest,
      ...(version === '' ? {} : { version }),
      purl: purlOf(found, this.#distribution),
      ...(bytes === undefined ? {} : { bytes }),
      ...(hasPath(found) ? showPath(key) : {}),
      layer,
    }
  }
}

function nameOf({ purl, path = '' }: Pick<Package, 'purl' | 'path'>): string {
  return `${purl}\0${path}`
}

/** Reads the databases of all layers, given lowest first. */
export async function takeInventory(
  layers: Iterable<LayerDatabases>,
  shown: ShownDatabases,
): Promise<Inventory> {
  const inventory = new Inventory(shown)
  for (const { layer, members, again } of layers) {
    for await (const member of members) await inventory.read(layer, member)
    const linked = shown.linked(layer, MAX_AGAIN_BYTES)
    if (linked.length > 0) await again?.(linked, new ReadAgain(layer, inventory))
  }
  inventory.finish()
  return inventory
}

/** Passes each member to the inventory when it is complete. */
class ReadAgain implements DatabaseSink {
  readonly #layer: number
  readonly #inventory: Inventory
  #member: Omit<DatabaseMember, 'content'> | undefined
  #content: Uint8Array[] = []

  constructor(layer: number, inventory: Inventory) {
    this.#layer = layer
    this.#inventory = inventory
  }

  open(key: PathKey, bytes: number, ordinal: number): void {
    this.#member = { key, bytes, ordinal }
    this.#content = []
  }

  write(chunk: Uint8Array): void {
    this.#content.push(chunk.slice())
  }

  async close(): Promise<void> {
    if (this.#member === undefined) throw new Error('no member is open')
    await this.#inventory.read(this.#layer, { ...this.#member, content: this.#content })
  }
}

/** A fault in the database's bytes; all others come from the store or this program. */
function isOfDatabase(error: unknown): boolean {
  return error instanceof UnreadableDatabase || error instanceof RangeError
}

function tooLarge(detail: string): Problem {
  return new Problem('too_large', detail, { permanent: true })
}

/** What identifies a package: in dpkg its name and architecture, in rpm its name and version, elsewhere a path. */
function identity(found: FoundPackage, key: PathKey): string {
  const { type, name, version, architecture = '' } = found
  if (type === 'composer' || type === 'nuget') return `${type}\0${key}\0${name}\0${version}`
  if (hasPath(found)) return `${type}\0${key}`
  return [type, name, architecture, ...(type === 'rpm' ? [version] : [])].join('\0')
}

function sortingName({ found, key }: Listed): string {
  return [found.type, found.name, found.version, found.architecture ?? '', key].join('\0')
}

function isBefore(a: PackageName, b: PackageName): boolean {
  return a.type === b.type ? a.name < b.name : a.type < b.type
}

/** Whether the declaring file tells packages of one name apart. */
function hasPath({ type }: Pick<FoundPackage, 'type'>): boolean {
  return type !== 'deb' && type !== 'apk' && type !== 'rpm'
}
