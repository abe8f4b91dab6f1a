/**
 * A walk through all layers at once, in path order: a k-way merge of the layers' sorted rows, path by path, with the
 * directories leading to each. It holds one batch of each layer and the names of the current path's directories.
 */

import { type Entry, sortKey } from '../layer/entry.ts'
import { Problem } from '../problem.ts'
import { type Batches, byText, Merge } from '../table/merge.ts'
import { isWithin, type PathKey } from '../text/path.ts'

/** Rows of one layer in batches, sorted by (sortKey, ordinal). */
export type LayerRows<Row = Entry> = Batches<Row>

const ORDER = byText<Entry>(sortKey)

/** How many members of one path are held at once: no real file system repeats a name more often. */
const MAX_MEMBERS_OF_A_PATH = 100_000

/** All rows of the layers at one path, with the whiteouts that hide it. */
export type PathRows = {
  readonly key: PathKey
  /** Number of the path's parts: 0 for the root. */
  readonly depth: number
  /** How many of `rows` and `layers` belong to this path; the rest are left over from earlier paths. */
  readonly count: number
  /** By layer, then by ordinal. */
  readonly rows: readonly Entry[]
  /** For each row the index of its layer. */
  readonly layers: readonly number[]
  /** Whether rows of paths below this one follow. */
  readonly hasBelow: boolean
}

/**
 * Called during a walk. A path with something below it is an open directory from `visit` or `enter` until `leave`; the root is
 * open from the start and left last.
 */
export interface PathVisitor {
  /** @param path valid during the call only */
  visit(path: PathRows): void
  /** A directory that no row names. */
  enter(key: PathKey, depth: number): void
  leave(depth: number): void
}

/** Opens and closes directories as paths pass. */
class OpenDirectories {
  readonly #keys: PathKey[] = ['']
  readonly #visitors: readonly PathVisitor[]

  constructor(visitors: readonly PathVisitor[]) {
    this.#visitors = visitors
  }

  /** Opens the directories leading to `key`, and closes others. @returns the depth of `key` */
  moveTo(key: PathKey): number {
    const keys = this.#keys
    if (key === '') return 0
    let last = keys[keys.length - 1] ?? ''
    while (!isWithin(key, last)) {
      this.leaveLast()
      last = keys[keys.length - 1] ?? ''
    }
    const start = last === '' ? 0 : last.length + 1
    for (let cut = key.indexOf('\0', start); cut >= 0; cut = key.indexOf('\0', cut + 1)) {
      const directory = key.slice(0, cut)
      for (const visitor of this.#visitors) visitor.enter(directory, keys.length)
      keys.push(directory)
    }
    return keys.length
  }

  open(key: PathKey): void {
    if (key !== '') this.#keys.push(key)
  }

  leaveLast(): void {
    this.#keys.pop()
    for (const visitor of this.#visitors) visitor.leave(this.#keys.length)
  }

  leaveAll(): void {
    while (this.#keys.length > 0) this.leaveLast()
  }
}

/**
 * Walks the visitors through the layers.
 *
 * @param layers lowest first
 * @param isFull called after each path: whether a visitor wants to pass on its results before the next
 * @returns a generator that stops where `isFull` said so, and between batches
 * @throws Problem `too_large` for a path with too many members
 */
export async function* walk(
  layers: readonly LayerRows[],
  visitors: readonly PathVisitor[],
  isFull: () => boolean,
): AsyncGenerator<void, void, undefined> {
  const merge = new Merge(layers, ORDER)
  try {
    await merge.open()
    const directories = new OpenDirectories(visitors)
    const rows: Entry[] = []
    const rowLayers: number[] = []
    const path = { key: '', depth: 0, count: 0, rows, layers: rowLayers, hasBelow: false }
    for (let top = merge.top; top !== undefined; top = merge.top) {
      const key = top.key
      path.key = key
      path.count = 0
      for (; top !== undefined && top.key === key; top = merge.top) {
        if (path.count === MAX_MEMBERS_OF_A_PATH) throw tooManyMembers()
        rows[path.count] = top.row
        rowLayers[path.count++] = top.source
        const reading = merge.next()
        if (reading !== undefined) await reading
      }
      path.depth = directories.moveTo(key)
      path.hasBelow = top !== undefined && top.key.length > key.length && isWithin(top.key, key)
      for (const visitor of visitors) visitor.visit(path)
      if (path.hasBelow) directories.open(key)
      if (isFull()) yield
    }
    directories.leaveAll()
  } finally {
    await merge.close()
  }
}

function tooManyMembers(): Problem {
  return new Problem('too_large', `a path has more than ${MAX_MEMBERS_OF_A_PATH} members`, {
    permanent: true,
  })
}
