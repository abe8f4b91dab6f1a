/**
 * What the tags of a repository lead to: manifests, configs and layers, each digest once. It fills while the tags are read, and
 * holds numbers instead of digests wherever it can, since a repository of a thousand tags leads to tens of thousands of blobs.
 */
import type { Descriptor } from '../oci/manifest.ts'
import { Problem } from '../problem.ts'
import type { StoredConfig } from './stored-manifest.ts'

/** An image that a tag leads to. */
export type StoredImage = {
  readonly config?: Descriptor
  /** From the annotation of its manifest. */
  readonly created?: string
}

/** A manifest with everything that it leads to. */
export type Tree = {
  /** Numbers of the contents, each once. */
  readonly contents: Int32Array
  /** Levels of indexes above the lowest manifest: 0 for an image. */
  readonly height: number
  /** The image for `linux/amd64`, and the first one. */
  readonly amd64?: StoredImage
  readonly first?: StoredImage
}

export type ReadTag = {
  readonly digest: string
  readonly contents: Int32Array
  readonly created?: string | undefined
}

/** A tag that was read, or why it could not be. */
export type LedgerTag = ReadTag | { readonly problem: Problem }

/** What a repository of a thousand tags for ten platforms leads to. Past it, tags that are left are not read. */
const MAX_CONTENTS = 50_000
/** How many numbers all trees have together. */
const MAX_REFERENCES = 500_000

const CONTENT_BYTES = 180
const TREE_BYTES = 500
const TAG_BYTES = 300

export class Ledger {
  /** In natural order. */
  readonly names: readonly string[]
  readonly tags = new Map<string, LedgerTag>()
  /** By digest. */
  readonly trees = new Map<string, Tree>()
  readonly configs = new Map<string, StoredConfig>()
  readonly #numbers = new Map<string, number>()
  readonly #sizes: number[] = []
  readonly #manifests = new Set<number>()
  #references = 0

  constructor(names: readonly string[]) {
    this.names = names
  }

  /** Tags that have not been read, in order. */
  get left(): readonly string[] {
    return this.names.filter((name) => !this.tags.has(name))
  }

  /** Bytes that it takes, roughly. */
  get memoryBytes(): number {
    return (
      this.#sizes.length * CONTENT_BYTES +
      this.#references * 4 +
      (this.trees.size + this.configs.size) * TREE_BYTES +
      this.names.length * TAG_BYTES
    )
  }

  /**
   * The number of a manifest, a config or a layer.
   *
   * @throws Problem `too_large` if there are too many
   */
  numberOf(digest: string, size: number, kind: 'manifest' | 'blob'): number {
    const known = this.#numbers.get(digest)
    if (known !== undefined) return known
    const number = this.#sizes.length
    if (number >= MAX_CONTENTS) throw tooLarge(`${MAX_CONTENTS} manifests and blobs`)
    this.#numbers.set(digest, number)
    this.#sizes.push(size)
    if (kind === 'manifest') this.#manifests.add(number)
    return number
  }

  /** @throws Problem `too_large` if there are too many */
  keep(digest: string, tree: Tree): Tree {
    this.#references += tree.contents.length
    if (this.#references > MAX_REFERENCES) throw tooLarge(`${MAX_REFERENCES} references between them`)
    this.trees.set(digest, tree)
    return tree
  }

  sizeOf(number: number): number {
    return this.#sizes[number] ?? 0
  }

  isManifest(number: number): boolean {
    return this.#manifests.has(number)
  }

  /** How many tags lead to each content, by its number. */
  counts(isCounted: (name: string) => boolean = () => true): Int32Array {
    const counts = new Int32Array(this.#sizes.length)
    for (const [name, tag] of this.tags) {
      if ('problem' in tag || !isCounted(name)) continue
      for (const number of tag.contents) counts[number] = (counts[number] ?? 0) + 1
    }
    return counts
  }
}

function tooLarge(what: string): Problem {
  return new Problem('too_large', `the tags lead to more than ${what}: read fewer of them with tag`)
}
