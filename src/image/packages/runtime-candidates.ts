/** Runtimes that files of an image tell, and which of them count: those that no package manager installed. */
import { RUNTIMES, type Runtime, runtimeAt } from '../../inside/runtimes.ts'
import { type PathKey, parentKey } from '../../text/path.ts'
import { InodeSet } from './inode-set.ts'

export type RuntimeFile = {
  readonly key: PathKey
  readonly bytes: number
  readonly layer: number
  readonly inode: number
}

export type FoundRuntime = RuntimeFile & {
  readonly runtime: Runtime
  readonly version: string
  /** The directory of the file. */
  readonly home: PathKey
}

const JAVAC = 'bin\0javac'
const BESIDE = [JAVAC, ...RUNTIMES.flatMap(({ beside }) => (beside === undefined ? [] : [beside]))]
/** Limit on both kinds of places that are held. */
const MAX_PLACES = 10_000

export class RuntimeCandidates {
  readonly #candidates: FoundRuntime[] = []
  readonly #beside = new Set<PathKey>()
  readonly #managed = new InodeSet()

  /** Call this with every path, files or not. */
  see(key: PathKey): void {
    for (const end of BESIDE) if (key.endsWith(end) && this.#beside.size < MAX_PLACES) this.#beside.add(key)
  }

  /** A package manager lists this file. */
  addManaged(inode: number): void {
    this.#managed.add(inode)
  }

  add(file: RuntimeFile, found: { readonly name: string; readonly version: string }): void {
    const runtime = runtimeAt(file.key)
    if (runtime?.name !== found.name || this.#candidates.length === MAX_PLACES) return
    this.#candidates.push({ ...file, runtime, version: found.version, home: parentKey(file.key) })
  }

  /** Directories of JDKs, whoever installed them. */
  jdks(): ReadonlySet<PathKey> {
    const homes = this.#candidates.filter(({ runtime }) => runtime.name === 'java').map(({ home }) => home)
    return new Set(homes.filter((home) => this.#beside.has(join(home, JAVAC))))
  }

  /** Those that count, in path order, an inode once. */
  *found(): Generator<FoundRuntime> {
    const listed = new Set<string>()
    for (const candidate of this.#candidates) {
      const { runtime, inode, home } = candidate
      const name = `${runtime.name}\0${inode}`
      if (this.#managed.has(inode) || listed.has(name)) continue
      if (runtime.beside !== undefined && !this.#beside.has(join(home, runtime.beside))) continue
      listed.add(name)
      yield candidate
    }
  }
}

function join(directory: PathKey, path: PathKey): PathKey {
  return directory === '' ? path : `${directory}\0${path}`
}
