/** An endless supply of small images with the truth about each: computed from the files, without the service's code. */
import { createHash } from 'node:crypto'
import { makeImage, makeLayer, type TestImage, type TestLayer, type TestMember } from '../support/images.ts'
import type { Random } from '../support/random.ts'

export type TrueFile = { readonly bytes: number; readonly sha256: string; readonly layer: number }

export type Truth = {
  /** Fields of the report, by their dotted names. */
  readonly facts: Readonly<Record<string, unknown>>
  /** The regular files of the merged file system, hard links too. */
  readonly files: ReadonlyMap<string, TrueFile>
  /** All its paths. */
  readonly paths: ReadonlySet<string>
}

type Step = { readonly add: ReadonlyMap<string, string>; readonly remove: readonly string[] }
type BuiltStep = Step & { readonly layer: TestLayer; readonly uncompressedBytes: number }

const FILES = 120
const MOST_REPEATS = 300
const LARGE_BYTES = 400_000
const CHANGED = 20
const REMOVED = 10
/** Base layers that new images share. */
const BASES = 4
const BLOCK = 512

export class ImageMaker {
  readonly #random: Random
  readonly #bases: BuiltStep[] = []

  constructor(random: Random) {
    this.#random = random
  }

  /** A base that others may share, changes to it, and removals from it. */
  async next(): Promise<{ readonly image: TestImage; readonly truth: Truth }> {
    const base = await this.#base()
    const names = [...base.add.keys()]
    const changes = new Map<string, string>()
    for (let n = 0; n < CHANGED; n++) {
      const name = this.#random.pick(names)
      // Now and then the same content again.
      changes.set(name, n % 5 === 0 ? (base.add.get(name) ?? '') : this.#content())
      changes.set(`srv/${this.#random.below(9)}/${n}`, this.#content())
    }
    const removed = new Set(Array.from({ length: REMOVED }, () => this.#random.pick(names)))
    const added = new Map(
      Array.from({ length: CHANGED }, (_, n) => [
        `opt/${n % 3}/${this.#random.below(99)}-${n}`,
        this.#content(),
      ]),
    )
    const steps = [
      base,
      await this.#build({ add: changes, remove: [] }),
      await this.#build({ add: added, remove: [...removed] }),
    ]
    return { image: makeImage(steps.map(({ layer }) => layer)), truth: truthOf(steps) }
  }

  async #base(): Promise<BuiltStep> {
    if (this.#bases.length === BASES && this.#random.below(5) > 0) return this.#random.pick(this.#bases)
    const add = new Map(
      Array.from({ length: FILES }, (_, n) => [
        `usr/${n % 7}/${this.#random.below(200)}-${n}`,
        this.#content(),
      ]),
    )
    add.set('usr/large', this.#content().repeat(LARGE_BYTES / 2000))
    const built = await this.#build({ add, remove: [] })
    this.#bases.push(built)
    if (this.#bases.length > BASES) this.#bases.shift()
    return built
  }

  async #build(step: Step): Promise<BuiltStep> {
    const members: TestMember[] = [
      ...step.remove.map((name) => ({ name: name.replace(/[^/]+$/, '.wh.$&'), content: '' })),
      ...Array.from(step.add, ([name, content]) => ({ name, content })),
    ]
    const layer = await makeLayer(members, { compression: this.#random.pick(['gzip', 'zstd', 'none']) })
    const uncompressedBytes = members.reduce(
      (sum, { content }) => sum + BLOCK * (1 + Math.ceil(Buffer.byteLength(content ?? '') / BLOCK)),
      // The end of a tar.
      2 * BLOCK,
    )
    return { ...step, layer, uncompressedBytes }
  }

  #content(): string {
    return `${this.#random.below(2 ** 32)} `.repeat(1 + this.#random.below(MOST_REPEATS))
  }
}

function truthOf(steps: readonly BuiltStep[]): Truth {
  const versions = new Map<string, TrueFile[]>()
  const files = new Map<string, TrueFile>()
  const directories = new Set<string>()
  let fileBytes = 0
  for (const [layer, { add, remove }] of steps.entries()) {
    for (const name of remove) files.delete(name)
    for (const [name, content] of add) {
      const sha256 = createHash('sha256').update(content).digest('hex')
      const file = { bytes: Buffer.byteLength(content), sha256, layer }
      files.set(name, file)
      versions.set(name, [...(versions.get(name) ?? []), file])
      fileBytes += file.bytes
      for (let at = name.lastIndexOf('/'); at > 0; at = name.lastIndexOf('/', at - 1))
        directories.add(name.slice(0, at))
    }
  }
  const waste = { removed: nothing(), replaced: nothing(), metadataOnly: nothing() }
  for (const [name, all] of versions) {
    const shown = files.get(name)
    for (const version of all) {
      if (shown === undefined) count(waste.removed, version)
      else if (version !== shown)
        count(version.sha256 === shown.sha256 ? waste.metadataOnly : waste.replaced, version)
    }
  }
  const sum = (numbers: readonly number[]) => numbers.reduce((total, one) => total + one, 0)
  const apparentBytes = sum(Array.from(files.values(), ({ bytes }) => bytes))
  const all = Object.values(waste)
  return {
    files,
    paths: new Set([...files.keys(), ...directories]),
    facts: {
      'size.compressedBytes': sum(steps.map(({ layer }) => layer.descriptor.size)),
      'size.uncompressedBytes': sum(steps.map(({ uncompressedBytes }) => uncompressedBytes)),
      'size.fileBytes': fileBytes,
      'size.rootfsBytes': apparentBytes,
      'size.apparentBytes': apparentBytes,
      'counts.layers': steps.length,
      'counts.entries': sum(steps.map(({ add, remove }) => add.size + remove.length)),
      'counts.paths': files.size + directories.size,
      'counts.files': files.size,
      'counts.directories': directories.size,
      'waste.bytes': sum(all.map(({ bytes }) => bytes)),
      'waste.files': sum(all.map((one) => one.files)),
      ...Object.fromEntries(Object.entries(waste).map(([reason, one]) => [`waste.${reason}`, one])),
    },
  }
}

type Sum = { bytes: number; files: number }

function nothing(): Sum {
  return { bytes: 0, files: 0 }
}

function count(sum: Sum, file: TrueFile): void {
  sum.bytes += file.bytes
  sum.files++
}
