/** The packages of an image, out of the databases that its layers hold. */
import type { WasmModules } from '../../host.ts'
import { Problem } from '../../problem.ts'
import { type PathKey, parentKey, showPath } from '../../text/path.ts'
import { LargestPaths } from '../largest.ts'
import type { MergedEntry } from '../merged-entry.ts'
import type { BuildTools, Package } from '../report.ts'
import { isBuildTool } from './build-tools.ts'
import { type DatabaseMember, databaseKind, isPackageDatabase, type PackageDatabase } from './database.ts'
import type { FoundPackage } from './found.ts'
import { parseOsReleaseId } from './os-release.ts'
import { PackageOwners } from './owners.ts'
import { purlOf } from './purl.ts'
import { ownerNames, readFileList, readPackages } from './read.ts'
import type { ShownDatabases } from './shown-databases.ts'

/** Of one image; a hundred times what a large one has. */
const MAX_PACKAGES = 100_000

const MAX_LARGEST_TOOLS = 10

export type LayerDatabases = {
  /** Index of the layer, from 0. */
  readonly layer: number
  /** In any order; one at a time is held. */
  readonly members: AsyncIterable<DatabaseMember>
}

/** A database that the image shows and nobody can read: for a warning. */
export type UnreadableDatabase = { readonly layer: number; readonly key: PathKey }

type Listed = {
  readonly found: Omit<FoundPackage, 'files'>
  /** Of the database. */
  readonly key: PathKey
  /** The layer that brought it. */
  readonly layer: number
  readonly owners: readonly string[]
}

/**
 * Three steps, each over all of it: `read` the databases of each layer, lowest layer first; `see` the rows of the merged
 * file system, which sums what each package's files take; `packages`.
 */
export class Inventory {
  readonly #shown: ShownDatabases
  readonly #wasm: WasmModules
  readonly #owners = new PackageOwners()
  readonly #listed = new Map<string, Listed>()
  /** Of each database: the layer that brought each of its packages, as of the version that was read last. */
  readonly #brought = new Map<PathKey, ReadonlyMap<string, number>>()
  readonly #unreadable: UnreadableDatabase[] = []
  /** Of the packages that only a build needs. */
  #toolOwners: Set<number> | undefined
  #toolFiles = 0
  readonly #largestTools = new LargestPaths()
  #distribution: string | undefined

  constructor(shown: ShownDatabases, wasm: WasmModules) {
    this.#shown = shown
    this.#wasm = wasm
  }

  /** @throws Problem `too_large` for more packages than any image has */
  async read(layer: number, { key, ordinal, bytes }: DatabaseMember): Promise<void> {
    const shownAt = this.#shown.keysOf(layer, ordinal)
    for (const at of shownAt) await this.#readShown(layer, at, bytes)
    if (shownAt.length === 0 && this.#shown.has(key)) await this.#readHidden(layer, key, bytes)
  }

  /** To be called with every row of the merged file system, in path order: of an inode's links the first counts. */
  see({
    key,
    type,
    bytes,
    layer,
    inode,
  }: Pick<MergedEntry, 'key' | 'type' | 'bytes' | 'layer' | 'inode'>): void {
    if (type !== 'file') return
    this.#toolOwners ??= this.#findToolOwners()
    const owners = this.#owners.see(key, inode, bytes)
    if (owners === undefined || this.#toolOwners.size === 0) return
    for (const owner of owners) {
      if (!this.#toolOwners.has(owner)) continue
      this.#toolFiles++
      this.#largestTools.add({ key, bytes, layer })
      return
    }
  }

  /** What compilers and headers take; undefined where there are none. */
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

  /** In the order in which they were met. */
  get unreadable(): readonly UnreadableDatabase[] {
    return this.#unreadable
  }

  async #readShown(layer: number, key: PathKey, bytes: Uint8Array): Promise<void> {
    const kind = databaseKind(key)
    switch (kind) {
      case undefined:
        return
      case 'osRelease':
        this.#distribution ??= parseOsReleaseId(bytes)
        return
      case 'debFiles':
      case 'debSums':
      case 'pypiRecord':
      case 'pypiFiles': {
        const { owner, paths } = readFileList(kind, key, bytes)
        this.#own(owner, paths)
        return
      }
      default:
        try {
          await this.#readVersion(layer, key, kind, bytes, (found, by) => this.#list(kind, found, key, by))
        } catch (error) {
          if (error instanceof Problem) throw error
          this.#unreadable.push({ layer, key })
        }
    }
  }

  /** A version that a later one replaced still tells what was there before, if it can be read. */
  async #readHidden(layer: number, key: PathKey, bytes: Uint8Array): Promise<void> {
    const kind = databaseKind(key)
    if (kind === undefined || !isPackageDatabase(kind)) return
    await this.#readVersion(layer, key, kind, bytes, () => {}).catch(() => {})
  }

  /** A package that was in the version before came with it; one that was gone in between came anew. */
  async #readVersion(
    layer: number,
    key: PathKey,
    kind: PackageDatabase,
    bytes: Uint8Array,
    take: (found: FoundPackage, by: number) => void,
  ): Promise<void> {
    const before = this.#brought.get(key)
    const brought = new Map<string, number>()
    this.#brought.set(key, brought)
    for await (const found of readPackages(kind, key, bytes, this.#wasm)) {
      const name = `${found.name}\0${found.version}\0${found.architecture ?? ''}`
      const by = before?.get(name) ?? layer
      brought.set(name, by)
      take(found, by)
    }
  }

  #list(kind: PackageDatabase, found: FoundPackage, key: PathKey, layer: number): void {
    const { files, ...told } = found
    const owners = ownerNames(kind, key, found)
    this.#listed.set(identity(found, key), { found: told, key, layer, owners })
    if (this.#listed.size > MAX_PACKAGES) {
      throw new Problem('too_large', `the image has more than ${MAX_PACKAGES} packages`, { lasting: true })
    }
    const [owner] = owners
    if (owner === undefined) return
    if (files !== undefined) this.#own(owner, files)
    if (kind === 'npm') this.#owners.addNpmDirectory(this.#owners.owner(owner), parentKey(key))
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

  #ownerOf({ owners }: Listed): number | undefined {
    return owners.map((name) => this.#owners.find(name)).find((number) => number !== undefined)
  }

  #describe(listed: Listed): Package {
    const { found, key, layer } = listed
    const owner = this.#ownerOf(listed)
    const bytes = owner === undefined ? undefined : this.#owners.bytesOf(owner)
    return {
      ...found,
      purl: purlOf(found, this.#distribution),
      ...(bytes === undefined ? {} : { bytes }),
      ...(isOneFileEach(found) ? showPath(key) : {}),
      layer,
    }
  }
}

/** Reads the databases of all layers, given lowest first. */
export async function takeInventory(
  layers: Iterable<LayerDatabases>,
  shown: ShownDatabases,
  wasm: WasmModules,
): Promise<Inventory> {
  const inventory = new Inventory(shown, wasm)
  if (shown.size === 0) return inventory
  for (const { layer, members } of layers) {
    for await (const member of members) await inventory.read(layer, member)
  }
  return inventory
}

/** What is one package: dpkg has a name once for each architecture, rpm several versions of one, npm and pypi a path. */
function identity(found: FoundPackage, key: PathKey): string {
  const { type, name, version, architecture = '' } = found
  if (isOneFileEach(found)) return `${type}\0${key}`
  return [type, name, architecture, ...(type === 'rpm' ? [version] : [])].join('\0')
}

function sortingName({ found, key }: Listed): string {
  return [found.type, found.name, found.version, found.architecture ?? '', key].join('\0')
}

function isOneFileEach({ type }: Pick<FoundPackage, 'type'>): boolean {
  return type === 'npm' || type === 'pypi'
}
