/**
 * Merges the layers of an image: its file system, waste, duplicates, directories and report. This file is the merge
 * itself: which paths its file system shows, whose files are hidden and by what, and what each directory contains, in
 * one walk. Instead of applying the layers one after another, it sees all layers of one path at a time, and knows from the
 * order of events what applying them would give.
 */
import type { Entry } from '../layer/entry.ts'
import type { PathKey } from '../text/path.ts'
import { Deletions } from './deletions.ts'
import type { HardLinks } from './hard-links.ts'
import type { Content } from './linked-members.ts'
import type { MergedEntry } from './merged-entry.ts'
import { MergedRow, UNNAMED } from './merged-entry.ts'
import type { WasteReason } from './report.ts'
import { FOREVER, layerOf, memberSequence, NEVER, type Sequence, whiteoutSequence } from './sequence.ts'
import { TouchedPaths, Touches, UNTOUCHED } from './touches.ts'
import type { PathRows, PathVisitor } from './walk.ts'
import { type ImageWarningCode, ImageWarnings } from './warnings.ts'

/** A regular file of a layer that the image does not show at its path. */
export type HiddenFile = {
  readonly key: PathKey
  readonly bytes: number
  readonly layer: number
  readonly reason: WasteReason
  readonly byLayer: number
  /** Its number among the linked members, if a hard link may still show it. */
  readonly linked: number | undefined
}

/** A directory with everything below it, as `du --apparent-size -l` counts. */
export type DirectorySum = {
  readonly key: PathKey
  /** Sum of the files below it; each path of a hard link counts. */
  readonly bytes: number
  /** Regular files below it; each path of a hard link counts. */
  readonly files: number
  /** Its subtree is rows `start` to `end - 1` of the merged table. */
  readonly start: number
  readonly end: number
}

export type MergeTotals = {
  rootfsBytes: number
  apparentBytes: number
  paths: number
  files: number
  directories: number
  symlinks: number
}

/** An event at a path, in chronological order. */
type PathEvent = { readonly sequence: Sequence; readonly layer: number; readonly row: Entry } & (
  | { readonly kind: 'whiteout' | 'directory' | 'member' }
  | { readonly kind: 'link'; readonly target: number }
)

/** All events at a path, oldest first, and when content below it was made. */
type PathHistory = {
  readonly key: PathKey
  readonly events: readonly PathEvent[]
  readonly touches: Touches
}

/** The outcome for a path. */
type Outcome = 'nothing' | 'directory' | PathEvent

/** A path with something below it. */
class OpenDirectory {
  key: PathKey = ''
  /** It is a directory of the merged file system, and its row is written. */
  shown = false
  bytes = 0
  files = 0
  start = 0
  /** A later member below makes it a directory. */
  hidden: Sequence = NEVER
  events: readonly PathEvent[] = []
  touches = UNTOUCHED
  /** Shown unless a member below makes it a directory; known once everything below it was visited. */
  pending: PathEvent | undefined

  open(key: PathKey, hidden: Sequence): void {
    this.key = key
    this.shown = false
    this.bytes = 0
    this.files = 0
    this.hidden = hidden
    this.events = []
    this.touches = UNTOUCHED
    this.pending = undefined
  }
}

const NO_DELETIONS: readonly Sequence[] = []

/** Merges the layers of a walk. The caller must collect the results from time to time. */
export class Merger implements PathVisitor {
  readonly warnings = new ImageWarnings()
  readonly totals: MergeTotals = {
    rootfsBytes: 0,
    apparentBytes: 0,
    paths: 0,
    files: 0,
    directories: 0,
    symlinks: 0,
  }
  readonly #links: HardLinks
  /** The inode of each linked member, 0 before it was shown. */
  readonly #inodes: Uint32Array
  /** For each linked member the latest layer that hid one of its paths. */
  readonly #hiddenBy: Uint32Array
  #lastInode = 0
  #shownInodes = 0
  readonly #deletions = new Deletions()
  readonly #touched = new TouchedPaths()
  readonly #open: OpenDirectory[] = [new OpenDirectory()]
  #rows: MergedEntry[] = []
  #hidden: HiddenFile[] = []
  #directories: DirectorySum[] = []

  constructor(links: HardLinks) {
    this.#links = links
    this.#inodes = new Uint32Array(links.length)
    this.#hiddenBy = new Uint32Array(links.length)
    this.#directory(0).shown = true
  }

  /** How many rows, files and directories are waiting to be collected. */
  get waiting(): number {
    return this.#rows.length + this.#hidden.length + this.#directories.length
  }

  /** Paths of the merged file system, in path order. */
  takeRows(): readonly MergedEntry[] {
    const rows = this.#rows
    this.#rows = []
    return rows
  }

  takeHidden(): readonly HiddenFile[] {
    const hidden = this.#hidden
    this.#hidden = []
    return hidden
  }

  /** Each directory after those below it; the root, which is not a path, last. */
  takeDirectories(): readonly DirectorySum[] {
    const directories = this.#directories
    this.#directories = []
    return directories
  }

  /** A hidden file after all layers were visited: undefined if a hard link still shows it. */
  wasteOf(file: HiddenFile): HiddenFile | undefined {
    if (file.linked === undefined) return file
    if (this.#inodes[file.linked] !== 0) return undefined
    // Copied property by property: it can be the view of a table's row.
    const { key, bytes, layer, reason, linked } = file
    const byLayer = Math.max(file.byLayer, this.#hiddenBy[linked ?? 0] ?? 0)
    return { key, bytes, layer, reason, byLayer, linked }
  }

  enter(key: PathKey, depth: number): void {
    this.#directory(depth).open(key, this.#deletions.latest(depth - 1))
    this.#deletions.enter(depth, NO_DELETIONS)
  }

  visit(path: PathRows): void {
    this.#touched.touch(path)
    const row = path.rows[0]
    const isPlain = path.count === 1 && row?.whiteout === undefined && row?.type !== 'hardlink'
    if (path.depth === 0) this.#visitRoot(path)
    else if (isPlain && row !== undefined && (row.type === 'directory' || !path.hasBelow)) {
      this.#visitPlain(path, row)
    } else this.#visitAny(path)
  }

  leave(depth: number): void {
    const directory = this.#directory(depth)
    if (directory.events.length > 0) {
      this.#touched.close(depth)
      if (directory.pending !== undefined) this.#showMember(directory.key, depth, directory.pending)
      const outcome = directory.shown ? 'directory' : (directory.pending ?? 'nothing')
      this.#conclude(directory, depth, outcome)
    }
    if (!directory.shown) return
    const { key, bytes, files, start } = directory
    this.#directories.push({ key, bytes, files, start, end: this.totals.paths })
    if (depth === 0) return
    const parent = this.#directory(depth - 1)
    parent.bytes += bytes
    parent.files += files
  }

  /** The root's own member is not a path; an opaque whiteout there empties everything. */
  #visitRoot(path: PathRows): void {
    this.#warnOfRepeated(path)
    const deletions: Sequence[] = []
    for (let i = 0; i < path.count; i++) {
      const row = path.rows[i]
      const layer = path.layers[i] ?? 0
      if (row === undefined) continue
      const whiteout = whiteoutSequence(layer, row.ordinal)
      if (row.whiteout === 'opaque') deletions.push(whiteout)
      else if (row.whiteout === 'file') this.warnings.add('whiteoutOfNothing', whiteout, '')
      else if (row.type === 'file') {
        this.#hidden.push({
          key: '',
          bytes: row.bytes,
          layer,
          reason: 'removed',
          byLayer: layer,
          linked: this.#links.numberOf(layer, row.ordinal),
        })
      }
    }
    this.#deletions.enter(0, deletions)
  }

  /** The common case: only one layer has the path, and nothing below affects it. */
  #visitPlain({ key, depth, layers, hasBelow }: PathRows, row: Entry): void {
    const layer = layers[0] ?? 0
    const sequence = memberSequence(layer, row.ordinal)
    const deletedAt = this.#deletions.latest(depth - 1)
    this.#touchParents(depth, sequence)
    if (row.type === 'directory') {
      if (hasBelow) this.enter(key, depth)
      if (sequence > deletedAt) this.#showDirectory(key, depth, row, layer)
    } else if (sequence > deletedAt) {
      this.#showFile(depth, this.#fileRow(key, row, layer, this.#links.numberOf(layer, row.ordinal)))
    } else if (row.type === 'file') {
      const byLayer = layerOf(this.#deletions.firstAfter(depth - 1, sequence))
      const linked = this.#links.numberOf(layer, row.ordinal)
      this.#hidden.push({ key, bytes: row.bytes, layer, reason: 'removed', byLayer, linked })
    }
  }

  #visitAny(path: PathRows): void {
    const { key, depth, hasBelow } = path
    this.#warnOfRepeated(path)
    const events: PathEvent[] = []
    const deletions: Sequence[] = []
    for (let i = 0; i < path.count; i++) {
      const row = path.rows[i]
      if (row === undefined || row.whiteout === 'aufs') continue
      const layer = path.layers[i] ?? 0
      if (row.whiteout === 'opaque') {
        deletions.push(whiteoutSequence(layer, row.ordinal))
        continue
      }
      const event = this.#eventOf(row, layer)
      if (row.whiteout === undefined) this.#touchParents(depth, memberSequence(layer, row.ordinal))
      if (event === undefined) this.warnings.add('danglingHardlink', memberSequence(layer, row.ordinal), key)
      else {
        events.push(event)
        if (event.kind !== 'directory') deletions.push(event.sequence)
      }
    }
    events.sort((a, b) => a.sequence - b.sequence)
    deletions.sort((a, b) => a - b)
    const deletedAt = this.#deletions.latest(depth - 1)
    const last = events.at(-1)
    const shown =
      last !== undefined && last.kind !== 'whiteout' && last.sequence > deletedAt ? last : undefined
    if (!hasBelow) {
      if (shown !== undefined) this.#showMember(key, depth, shown)
      this.#conclude({ key, events, touches: UNTOUCHED }, depth, shown ?? 'nothing')
      return
    }
    this.#openAny(path, events, deletions, shown)
  }

  #openAny(
    { key, depth }: PathRows,
    events: readonly PathEvent[],
    deletions: readonly Sequence[],
    shown: PathEvent | undefined,
  ): void {
    const directory = this.#directory(depth)
    const last = events.at(-1)
    const ownHidden = last === undefined || last.kind === 'directory' ? NEVER : last.sequence
    directory.open(key, Math.max(this.#deletions.latest(depth - 1), ownHidden))
    this.#deletions.enter(depth, deletions)
    if (shown?.kind === 'directory') this.#showMember(key, depth, shown)
    else directory.pending = shown
    if (events.every(({ kind }) => kind === 'directory')) return
    directory.events = events
    directory.touches = new Touches(events.map(({ sequence }) => sequence))
    this.#touched.open(depth, directory.touches)
  }

  /** Undefined for a dangling hard link. */
  #eventOf(row: Entry, layer: number): PathEvent | undefined {
    if (row.whiteout !== undefined) {
      return { kind: 'whiteout', sequence: whiteoutSequence(layer, row.ordinal), layer, row }
    }
    const sequence = memberSequence(layer, row.ordinal)
    if (row.type === 'directory') return { kind: 'directory', sequence, layer, row }
    if (row.type !== 'hardlink') return { kind: 'member', sequence, layer, row }
    const target = this.#links.targetOf(layer, row.ordinal)
    return target === undefined ? undefined : { kind: 'link', sequence, layer, row, target }
  }

  /** A member at `depth` turns the older paths above it into directories. */
  #touchParents(depth: number, sequence: Sequence): void {
    let shown = depth - 1
    while (!this.#directory(shown).shown) shown--
    for (let at = shown + 1; at < depth; at++) {
      const directory = this.#directory(at)
      if (sequence <= directory.hidden) return
      directory.pending = undefined
      this.#showDirectory(directory.key, at, UNNAMED, layerOf(sequence))
    }
  }

  #showMember(key: PathKey, depth: number, event: PathEvent): void {
    const { kind, row, layer } = event
    if (kind === 'directory') this.#showDirectory(key, depth, row, layer)
    else if (kind === 'member') {
      this.#showFile(depth, this.#fileRow(key, row, layer, this.#links.numberOf(layer, row.ordinal)))
    } else if (kind === 'link') {
      const { target } = event
      const row = this.#fileRow(key, this.#links.content(target), this.#links.layer(target), target)
      this.#showFile(depth, row)
    }
  }

  #showDirectory(key: PathKey, depth: number, content: Content, layer: number): void {
    const { totals } = this
    this.#rows.push(new MergedRow(key, content, layer, undefined))
    totals.paths++
    totals.directories++
    const open = this.#open[depth]
    if (open?.key === key) {
      open.shown = true
      open.start = totals.paths
    } else this.#directories.push({ key, bytes: 0, files: 0, start: totals.paths, end: totals.paths })
  }

  /** @param linked its number, where hard links lead to it */
  #fileRow(key: PathKey, content: Content, layer: number, linked: number | undefined): MergedRow {
    const known = linked === undefined ? 0 : (this.#inodes[linked] ?? 0)
    const inode = known === 0 ? ++this.#lastInode : known
    if (linked !== undefined) this.#inodes[linked] = inode
    return new MergedRow(key, content, layer, { inode, linked: linked !== undefined })
  }

  #showFile(depth: number, row: MergedRow): void {
    const { totals } = this
    const { type, bytes, inode = 0 } = row
    // Inodes are numbered in the order in which they are first shown.
    const isFirst = inode > this.#shownInodes
    if (isFirst) this.#shownInodes = inode
    this.#rows.push(row)
    totals.paths++
    if (type === 'symlink') totals.symlinks++
    if (type !== 'file') return
    totals.files++
    totals.apparentBytes += bytes
    if (isFirst) totals.rootfsBytes += bytes
    const parent = this.#directory(depth - 1)
    parent.bytes += bytes
    parent.files++
  }

  /** Called once everything at and below a path is known: records warnings and hidden files. */
  #conclude({ key, events, touches }: PathHistory, depth: number, outcome: Outcome): void {
    let made: Sequence = NEVER
    let cleared: Sequence = NEVER
    for (const [i, event] of events.entries()) {
      const { kind, sequence } = event
      made = Math.max(made, touches.last(i))
      if (kind === 'whiteout') {
        const gone = Math.max(cleared, this.#deletions.latestBefore(depth - 1, sequence))
        if (made <= gone) this.warnings.add('whiteoutOfNothing', sequence, key)
        cleared = sequence
        continue
      }
      made = sequence
      if (kind === 'directory') continue
      const below = touches.first(i + 1)
      const above = this.#deletions.firstAfter(depth - 1, sequence)
      if (below < above) this.warnings.add(this.#parentWarning(event), below, touches.firstKey(i + 1))
      if (event === outcome) continue
      const hiddenAt = Math.min(below, above, events[i + 1]?.sequence ?? FOREVER)
      this.#concludeHidden(key, event, outcome, layerOf(hiddenAt))
    }
  }

  #concludeHidden(key: PathKey, event: PathEvent, outcome: Outcome, byLayer: number): void {
    const { kind, row, layer } = event
    if (kind === 'link') {
      const { target } = event
      this.#hiddenBy[target] = Math.max(this.#hiddenBy[target] ?? 0, byLayer)
    } else if (row.type === 'file') {
      const reason = this.#reason(row, outcome)
      const linked = this.#links.numberOf(layer, row.ordinal)
      this.#hidden.push({ key, bytes: row.bytes, layer, reason, byLayer, linked })
    }
  }

  #reason(hidden: Entry, outcome: Outcome): WasteReason {
    if (outcome === 'nothing') return 'removed'
    if (outcome === 'directory') return 'replaced'
    const shown = outcome.kind === 'link' ? this.#links.content(outcome.target) : outcome.row
    return shown.sha256 === hidden.sha256 ? 'metadataOnly' : 'replaced'
  }

  #parentWarning(event: PathEvent): ImageWarningCode {
    const isSymlink =
      event.kind === 'link' ? this.#links.isSymlink(event.target) : event.row.type === 'symlink'
    return isSymlink ? 'symlinkParent' : 'fileParent'
  }

  #warnOfRepeated({ key, rows, layers, count }: PathRows): void {
    let before = -1
    for (let i = 0; i < count; i++) {
      const row = rows[i]
      const layer = layers[i] ?? 0
      if (row === undefined || row.whiteout !== undefined) continue
      if (layer === before && row.type !== 'directory') {
        this.warnings.add('duplicateEntry', memberSequence(layer, row.ordinal), key)
      }
      before = layer
    }
  }

  /** The open directory at `depth`, or a new one. */
  #directory(depth: number): OpenDirectory {
    const known = this.#open[depth]
    if (known !== undefined) return known
    const made = new OpenDirectory()
    this.#open[depth] = made
    return made
  }
}
