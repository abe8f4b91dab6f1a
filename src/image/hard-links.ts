/**
 * Hard links, resolved. A link shares the inode of whatever is at its target when the link is made; that can be in the same tar
 * or a lower layer, sort before the link or after it, or be a link itself. So two passes precede the merge: the first collects
 * all links, the second walks the layers and meets their targets in path order.
 */

import type { Entry } from '../layer/entry.ts'
import { NumberList } from '../table/number-list.ts'
import { type ByteString, toBytes } from '../text/bytes.ts'
import { cleanPath } from '../text/clean-path.ts'
import type { PathKey } from '../text/path.ts'
import { countBefore, Deletions } from './deletions.ts'
import { type Content, LinkedMembers } from './linked-members.ts'
import { memberSequence, NEVER, type Sequence, whiteoutSequence } from './sequence.ts'
import { TouchedPaths, Touches, UNTOUCHED } from './touches.ts'
import { type LayerRows, type PathRows, type PathVisitor, walk } from './walk.ts'

/** What the hard links of an image lead to. */
export class HardLinks {
  readonly #sequences: Float64Array
  readonly #targets: Int32Array
  readonly #members: LinkedMembers
  readonly #numberOf: (layer: number, ordinal: number) => number | undefined

  /**
   * @param sequences of the links, ascending
   * @param targets of each link the number of its member, or `NOTHING`
   */
  constructor(sequences: Float64Array, targets: Int32Array, members: LinkedMembers) {
    this.#sequences = sequences
    this.#targets = targets
    this.#members = members
    this.#numberOf = members.index()
  }

  /** How many members are linked to. */
  get length(): number {
    return this.#members.length
  }

  /** The number of the member that a link leads to; undefined if it dangles and so creates nothing. */
  targetOf(layer: number, ordinal: number): number | undefined {
    const sequence = memberSequence(layer, ordinal)
    const link = countBefore(this.#sequences, sequence)
    const target = this.#sequences[link] === sequence ? this.#targets[link] : NOTHING
    return target === NOTHING ? undefined : target
  }

  /** The number of a member that is not a link; undefined if no link leads to it. */
  numberOf(layer: number, ordinal: number): number | undefined {
    return this.length === 0 ? undefined : this.#numberOf(layer, ordinal)
  }

  layer(number: number): number {
    return this.#members.layer(number)
  }

  isSymlink(number: number): boolean {
    return this.#members.type(number) === 'symlink'
  }

  content(number: number): Content {
    return this.#members.content(number)
  }
}

/**
 * What is at a path at some moment: the number of a linked member, `NOTHING` (or a directory, which cannot be linked to), or,
 * from `FIRST_STEP` down, a step: then it depends on an unresolved link.
 */
type State = number
const NOTHING = -1
const FIRST_STEP = -2

/** States that depend on links. */
class Steps {
  /** The link, or its complement if it is above the path and hides it. */
  readonly #links = new NumberList()
  /** What is there if that link dangles. */
  readonly #otherwise = new NumberList()

  /** What the link leads to, if anything. */
  link(link: number, otherwise: State): State {
    return this.#add(link, otherwise)
  }

  /** Nothing, if the link above leads anywhere. */
  hidden(link: number, otherwise: State): State {
    return this.#add(~link, otherwise)
  }

  /** @param targets the states of all links that the state can depend on */
  settle(state: State, targets: Int32Array): State {
    let settled = state
    while (settled <= FIRST_STEP) settled = this.#next(settled, targets)
    // Shortens the way for later lookups.
    for (let at = state; at <= FIRST_STEP; ) {
      const step = FIRST_STEP - at
      at = this.#otherwise.get(step)
      this.#links.set(step, SETTLED)
      this.#otherwise.set(step, settled)
    }
    return settled
  }

  #next(state: State, targets: Int32Array): State {
    const step = FIRST_STEP - state
    const link = this.#links.get(step)
    const target = link === SETTLED ? NOTHING : (targets[link < 0 ? ~link : link] ?? NOTHING)
    if (target === NOTHING) return this.#otherwise.get(step)
    return link < 0 ? NOTHING : target
  }

  #add(link: number, otherwise: State): State {
    this.#links.push(link)
    return FIRST_STEP - (this.#otherwise.push(otherwise) - 1)
  }
}

const SETTLED = Number.MAX_SAFE_INTEGER

/** All links by their target, in path order. */
class Targets {
  /** The sequences of all links, ascending: a link's index is its number. */
  readonly sequences: Float64Array
  readonly #order: Uint32Array
  readonly #sequenceOf: Float64Array
  readonly #starts: Float64Array
  readonly #text: Buffer

  constructor(links: CollectedLinks) {
    this.#sequenceOf = links.sequences.values()
    this.#starts = links.starts.values()
    this.#text = links.text
    this.sequences = this.#sequenceOf.slice().sort()
    this.#order = Uint32Array.from({ length: links.sequences.length }, (_, link) => link)
    this.#order.sort((a, b) => this.#compare(a, b) || (this.#sequenceOf[a] ?? 0) - (this.#sequenceOf[b] ?? 0))
  }

  /** The sequence of the link with the `nth` target in path order. */
  key(nth: number): PathKey | undefined {
    const link = this.#order[nth]
    return link === undefined
      ? undefined
      : this.#text.toString('latin1', this.#starts[link], this.#starts[link + 1])
  }

  /** When the link with the `nth` target is made. */
  sequence(nth: number): Sequence {
    return this.#sequenceOf[this.#order[nth] ?? 0] ?? NEVER
  }

  /** Which link has the `nth` target. */
  link(nth: number): number {
    return countBefore(this.sequences, this.sequence(nth))
  }

  #compare(a: number, b: number): number {
    return this.#text.compare(
      this.#text,
      this.#starts[b],
      this.#starts[b + 1],
      this.#starts[a],
      this.#starts[a + 1],
    )
  }
}

/** Links in the order in which they were found. */
export class CollectedLinks {
  readonly sequences = new NumberList()
  /** Where each target begins in `text`, and where the last one ends. */
  readonly starts = new NumberList()
  /** Keys of the targets, concatenated. */
  text = Buffer.allocUnsafeSlow(4096)
  #length = 0

  constructor() {
    this.starts.push(0)
  }

  /** Call this with every member of every layer, in any order. */
  see(row: Pick<Entry, 'key' | 'type' | 'link' | 'whiteout' | 'ordinal'>, layer: number): void {
    if (row.type !== 'hardlink' || row.whiteout !== undefined || row.key === '') return
    this.#add(memberSequence(layer, row.ordinal), row.link ?? '')
  }

  #add(sequence: Sequence, link: ByteString): void {
    const { key } = cleanPath(toBytes(link))
    if (key === '') return
    while (this.#length + key.length > this.text.length) {
      const grown = Buffer.allocUnsafeSlow(2 * this.text.length)
      this.text.copy(grown, 0, 0, this.#length)
      this.text = grown
    }
    this.#length += this.text.write(key, this.#length, 'latin1')
    this.sequences.push(sequence)
    this.starts.push(this.#length)
  }
}

/** An event at a link's target, in chronological order. */
type TargetEvent = { readonly sequence: Sequence } & (
  | { readonly kind: 'asked'; readonly link: number }
  /** A whiteout of the path, or a directory at it. */
  | { readonly kind: 'cleared' }
  | { readonly kind: 'member'; readonly row: Entry; readonly layer: number }
  | { readonly kind: 'link'; readonly link: number }
  /** A link is above it. */
  | { readonly kind: 'linkAbove'; readonly link: number }
)

type AskedPath = { readonly events: readonly TargetEvent[]; readonly touches: Touches }

/** Meets the links' targets and finds out what is there when each link is made. */
class TargetFinder implements PathVisitor {
  readonly members = new LinkedMembers()
  readonly steps = new Steps()
  /** What each link leads to. */
  readonly states: Float64Array
  readonly #targets: Targets
  #next = 0
  #nextKey: PathKey | undefined
  readonly #deletions = new Deletions()
  readonly #touched = new TouchedPaths()
  /** By depth. */
  readonly #asked: (AskedPath | undefined)[] = []
  readonly #linksAt: (readonly number[])[] = []

  constructor(targets: Targets) {
    this.#targets = targets
    this.#nextKey = targets.key(0)
    this.states = new Float64Array(targets.sequences.length).fill(NOTHING)
  }

  enter(_key: PathKey, depth: number): void {
    this.#open(depth, [], [])
  }

  visit(path: PathRows): void {
    this.#touched.touch(path)
    while (this.#nextKey !== undefined && this.#nextKey < path.key) this.#skip()
    const asked = this.#nextKey === path.key ? this.#ask(path) : undefined
    if (asked !== undefined && !path.hasBelow) this.#answer(asked, path.depth)
    if (!path.hasBelow) return
    this.#open(path.depth, deletionsBelow(path), this.#linksOf(path))
    if (asked === undefined) return
    this.#asked[path.depth] = asked
    this.#touched.open(path.depth, asked.touches)
  }

  leave(depth: number): void {
    const asked = this.#asked[depth]
    if (asked === undefined) return
    this.#touched.close(depth)
    this.#answer(asked, depth)
  }

  #open(depth: number, deletions: readonly Sequence[], links: readonly number[]): void {
    this.#deletions.enter(depth, deletions)
    this.#linksAt[depth] = links
    this.#asked[depth] = undefined
  }

  #skip(): void {
    this.#nextKey = this.#targets.key(++this.#next)
  }

  #ask(path: PathRows): AskedPath {
    const events: TargetEvent[] = []
    for (; this.#nextKey === path.key; this.#skip()) {
      const link = this.#targets.link(this.#next)
      events.push({ kind: 'asked', sequence: this.#targets.sequence(this.#next), link })
    }
    for (let depth = 1; depth < path.depth; depth++) {
      for (const link of this.#linksAt[depth] ?? []) {
        events.push({ kind: 'linkAbove', sequence: this.#targets.sequences[link] ?? NEVER, link })
      }
    }
    for (let i = 0; i < path.count; i++) {
      const event = this.#eventOf(path.rows[i], path.layers[i] ?? 0)
      if (event !== undefined) events.push(event)
    }
    // The sort is stable: a link to itself looks up its target before it exists.
    events.sort((a, b) => a.sequence - b.sequence)
    const touches = path.hasBelow ? new Touches(events.map(({ sequence }) => sequence)) : UNTOUCHED
    return { events, touches }
  }

  #eventOf(row: Entry | undefined, layer: number): TargetEvent | undefined {
    if (row === undefined) return undefined
    if (row.whiteout === 'file') return { kind: 'cleared', sequence: whiteoutSequence(layer, row.ordinal) }
    if (row.whiteout !== undefined) return undefined
    const sequence = memberSequence(layer, row.ordinal)
    if (row.type === 'directory') return { kind: 'cleared', sequence }
    if (row.type !== 'hardlink') return { kind: 'member', sequence, row, layer }
    const link = this.#linkAt(sequence)
    return link === undefined ? undefined : { kind: 'link', sequence, link }
  }

  #linksOf(path: PathRows): readonly number[] {
    const links: number[] = []
    for (let i = 0; i < path.count; i++) {
      const row = path.rows[i]
      if (row?.type !== 'hardlink' || row.whiteout !== undefined) continue
      const link = this.#linkAt(memberSequence(path.layers[i] ?? 0, row.ordinal))
      if (link !== undefined) links.push(link)
    }
    return links
  }

  /** Undefined for a link to the root, which was not collected. */
  #linkAt(sequence: Sequence): number | undefined {
    const { sequences } = this.#targets
    const link = countBefore(sequences, sequence)
    return sequences[link] === sequence ? link : undefined
  }

  #answer({ events, touches }: AskedPath, depth: number): void {
    let state: State = NOTHING
    let before: Sequence = NEVER
    for (const [i, event] of events.entries()) {
      const { sequence } = event
      // A member below makes it a directory; something above hides it.
      if (Math.max(touches.last(i), this.#deletions.latestBefore(depth - 1, sequence)) > before)
        state = NOTHING
      before = sequence
      switch (event.kind) {
        case 'asked':
          this.states[event.link] = state
          break
        case 'cleared':
          state = NOTHING
          break
        case 'member':
          state = this.members.add(event.row, event.layer)
          break
        case 'link':
          state = this.steps.link(event.link, state)
          break
        case 'linkAbove':
          state = this.steps.hidden(event.link, state)
      }
    }
  }
}

/** When content below the path is hidden by the path itself, links aside: ascending. */
function deletionsBelow({ rows, layers, count, depth }: PathRows): readonly Sequence[] {
  const deletions: Sequence[] = []
  for (let i = 0; i < count; i++) {
    const row = rows[i]
    const layer = layers[i] ?? 0
    if (row === undefined || row.whiteout === 'aufs') continue
    if (row.whiteout === 'opaque') deletions.push(whiteoutSequence(layer, row.ordinal))
    else if (depth === 0) continue
    else if (row.whiteout === 'file') deletions.push(whiteoutSequence(layer, row.ordinal))
    else if (row.type !== 'directory' && row.type !== 'hardlink')
      deletions.push(memberSequence(layer, row.ordinal))
  }
  return deletions.sort((a, b) => a - b)
}

export async function collectHardLinks(layers: readonly LayerRows[]): Promise<CollectedLinks> {
  const links = new CollectedLinks()
  for (const [layer, rows] of layers.entries()) {
    for await (const batch of rows) for (const row of batch) links.see(row, layer)
  }
  return links
}

/**
 * Resolves all hard links of an image.
 *
 * @param collected all links of all layers
 * @param open the rows of all layers, lowest first, from the start: called only if there are links
 */
export async function resolveHardLinks(
  collected: CollectedLinks,
  open: () => readonly LayerRows[],
): Promise<HardLinks> {
  const targets = new Targets(collected)
  const finder = new TargetFinder(targets)
  if (targets.sequences.length > 0) for await (const _ of walk(open(), [finder], () => false));
  // In chronological order: a link comes before those that depend on it.
  const states = new Int32Array(targets.sequences.length).fill(NOTHING)
  for (let link = 0; link < states.length; link++) {
    states[link] = finder.steps.settle(finder.states[link] ?? NOTHING, states)
  }
  return new HardLinks(targets.sequences, states, finder.members)
}
