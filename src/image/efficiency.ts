/**
 * dive's efficiency score and wasted bytes (github.com/wagoodman/dive), with all its quirks, so that a gate for dive works
 * unchanged. dive keeps a tree of names for each layer, whiteouts included, looks at the leaves, and stacks the trees. This
 * finds the same figures in one walk. What it needs to know about a path:
 *
 * - Which layers' trees contain it, by a member or implied by one below, and in which it is a leaf.
 * - What was popped from the stack when: a whiteout pops its path with everything below, after the layer's own members if the
 *   name sorts before `.wh.`, else before them.
 * - A whiteout of a directory counts the sizes of everything that the stack has below it at that time.
 * - A directory named `.wh.x` also pops `x`, but if it has content, it is not a leaf and does not count.
 */
import type { Entry } from '../layer/entry.ts'
import { baseName, type PathKey } from '../text/path.ts'
import { Deletions } from './deletions.ts'
import type { Efficiency } from './report.ts'
import { type LayerRows, type PathRows, type PathVisitor, walk } from './walk.ts'

/** dive ignores paths with this prefix and everything below them. */
const NO_NODE = '.wh..wh.'
const WHITEOUT = '.wh.'

/** A path in the tree of one layer. */
type LayerNode = {
  readonly layer: number
  /** Undefined if no member names it. */
  member: { readonly bytes: number; readonly isDirectory: boolean } | undefined
  isLeaf: boolean
}

type WhiteoutNode = { readonly layer: number; readonly key: PathKey }

/** A path in the trees of all layers. */
type PathTrees = {
  readonly key: PathKey
  readonly depth: number
  /** By layer. */
  readonly nodes: readonly LayerNode[]
  readonly whiteouts: readonly WhiteoutNode[]
  readonly pops: readonly number[]
  /** As in {@link DiveDirectory}. */
  readonly below?: Float64Array | undefined
}

/** The order in which a layer acts on the stack, as one number: it pops, adds, and pops again. */
const added = (layer: number): number => 3 * layer + 1
const layerOfPop = (pop: number): number => Math.floor(pop / 3)
/** The whiteouts of the lowest layer are on the stack from the start: dive begins with that layer's tree unchanged. */
const BEFORE_ALL = -1

/** Which layers' trees contain a directory, and which contain something below it. */
class LayerMarks {
  readonly #layers: number[] = []
  /** By layer. */
  readonly #marks: Uint8Array

  constructor(layers: number) {
    this.#marks = new Uint8Array(layers)
  }

  clear(): void {
    for (const layer of this.#layers) this.#marks[layer] = 0
    this.#layers.length = 0
  }

  stands(layer: number): void {
    if (this.#marks[layer] !== 0) return
    this.#marks[layer] = STANDS
    this.#layers.push(layer)
  }

  hasBelow(layer: number): void {
    if (this.#marks[layer] === 0) this.#layers.push(layer)
    this.#marks[layer] = HAS_BELOW
  }

  isLeaf(layer: number): boolean {
    return this.#marks[layer] !== HAS_BELOW
  }

  /** Ascending. */
  layers(): readonly number[] {
    return this.#layers.length < 2 ? this.#layers : this.#layers.sort((a, b) => a - b)
  }
}

const STANDS = 1
const HAS_BELOW = 2

/** A path with something below it. */
class DiveDirectory {
  key: PathKey = ''
  /** dive ignores it. */
  ignored = false
  readonly marks: LayerMarks
  members: readonly LayerNode[] = []
  whiteouts: readonly WhiteoutNode[] = []
  pops: readonly number[] = []
  /**
   * Only if a whiteout needs it: the bytes below on the stack as each layer sees them, stored as differences from layer
   * to layer.
   */
  below: Float64Array | undefined

  constructor(layers: number) {
    this.marks = new LayerMarks(layers)
  }

  open(key: PathKey, ignored: boolean): void {
    this.key = key
    this.ignored = ignored
    this.marks.clear()
    this.members = []
    this.whiteouts = []
    this.pops = []
    this.below = undefined
  }
}

/** Where dive stopped reading a layer: at a whiteout of nothing, by its raw name, which is dive's order. */
export type LayerEnds = ReadonlyMap<number, PathKey>

/** A directory named like a whiteout, in one layer. */
type WhiteoutDirectory = {
  readonly layer: number
  /** Its own key, rather than that of the path it hides. */
  readonly key: PathKey
  /** dive sees nothing below it. */
  readonly isLeaf: boolean
}

/**
 * Directories named like whiteouts, by the path that they hide. They may sort after that path, so a second walk gets
 * them from the first.
 */
class WhiteoutDirectories {
  readonly #byHidden = new Map<PathKey, readonly WhiteoutDirectory[]>()
  /** Found by one walk, and passed to the next. */
  readonly #met = new Set<PathKey>()
  #bytes = 0

  get size(): number {
    return this.#byHidden.size
  }

  add(hidden: PathKey, directories: readonly WhiteoutDirectory[]): void {
    this.#bytes += NOTE_BYTES * (1 + directories.length) + hidden.length
    if (this.#bytes <= MAX_NOTED_BYTES) this.#byHidden.set(hidden, directories)
  }

  /** Those that hide this path; ascending by layer. */
  take(hidden: PathKey): readonly WhiteoutDirectory[] {
    const directories = this.#byHidden.get(hidden)
    if (directories === undefined) return NO_DIRECTORIES
    this.#met.add(hidden)
    return directories
  }

  /** Those that hide a path that does not exist. */
  *left(): Generator<readonly [PathKey, readonly WhiteoutDirectory[]]> {
    for (const one of this.#byHidden) if (!this.#met.has(one[0])) yield one
  }
}

const NO_DIRECTORIES: readonly WhiteoutDirectory[] = []
const NOTE_BYTES = 100
/** Only a hostile image has more than a handful; beyond this number they count as ordinary directories. */
const MAX_NOTED_BYTES = 8 * 1024 * 1024

/** Which inefficiency counts against the image. */
export type Blame = {
  /** Paths to ignore. */
  readonly ignores: (key: PathKey) => boolean
  /**
   * How many of the lowest layers belong to another image: what they store counts only if a layer above them removed or
   * replaced it; what they hid themselves does not count.
   */
  readonly baseLayers: number
}

const ALL: Blame = { ignores: () => false, baseLayers: 0 }

const NO_ENDS: LayerEnds = new Map()
const NO_POPS: readonly number[] = []

/** Results of earlier walks. */
type Known = { readonly ends: LayerEnds; readonly directories: WhiteoutDirectories }

/**
 * Visits all paths once. Then `next` says whether another walk is needed: if a directory has a whiteout's name, or dive
 * stops within a layer.
 */
export class DiveEfficiency implements PathVisitor {
  readonly #layers: number
  readonly #blame: Blame
  readonly #known: Known | undefined
  readonly #ends: LayerEnds
  /** Given to this walk. */
  readonly #directories: WhiteoutDirectories | undefined
  /** Found in this walk. */
  readonly #found = new Map<number, PathKey>()
  readonly #foundDirectories = new WhiteoutDirectories()
  readonly #pops = new Deletions()
  readonly #open: DiveDirectory[] = []
  /** The open directories whose sums are needed. */
  readonly #asked: DiveDirectory[] = []
  #least = 0
  #all = 0
  #wasted = 0
  #paths = 0
  #userBytes = 0

  /** @param known for a second and a third walk, which `next` prepares */
  constructor(layers: number, blame = ALL, known?: Known) {
    this.#layers = layers
    this.#blame = blame
    this.#known = known
    this.#ends = known?.ends ?? NO_ENDS
    this.#directories = known?.directories
    this.#openAt(0, '', false)
  }

  /** The next walk, if this one's figures are not final. Call it once, after the walk. */
  next(): DiveEfficiency | undefined {
    for (const [hidden, directories] of this.#directories?.left() ?? []) {
      this.#count({ key: hidden, depth: 1, nodes: [], whiteouts: leavesOf(directories), pops: NO_POPS })
    }
    const directories = this.#known?.directories ?? this.#foundDirectories
    const isNew = this.#known === undefined && directories.size > 0
    // Only a walk that knows all whiteouts knows which of them hide nothing.
    const ends = isNew ? NO_ENDS : this.#found
    if (!isNew && (this.#ends !== NO_ENDS || ends.size === 0)) return undefined
    return new DiveEfficiency(this.#layers, this.#blame, { ends, directories })
  }

  /** Call it after `next`. */
  figures(): Efficiency {
    return {
      score: this.#all === 0 ? 1 : this.#least / this.#all,
      wastedBytes: this.#wasted,
      ...(this.#userBytes === 0 ? {} : { wastedUserRatio: this.#wasted / this.#userBytes }),
      inefficientPaths: this.#paths,
    }
  }

  /** A directory that no layer names. */
  enter(key: PathKey, depth: number): void {
    const directory = this.#enter(key, depth)
    if (directory.ignored || this.#directories === undefined) return
    const others = this.#directories.take(key)
    directory.whiteouts = leavesOf(others)
    directory.pops = others.map(({ layer }) => popOf(key, layer))
    this.#pops.enter(depth, directory.pops)
  }

  #enter(key: PathKey, depth: number): DiveDirectory {
    this.#openAt(depth, key, this.#parent(depth).ignored || baseName(key).startsWith(NO_NODE))
    return this.#directory(depth)
  }

  visit(path: PathRows): void {
    const { key, depth, count, layers, rows, hasBelow } = path
    const firstUserLayer = Math.max(this.#blame.baseLayers, 1)
    for (let i = 0; i < count; i++) {
      if ((layers[i] ?? 0) >= firstUserLayer) this.#userBytes += rows[i]?.bytes ?? 0
    }
    const row = rows[0]
    const layer = layers[0] ?? 0
    if (depth === 0) {
      this.#visitRoot(path)
      return
    }
    const parent = this.#parent(depth)
    if (parent.ignored) {
      for (let i = 0; i < count; i++) parent.marks.stands(layers[i] ?? 0)
      if (hasBelow) this.#enter(key, depth)
      return
    }
    const others = this.#directories?.take(key) ?? NO_DIRECTORIES
    if (count === 1 && row?.whiteout === undefined && !hasBelow && others.length === 0) {
      parent.marks.hasBelow(layer)
      this.#visitPlain(key, depth, layer, row?.bytes ?? 0)
    } else this.#visitAny(path, parent, others)
  }

  leave(depth: number): void {
    const directory = this.#directory(depth)
    if (depth === 0) return
    const { key, marks, members, whiteouts, ignored, below } = directory
    const parent = this.#parent(depth)
    const layers = marks.layers()
    for (const layer of layers) {
      if (ignored) parent.marks.stands(layer)
      else parent.marks.hasBelow(layer)
    }
    if (below !== undefined) this.#asked.pop()
    if (ignored) return
    if (baseName(key).startsWith(WHITEOUT)) {
      this.#leaveWhiteout(key, layers, marks)
      return
    }
    const nodes = layers.map((layer): LayerNode => {
      const member = members.find((node) => node.layer === layer)?.member
      return { layer, member, isLeaf: marks.isLeaf(layer) }
    })
    this.#count({ key, depth, nodes, whiteouts, pops: directory.pops, below })
  }

  /** Members with this name are sorted at the path that they hide. */
  #leaveWhiteout(key: PathKey, layers: readonly number[], marks: LayerMarks): void {
    if (this.#known !== undefined) return
    const name = baseName(key)
    const hidden = key.slice(0, key.length - name.length) + name.slice(WHITEOUT.length)
    const directories = layers.map((layer) => ({ layer, key, isLeaf: marks.isLeaf(layer) }))
    this.#foundDirectories.add(hidden, directories)
  }

  /** Only `.wh.` itself counts here, a whiteout of nothing. */
  #visitRoot({ rows, layers, count }: PathRows): void {
    const named: WhiteoutNode[] = []
    for (let i = 0; i < count; i++) {
      const row = rows[i]
      if (row?.whiteout === 'file') named.push({ layer: layers[i] ?? 0, key: row.key })
    }
    const whiteouts = withDirectories(named, this.#directories?.take('') ?? NO_DIRECTORIES)
    if (whiteouts.length > 0) this.#count({ key: '', depth: 0, nodes: [], whiteouts, pops: NO_POPS })
  }

  /** Nearly all paths: a leaf of one tree. */
  #visitPlain(key: PathKey, depth: number, layer: number, bytes: number): void {
    if (this.#blame.ignores(key)) return
    if (bytes > 0 && this.#asked.length > 0) {
      this.#stack(layer, bytes, this.#goneIn(layer, depth, NO_POPS, Number.POSITIVE_INFINITY))
    }
    if (!this.#reads(layer, key) || !this.#counts(layer, depth, NO_POPS, Number.POSITIVE_INFINITY)) return
    this.#least += bytes
    this.#all += bytes
  }

  /** @param others directories that are whiteouts of the path */
  #visitAny(
    { key, depth, rows, layers, count, hasBelow }: PathRows,
    parent: DiveDirectory,
    others: readonly WhiteoutDirectory[],
  ): void {
    const members: LayerNode[] = []
    const named: WhiteoutNode[] = []
    for (let i = 0; i < count; i++) {
      const row = rows[i]
      const layer = layers[i] ?? 0
      if (row === undefined) continue
      switch (row.whiteout) {
        case 'aufs':
          parent.marks.stands(layer)
          continue
        case 'file':
          parent.marks.hasBelow(layer)
          if (named.at(-1)?.layer !== layer) named.push({ layer, key: row.key })
          continue
        default:
          parent.marks.hasBelow(layer)
          name(members, layer, row)
      }
    }
    if (!this.#blame.ignores(key)) this.#stackWhiteouts(depth, rows, layers, count)
    const whiteouts = withDirectories(named, others)
    const pops = popsOf(key, named, others)
    if (!hasBelow) {
      this.#count({ key, depth, nodes: members, whiteouts, pops })
      return
    }
    const directory = this.#enter(key, depth)
    if (directory.ignored) return
    for (const { layer } of members) directory.marks.stands(layer)
    directory.members = members
    directory.whiteouts = whiteouts
    directory.pops = pops
    this.#pops.enter(depth, pops)
    if (whiteouts.length === 0) return
    directory.below = new Float64Array(this.#layers + 1)
    this.#asked.push(directory)
  }

  /** Adds what dive sees of a path, once the path is complete. */
  #count({ key, depth, nodes, whiteouts, pops, below }: PathTrees): void {
    const ignored = this.#blame.ignores(key)
    let count = 0
    let sum = 0
    let least = Number.POSITIVE_INFINITY
    let isSeen = false
    const see = (bytes: number) => {
      count++
      sum += bytes
      least = Math.min(least, bytes)
    }
    for (const [i, { layer, member, isLeaf }] of nodes.entries()) {
      const bytes = ignored ? 0 : (member?.bytes ?? 0)
      const replacedBy = nodes[i + 1]?.layer ?? Number.POSITIVE_INFINITY
      if (bytes > 0 && this.#asked.length > 0) {
        this.#stack(layer, bytes, this.#goneIn(layer, depth, pops, replacedBy))
      }
      if (isLeaf && this.#reads(layer, key) && this.#counts(layer, depth, pops, replacedBy)) see(bytes)
    }
    for (const whiteout of whiteouts) {
      const { layer } = whiteout
      const end = this.#ends.get(layer)
      if (end !== undefined && whiteout.key > end) continue
      const isOwn = layer >= this.#blame.baseLayers
      isSeen ||= isOwn
      const before = this.#standing(nodes, layer, depth, pops)
      if (before === undefined) this.#end(whiteout)
      else if (isOwn) see(before.member?.isDirectory ? sumUpTo(below, layer) : 0)
    }
    if (ignored) return
    if (count > 0) {
      this.#least += least
      this.#all += sum
    } else if (isSeen) this.#least -= 1
    if (count < 2) return
    this.#paths++
    this.#wasted += sum
  }

  /** What the stack has at a path when dive looks at a layer's leaves. */
  #standing(
    nodes: readonly LayerNode[],
    layer: number,
    depth: number,
    pops: readonly number[],
  ): LayerNode | undefined {
    if (layer === 0) return nodes.find((node) => node.layer === 0)
    const node = nodes.findLast((one) => one.layer < layer)
    return node !== undefined && this.#poppedBy(depth, added(node.layer), pops) >= layer ? node : undefined
  }

  /** Adds a node's bytes to the sums of the directories above it. @param goneIn the last layer that sees it */
  #stack(layer: number, bytes: number, goneIn: number): void {
    this.#addBelow(layer === 0 ? 0 : layer + 1, goneIn, bytes)
  }

  /** The layer that pops or replaces what a layer has at a path; infinite if none does. */
  #goneIn(layer: number, depth: number, pops: readonly number[], replacedBy: number): number {
    return Math.min(this.#poppedBy(depth, added(layer), pops), replacedBy)
  }

  /** The whiteouts of the lowest layer are ordinary nodes. */
  #stackWhiteouts(depth: number, rows: readonly Entry[], layers: readonly number[], count: number): void {
    if (this.#asked.length === 0) return
    let bytes = 0
    for (let i = 0; i < count && layers[i] === 0; i++) {
      const row = rows[i]
      if (row?.whiteout === 'file') bytes = row.bytes
    }
    if (bytes > 0) this.#addBelow(0, this.#poppedBy(depth, BEFORE_ALL, NO_POPS), bytes)
  }

  /** @param from the first layer that sees it @param to the last one */
  #addBelow(from: number, to: number, bytes: number): void {
    if (from > to) return
    for (const { below } of this.#asked) {
      if (below === undefined) continue
      below[from] = (below[from] ?? 0) + bytes
      if (to < this.#layers) below[to + 1] = (below[to + 1] ?? 0) - bytes
    }
  }

  /** The layer that pops what was added at `action`, which still sees it itself; infinite if none does. */
  #poppedBy(depth: number, action: number, pops: readonly number[]): number {
    const above = this.#pops.firstAfter(depth - 1, action)
    const own = pops.find((pop) => pop > action) ?? Number.POSITIVE_INFINITY
    return layerOfPop(Math.min(above, own))
  }

  /** Whether what a layer has at a path counts against this image: its own layers have it or hide it. */
  #counts(layer: number, depth: number, pops: readonly number[], replacedBy: number): boolean {
    const { baseLayers } = this.#blame
    if (layer >= baseLayers) return true
    const goneIn = this.#goneIn(layer, depth, pops, replacedBy)
    return goneIn >= baseLayers && goneIn < this.#layers
  }

  #reads(layer: number, key: PathKey): boolean {
    if (this.#ends.size === 0) return true
    const end = this.#ends.get(layer)
    return end === undefined || key < end
  }

  #end({ layer, key }: WhiteoutNode): void {
    const end = this.#found.get(layer)
    if (end === undefined || key < end) this.#found.set(layer, key)
  }

  #openAt(depth: number, key: PathKey, ignored: boolean): void {
    this.#directory(depth).open(key, ignored)
    this.#pops.enter(depth, NO_POPS)
  }

  #parent(depth: number): DiveDirectory {
    return this.#directory(depth - 1)
  }

  /** The open directory at `depth`, or a new one. */
  #directory(depth: number): DiveDirectory {
    const known = this.#open[depth]
    if (known !== undefined) return known
    const made = new DiveDirectory(this.#layers)
    this.#open[depth] = made
    return made
  }
}

/** An opaque whiteout implies its directory; if a name repeats, the last member counts. */
function name(nodes: LayerNode[], layer: number, row: Entry): void {
  const last = nodes.at(-1)
  const node = last?.layer === layer ? last : { layer, member: undefined, isLeaf: true }
  if (node !== last) nodes.push(node)
  if (row.whiteout === undefined) node.member = { bytes: row.bytes, isDirectory: row.type === 'directory' }
}

/** A whiteout's place among its siblings decides whether it pops before or after the layer adds the path itself. */
function popOf(key: PathKey, layer: number): number {
  const name = baseName(key)
  return name < WHITEOUT + name ? added(layer) + 1 : added(layer) - 1
}

/** The directories that dive mistakes for whiteouts of the path. */
function leavesOf(directories: readonly WhiteoutDirectory[]): readonly WhiteoutNode[] {
  return directories.filter(({ isLeaf }) => isLeaf)
}

/** The whiteouts that count: members, unless they have content, and empty directories. */
function withDirectories(
  named: readonly WhiteoutNode[],
  directories: readonly WhiteoutDirectory[],
): readonly WhiteoutNode[] {
  if (directories.length === 0) return named
  const layers = new Set(directories.map(({ layer }) => layer))
  return [...named.filter(({ layer }) => !layers.has(layer)), ...leavesOf(directories)]
}

/** Ascending. */
function popsOf(
  key: PathKey,
  named: readonly WhiteoutNode[],
  directories: readonly WhiteoutDirectory[],
): readonly number[] {
  const pops = named.map(({ layer }) => popOf(key, layer))
  if (directories.length === 0) return pops
  const all = new Set([...pops, ...directories.map(({ layer }) => popOf(key, layer))])
  return [...all].sort((a, b) => a - b)
}

function sumUpTo(differences: Float64Array | undefined, layer: number): number {
  let sum = 0
  for (let i = 0; i <= layer; i++) sum += differences?.[i] ?? 0
  return sum
}

/**
 * dive's figures. One walk is enough, except for oddities in a few images.
 *
 * @param first after its walk
 * @param open the rows of all layers, lowest first, from the start
 */
export async function diveFigures(
  first: DiveEfficiency,
  open: () => readonly LayerRows[],
): Promise<Efficiency> {
  let dive = first
  for (let next = dive.next(); next !== undefined; next = dive.next()) {
    for await (const _ of walk(open(), [next], () => false));
    dive = next
  }
  return dive.figures()
}

/**
 * dive's figures for what counts against an image.
 *
 * @param open the rows of all layers, lowest first, from the start
 */
export async function efficiencyBlamed(open: () => readonly LayerRows[], blame: Blame): Promise<Efficiency> {
  const layers = open()
  const dive = new DiveEfficiency(layers.length, blame)
  for await (const _ of walk(layers, [dive], () => false));
  return diveFigures(dive, open)
}
