/**
 * Sorted tables of rows in the object store, whatever the rows mean: written, sorted, merged, read. This file reads a table: row
 * groups are fetched by ranges and decoded into typed arrays, each column when a row first needs it. A row is a light view of
 * its group.
 */

import { yieldToEventLoop, yieldToRequests } from '../concurrency.ts'
import { Problem } from '../problem.ts'
import type { PathKey } from '../text/path.ts'
import { ByteReader } from './byte-buffer.ts'
import type { PageSource, Values } from './column.ts'
import { fetchBytes } from './fetch-bytes.ts'
import { GroupIndex, INDEX_TAIL_BYTES, indexLength } from './group-index.ts'
import { MAGIC, TAIL_BYTES } from './parquet/footer.ts'
import { CODEC, type DataPage, readChunk } from './parquet/page.ts'
import type { TableStore } from './part.ts'
import type { RowSource } from './row-view.ts'
import type { Field, Schema } from './schema.ts'

/** Holds the index and footer of a table of some 20,000 rows; larger ones take a second request. */
const TAIL_FETCH_BYTES = 16 * 1024

/**
 * What is read before other requests are served: some 2 MB of names, which a glob takes tenths of a second to match. A store that
 * is in memory, or on the same machine, never makes a reader wait.
 */
const READS_A_TURN = 16
/** Of all tables: an image may have a thousand layers, each with a small one. */
let reads = 0

/** Rows `start` to `end - 1`. */
export type RowRange = { readonly start: number; readonly end: number }

export type RowsOptions<Name> = Partial<RowRange> & {
  /** The properties that will be accessed: others need not be fetched, and accessing them is an error. All by default. */
  readonly columns?: readonly Name[]
  /**
   * Bytes to fetch at once: as many whole groups as fit, at least one. By default one group, some 100 KB; larger values need
   * fewer requests to list a table.
   */
  readonly fetchBytes?: number
  /**
   * Whether the next piece is fetched while the current one is processed. `later` begins with the third piece, for readers that
   * mostly stop in the first; `none` is for readers with very many open tables.
   */
  readonly ahead?: 'next' | 'later' | 'none'
}

/**
 * @param onLost called by `forget` of each LostTable that this or the table's rows throw
 * @returns undefined if there is no such object
 * @throws LostTable if it is damaged, or has another schema
 */
export async function openTable<Row>(
  store: TableStore,
  key: string,
  schema: Schema<Row>,
  onLost?: () => Promise<void>,
): Promise<Table<Row> | undefined> {
  if (++reads % READS_A_TURN === 0) await yieldToRequests()
  const tail = await fetchBytes(store, key, { suffix: TAIL_FETCH_BYTES })
  if (tail === undefined) return undefined
  const place = { store, key, onLost }
  try {
    return new Table(place, schema, await readIndex(store, tail, { key, partCount: schema.parts.length }))
  } catch (error) {
    throw damaged(place, error)
  }
}

/** The location of a table, and what to do if it is damaged. */
type TableLocation = {
  readonly store: TableStore
  readonly key: string
  readonly onLost?: (() => Promise<void>) | undefined
}

/** The index precedes the footer, whose length is in the file's last bytes. */
async function readIndex(
  store: TableStore,
  tail: { readonly size: number; readonly bytes: Uint8Array },
  table: { readonly key: string; readonly partCount: number },
): Promise<GroupIndex> {
  const { key } = table
  const { size } = tail
  const end = new ByteReader(tail.bytes, tail.bytes.length - TAIL_BYTES)
  const footerBytes = end.uint32()
  if (Buffer.compare(end.bytes(MAGIC.length), MAGIC) !== 0) throw new RangeError('not a Parquet file')
  const indexEnd = size - TAIL_BYTES - footerBytes
  let have = { start: size - tail.bytes.length, bytes: tail.bytes }
  const reach = async (start: number): Promise<Uint8Array> => {
    if (start < MAGIC.length) throw new RangeError('the footer length exceeds the file')
    if (start < have.start) {
      const fetched = await fetchBytes(store, key, { offset: start, length: indexEnd - start })
      if (fetched === undefined) throw new RangeError('the object is missing')
      have = { start, bytes: fetched.bytes }
    }
    return have.bytes.subarray(start - have.start, indexEnd - have.start)
  }
  // The index is about a sixth of the footer: usually the first attempt has all of it.
  const guess = Math.max(indexEnd - Math.floor(footerBytes / 4) - INDEX_TAIL_BYTES, MAGIC.length)
  const found = await reach(Math.min(guess, indexEnd - INDEX_TAIL_BYTES))
  const length = indexLength(found.subarray(found.length - INDEX_TAIL_BYTES))
  const start = indexEnd - INDEX_TAIL_BYTES - length
  const index = new GroupIndex(await reach(start), table)
  if (index.end !== start) throw new RangeError('the groups do not fill the file')
  return index
}

export class Table<Row> {
  readonly #place: TableLocation
  readonly #schema: Schema<Row>
  readonly #index: GroupIndex

  constructor(place: TableLocation, schema: Schema<Row>, index: GroupIndex) {
    this.#place = place
    this.#schema = schema
    this.#index = index
  }

  get rowCount(): number {
    return this.#index.rowCount
  }

  /** The same table through another schema with the same parts. */
  as<Other>(schema: Schema<Other>): Table<Other> {
    return new Table(this.#place, schema, this.#index)
  }

  /**
   * The range that contains all rows of a subtree, and few others: the groups that may contain `directory` and what is below
   * it, judged by their first keys. Check rows with `isWithin`. All rows, for a table in another order.
   */
  within(directory: PathKey): RowRange {
    if (directory === '') return { start: 0, end: this.rowCount }
    // Keys below are `directory`, NUL and more; any other key greater than `directory` is not below it.
    return this.#between(directory, `${directory}\x01`)
  }

  /** Likewise the rows that include all rows of one key. */
  at(key: PathKey): RowRange {
    return this.#between(key, `${key}\0`)
  }

  /** Rows of the groups that may contain keys from `from` to before `to`. */
  #between(from: PathKey, to: PathKey): RowRange {
    const { firstRows } = this.#index
    if (!this.#index.hasKeys) return { start: 0, end: this.rowCount }
    const before = this.#index.groupsBefore(from)
    const end = this.#index.groupsPerhapsBefore(to)
    // The group before the first one that begins at or past `from` may end with it.
    return { start: firstRows[Math.max(before - 1, 0)] ?? 0, end: firstRows[end] ?? 0 }
  }

  /**
   * The rows in order, one row group at a time; the next group is fetched meanwhile. Stopping early leaves nothing behind.
   *
   * A row is a view: its properties are getters of its class, so `{...row}` is empty; copy properties one by one, or with
   * `plainRow`. It never changes, and keeps its group in memory.
   *
   * @throws LostTable if the object is missing or damaged
   */
  async *rows<Name extends keyof Row = keyof Row>(
    options: RowsOptions<Name> = {},
  ): AsyncGenerator<readonly Pick<Row, Name>[]> {
    const start = Math.max(options.start ?? 0, 0)
    const end = Math.min(options.end ?? this.rowCount, this.rowCount)
    if (start >= end) return
    const { columns, fetchBytes = 0, ahead = 'next' } = options
    const wanted = this.#wanted(columns)
    const spans = this.#spans(start, end, wanted, fetchBytes)
    const stopped = new AbortController()
    let next: Promise<Uint8Array> | undefined
    try {
      for (const [i, span] of spans.entries()) {
        const data = await (next ?? this.#fetch(span, stopped.signal))
        const following = spans[i + 1]
        const isAhead = ahead === 'next' || (ahead === 'later' && i > 0)
        next = following === undefined || !isAhead ? undefined : this.#fetch(following, stopped.signal)
        // The caller that awaits it gets the error.
        next?.catch(() => {})
        for (let group = span.firstGroup; group < span.endGroup; group++) {
          // Rows that were fetched together still must not block the event loop for long.
          if (++reads % READS_A_TURN === 0) await yieldToRequests()
          else if (group > span.firstGroup) await yieldToEventLoop()
          yield this.#view<Name>(group, { start, end }, wanted, { data, offset: span.offset })
        }
      }
    } finally {
      // What nobody will read would be fetched to its end, and on workerd its file stays open for as long as the request runs.
      stopped.abort()
      await next?.catch(() => {})
    }
  }

  #wanted(names: readonly (keyof Row)[] | undefined): Wanted<Row> {
    const { fields } = this.#schema
    const some = names === undefined ? fields : fields.filter((field) => names.includes(field.name))
    return {
      fields: new Set(some),
      firstPart: Math.min(...some.map((field) => field.firstPart)),
      endPart: Math.max(...some.map((field) => field.firstPart + field.parts.length)),
    }
  }

  /** What is fetched at once. */
  #spans(start: number, end: number, wanted: Wanted<Row>, atMost: number): Span[] {
    const index = this.#index
    const lastGroup = index.groupOf(end - 1)
    const spans: Span[] = []
    for (let group = index.groupOf(start); group <= lastGroup; group++) {
      const groupEnd = index.chunkStart(group, wanted.endPart)
      const open = spans.at(-1)
      if (open !== undefined && groupEnd - open.offset <= atMost) {
        open.endGroup = group + 1
        open.length = groupEnd - open.offset
      } else {
        const offset = index.chunkStart(group, wanted.firstPart)
        spans.push({ firstGroup: group, endGroup: group + 1, offset, length: groupEnd - offset })
      }
    }
    return spans
  }

  async #fetch({ offset, length }: Span, signal: AbortSignal): Promise<Uint8Array> {
    const { store, key, onLost } = this.#place
    const fetched = await fetchBytes(store, key, { offset, length }, signal)
    if (fetched?.bytes.length === length) return fetched.bytes
    throw new LostTable(key, fetched ? 'truncated' : 'missing', onLost)
  }

  /** The requested rows of one group. @param data begins at `offset` of the file */
  #view<Name extends keyof Row>(
    group: number,
    range: RowRange,
    wanted: Wanted<Row>,
    { data, offset }: { readonly data: Uint8Array; readonly offset: number },
  ): readonly Pick<Row, Name>[] {
    const index = this.#index
    const firstRow = index.firstRows[group] ?? 0
    const endRow = index.firstRows[group + 1] ?? 0
    const pages: PageSource = (part) => {
      const [start, end] = [index.chunkStart(group, part), index.chunkStart(group, part + 1)]
      const codec = this.#schema.parts[part]?.codec ?? CODEC.none
      const chunk = data.subarray(start - offset, end - offset)
      index.requireWhole(chunk, group, part)
      return readChunk(chunk, endRow - firstRow, codec)
    }
    const { fields, viewRow } = this.#schema
    const columns = new RowGroup(fields, wanted.fields, pages, this.#place)
    const rows: Pick<Row, Name>[] = []
    const end = Math.min(range.end, endRow) - firstRow
    for (let row = Math.max(range.start - firstRow, 0); row < end; row++) {
      rows.push(viewRow(columns, row))
    }
    return rows
  }
}

/** Which columns are needed, and the range of parts that contains them. */
type Wanted<Row> = {
  readonly fields: ReadonlySet<Field<Row>>
  readonly firstPart: number
  readonly endPart: number
}

type Span = { readonly firstGroup: number; endGroup: number; readonly offset: number; length: number }

/** A row group's columns, each decoded on first access. */
class RowGroup<Row> implements RowSource {
  readonly #fields: readonly Field<Row>[]
  readonly #wanted: ReadonlySet<Field<Row>>
  readonly #pages: PageSource
  readonly #place: TableLocation
  readonly #values: (Values<unknown> | undefined)[]

  constructor(
    fields: readonly Field<Row>[],
    wanted: ReadonlySet<Field<Row>>,
    pages: PageSource,
    place: TableLocation,
  ) {
    this.#fields = fields
    this.#wanted = wanted
    this.#pages = pages
    this.#place = place
    this.#values = new Array<Values<unknown> | undefined>(fields.length).fill(undefined)
  }

  get(field: number, row: number): unknown {
    return (this.#values[field] ?? this.#decode(field)).get(row)
  }

  #decode(number: number): Values<unknown> {
    const field = this.#fields[number]
    if (field === undefined || !this.#wanted.has(field))
      throw new Error(`the column ${String(field?.name)} was not asked for`)
    const pages = new Map<number, DataPage>()
    const source: PageSource = (part) => {
      const page = pages.get(part) ?? this.#pages(field.firstPart + part)
      pages.set(part, page)
      return page
    }
    try {
      const values = field.decode(source)
      this.#values[number] = values
      return values
    } catch (error) {
      throw damaged(this.#place, error)
    }
  }
}

/** A row as a plain object, independent of its group: its properties can be spread, and undefined ones are absent. */
export function plainRow<Row>(schema: Schema<Row>, row: Row): Row {
  const values = schema.fields.map(({ name }) => [name, row[name]]).filter(([, value]) => value !== undefined)
  return Object.fromEntries(values)
}

/** A stored object of an index that is missing or damaged: whatever it was made from must be read again. */
export class LostTable extends Problem {
  readonly key: string
  readonly #onLost: (() => Promise<void>) | undefined
  #forgotten: Promise<void> | undefined

  constructor(key: string, what: string, onLost?: () => Promise<void>) {
    super('store_error', `the stored object ${key} is ${what}; try again`, { retryAfter: 5 })
    this.key = key
    this.#onLost = onLost
  }

  /**
   * Makes the image or layer count as not indexed, so that the next request rebuilds it. Call this wherever the problem is
   * answered: damage is found wherever a row is accessed.
   */
  forget(): Promise<void> {
    this.#forgotten ??= this.#onLost?.() ?? Promise.resolve()
    return this.#forgotten
  }
}

function damaged({ key, onLost }: TableLocation, cause: unknown): Problem {
  if (cause instanceof Problem) return cause
  return new LostTable(key, `damaged: ${cause instanceof Error ? cause.message : cause}`, onLost)
}
