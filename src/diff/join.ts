/**
 * Two merged file systems compared: one pass over two tables in the same order, holding one batch of each. Equal rows, usually
 * nearly all, cost a few comparisons and create no object.
 */
import type { PathKey } from '../text/path.ts'
import type { Change, ChangedField, JoinedRow } from './change.ts'

/** A table's rows in path order, from row `start` on. */
export type Rows = {
  readonly batches: AsyncIterable<readonly JoinedRow[]>
  readonly start: number
}

/** What the join found since the last step; there is a step for each batch of the tables. */
export type JoinStep = {
  readonly changes: readonly Change[]
  /** Paths that differ only in their mtime. */
  readonly mtimeOnly: number
}

/** One side: the current batch, the current row, and its position in the table. */
class Side {
  readonly #batches: AsyncIterator<readonly JoinedRow[]>
  #batch: readonly JoinedRow[] = []
  #at = 0
  #passed: number
  /** There is no batch after this one. */
  ended = false
  row: JoinedRow | undefined
  key: PathKey = ''

  constructor(rows: Rows) {
    this.#batches = rows.batches[Symbol.asyncIterator]()
    this.#passed = rows.start
  }

  /** Rows of the table before the current one. */
  get position(): number {
    return this.#passed + this.#at
  }

  /** Moves to the next row of the batch; `undefined` if the batch has no more. */
  advance(): void {
    this.#at++
    this.#look()
  }

  async fill(): Promise<void> {
    while (this.row === undefined && !this.ended) {
      this.#passed += this.#batch.length
      const next = await this.#batches.next()
      this.ended = next.done === true
      this.#batch = next.done ? [] : next.value
      this.#at = 0
      this.#look()
    }
  }

  async close(): Promise<void> {
    if (!this.ended) await this.#batches.return?.()
  }

  #look(): void {
    this.row = this.#batch[this.#at]
    if (this.row !== undefined) this.key = this.row.key
  }
}

/** Continues until one of the current batches is used up and has a successor. */
function joinBatches(from: Side, to: Side): JoinStep {
  const changes: Change[] = []
  let mtimeOnly = 0
  for (;;) {
    const before = from.row
    const after = to.row
    if ((before === undefined && !from.ended) || (after === undefined && !to.ended)) break
    if (before !== undefined && (after === undefined || from.key < to.key)) {
      const { key } = from
      from.advance()
      changes.push({ kind: 'removed', key, from: before, fromRow: from.position, toRow: to.position })
    } else if (after !== undefined && (before === undefined || to.key < from.key)) {
      const { key } = to
      to.advance()
      changes.push({ kind: 'added', key, to: after, fromRow: from.position, toRow: to.position })
    } else if (before !== undefined && after !== undefined) {
      const { key } = from
      from.advance()
      to.advance()
      const fields = changedFields(before, after)
      if (fields !== undefined) {
        const [fromRow, toRow] = [from.position, to.position]
        changes.push({ kind: 'modified', key, from: before, to: after, fields, fromRow, toRow })
      } else if (timeDiffers(before, after)) mtimeOnly++
    } else break
  }
  return { changes, mtimeOnly }
}

/** `undefined` if nothing differs, or only the mtime. */
function changedFields(from: JoinedRow, to: JoinedRow): ChangedField[] | undefined {
  // A directory that no layer names has neither mode nor owner, so it differs from a named one in all three.
  const named = from.implicit !== true || to.implicit !== true
  const namedOnce = named && (from.implicit === true || to.implicit === true)
  const type = from.type !== to.type
  const mode = namedOnce || (named && from.mode !== to.mode)
  const uid = namedOnce || (named && from.uid !== to.uid)
  const gid = namedOnce || (named && from.gid !== to.gid)
  const content = contentDiffers(from, to)
  // Nearly all rows are files and directories, which have neither of the two.
  const plain = !type && (from.type === 'file' || from.type === 'directory')
  const link = !plain && from.link !== to.link
  const device = !plain && deviceDiffers(from.device, to.device)
  const xattrs = xattrsDiffer(from.xattrs, to.xattrs)
  if (!(content || type || mode || uid || gid || link || xattrs || device)) return undefined
  const fields: ChangedField[] = []
  if (content) fields.push('content')
  if (type) fields.push('type')
  if (mode) fields.push('mode')
  if (uid) fields.push('uid')
  if (gid) fields.push('gid')
  if (link) fields.push('link')
  if (xattrs) fields.push('xattrs')
  if (device) fields.push('device')
  return fields
}

function contentDiffers(from: JoinedRow, to: JoinedRow): boolean {
  const isFile = from.type === 'file'
  if (isFile !== (to.type === 'file')) return true
  return isFile && (from.bytes !== to.bytes || from.sha256 !== to.sha256)
}

function xattrsDiffer(from: JoinedRow['xattrs'], to: JoinedRow['xattrs']): boolean {
  if (from === to) return false
  if ((from?.size ?? 0) !== (to?.size ?? 0)) return true
  for (const [name, value] of from ?? []) if (to?.get(name) !== value) return true
  return false
}

function deviceDiffers(from: JoinedRow['device'], to: JoinedRow['device']): boolean {
  return from?.[0] !== to?.[0] || from?.[1] !== to?.[1]
}

function timeDiffers(from: JoinedRow, to: JoinedRow): boolean {
  return from.mtime !== to.mtime && !(from.implicit === true && to.implicit === true)
}

/**
 * All changes between two file systems, in path order.
 *
 * @param from rows of a merged table, sorted by key, each key once
 * @param to likewise
 * @returns a step for each pair of batches with results; both iterables are closed when it ends or is stopped
 */
export async function* joinRows(from: Rows, to: Rows): AsyncGenerator<JoinStep, void, undefined> {
  const sides = [new Side(from), new Side(to)] as const
  try {
    for (;;) {
      await Promise.all(sides.map((side) => side.fill()))
      if (sides.every((side) => side.ended)) return
      const step = joinBatches(...sides)
      if (step.changes.length > 0 || step.mtimeOnly > 0) yield step
    }
  } finally {
    await Promise.all(sides.map((side) => side.close()))
  }
}
