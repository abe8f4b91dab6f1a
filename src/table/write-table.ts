/** Writing a table: rows in, a Parquet file out, one row group in memory at a time. */
import { crc32 } from 'node:zlib'
import type { ObjectStore } from '../host.ts'
import type { PathKey } from '../text/path.ts'
import { ByteBuffer } from './byte-buffer.ts'
import type { PageSink } from './column.ts'
import { GroupIndexWriter, type IndexedChunk } from './group-index.ts'
import { type Chunk, Footer, type KeyValue, MAGIC } from './parquet/footer.ts'
import { CODEC, writeChunk } from './parquet/page.ts'
import type { StoredPart } from './part.ts'
import { putChunks } from './put-chunks.ts'
import type { Schema } from './schema.ts'

/** A page of a listing or a subtree reads few groups, and each of many open tables holds one in memory. */
const GROUP_ROWS = 2000
/** Bytes of names, links and the like in one group, so that long ones do not make a group large. */
const GROUP_BYTES = 128 * 1024
/** After this many groups they grow larger, so that the index held in memory stays bounded, here and in readers. */
const MANY_GROUPS = 4096
const LATER_GROUP_BYTES = 4 * GROUP_BYTES

/** What an object has besides a table, between its rows and its footer: Parquet readers skip it. */
export type TableEnd = {
  /** Each generates the bytes of one part. */
  readonly parts: readonly (() => AsyncIterable<Uint8Array>)[]
  /** Created once the positions of the parts are known. */
  readonly metadata: (parts: readonly StoredPart[]) => KeyValue
}

/** The target of a table. `end` is called when all rows are written. */
export type TableTarget = { readonly key: string; readonly end?: () => TableEnd | Promise<TableEnd> }

/** Turns rows into the file's bytes: write the results of `add`, `close` and `finish` in that order. */
export class TableEncoder<Row> {
  readonly #schema: Schema<Row>
  readonly #weighed: Schema<Row>['fields']
  readonly #footer: Footer
  readonly #index: GroupIndexWriter
  readonly #chunks = new ByteBuffer(1 << 16)
  #rows: Row[] = []
  #bytes = 0
  #offset = 0
  #groupCount = 0
  #lastKey: PathKey | undefined
  /** Rows taken so far. */
  rowCount = 0

  constructor(schema: Schema<Row>) {
    this.#schema = schema
    this.#weighed = schema.fields.filter((field) => field.weigh !== undefined)
    this.#footer = new Footer(schema.parts)
    this.#index = new GroupIndexWriter(schema.parts.length, schema.sortKey !== undefined)
  }

  /** Adds one row; returns the bytes of a group when the row completes it. */
  add(row: Row): Uint8Array<ArrayBuffer> | undefined {
    for (const field of this.#weighed) this.#bytes += field.weigh?.(row) ?? 0
    this.rowCount++
    const mostBytes = this.#groupCount < MANY_GROUPS ? GROUP_BYTES : LATER_GROUP_BYTES
    if (this.#rows.push(row) < GROUP_ROWS && this.#bytes < mostBytes) return undefined
    return this.#encodeGroup()
  }

  /** Bytes of the groups so far, with the magic number before them. */
  get bytes(): number {
    return this.#offset
  }

  /** The bytes of the last group, if any rows are left. */
  close(): Uint8Array<ArrayBuffer> | undefined {
    return this.#rows.length > 0 || this.#offset === 0 ? this.#encodeGroup() : undefined
  }

  /**
   * The index and the footer; may be called repeatedly.
   *
   * @param key of the object that they end
   * @param besides bytes between the groups and them
   */
  *finish(
    key: string,
    besides: { readonly bytes: number; readonly metadata?: KeyValue } = { bytes: 0 },
  ): Generator<Uint8Array<ArrayBuffer>> {
    yield this.#index.finish(key, besides.bytes)
    yield* this.#footer.finish(besides.metadata)
  }

  #encodeGroup(): Uint8Array<ArrayBuffer> {
    const rows = this.#rows
    const out = this.#chunks
    out.length = 0
    if (this.#offset === 0) out.bytes(MAGIC)
    const start = out.length
    const chunks: (Chunk & IndexedChunk)[] = []
    for (const field of rows.length === 0 ? [] : this.#schema.fields) {
      const sink: PageSink = (part, pageRows, page, bounds) => {
        const from = out.length
        const sizes = writeChunk(out, pageRows, page, field.parts[part]?.codec ?? CODEC.none)
        const sum = crc32(out.view().subarray(from))
        chunks[field.firstPart + part] = { ...sizes, valueCount: page.valueCount, bounds, crc32: sum }
      }
      field.encode(rows, sink)
    }
    if (rows.length > 0) {
      this.#footer.add(rows.length, this.#offset + start, chunks)
      this.#index.add(rows.length, chunks, this.#firstKey(rows))
    }
    this.#offset += out.length
    this.#groupCount++
    this.#rows = []
    this.#bytes = 0
    return out.copy()
  }

  /** @throws Error if the rows are not in order: a table in which lookups fail is worse than none */
  #firstKey(rows: readonly Row[]): PathKey | undefined {
    const { sortKey } = this.#schema
    const first = rows[0]
    const last = rows.at(-1)
    if (sortKey === undefined || first === undefined || last === undefined) return undefined
    const firstKey = sortKey(first)
    if (this.#lastKey !== undefined && firstKey < this.#lastKey) throw new Error('the rows are not sorted')
    this.#lastKey = sortKey(last)
    return firstKey
  }
}

/**
 * Writes rows as they arrive. The same rows give the same bytes; a slow store slows the caller down.
 *
 * @param batches in the order of the schema's `sortKey`, if it has one
 * @returns the encoder, closed
 * @throws whatever `batches` or the target's end throws, and then there is no such object
 */
export async function writeTable<Row>(
  store: ObjectStore,
  target: string | TableTarget,
  schema: Schema<Row>,
  batches: AsyncIterable<readonly Row[]>,
): Promise<TableEncoder<Row>> {
  const encoder = new TableEncoder(schema)
  await putTable(store, targetOf(target), encoder, encode(encoder, batches))
  return encoder
}

/**
 * The bytes of a table that is a part of another object: the same as those of a file of its own.
 *
 * @param name by which it is opened
 */
export async function* encodeTable<Row>(
  name: string,
  schema: Schema<Row>,
  batches: AsyncIterable<readonly Row[]>,
): AsyncGenerator<Uint8Array> {
  const encoder = new TableEncoder(schema)
  yield* withEnd({ key: name }, encoder, encode(encoder, batches))
}

function targetOf(target: string | TableTarget): TableTarget {
  return typeof target === 'string' ? { key: target } : target
}

/**
 * Stores a table whose rows are encoded already.
 *
 * @param groups what the encoder returned for them, and nothing else
 */
export async function putTable<Row>(
  store: ObjectStore,
  target: TableTarget,
  encoder: TableEncoder<Row>,
  groups: AsyncIterable<Uint8Array>,
): Promise<void> {
  await putChunks(store, target.key, withEnd(target, encoder, groups))
}

async function* withEnd<Row>(
  { key, end }: TableTarget,
  encoder: TableEncoder<Row>,
  groups: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  yield* groups
  const besides = end && (yield* writeParts(encoder.bytes, await end()))
  yield* encoder.finish(key, besides)
}

/** @param start of the first part */
async function* writeParts(
  start: number,
  { parts, metadata }: TableEnd,
): AsyncGenerator<Uint8Array, { readonly bytes: number; readonly metadata: KeyValue }> {
  const written: StoredPart[] = []
  let offset = start
  for (const part of parts) {
    let bytes = 0
    for await (const chunk of part()) {
      bytes += chunk.length
      yield chunk
    }
    written.push({ offset, bytes })
    offset += bytes
  }
  return { bytes: offset - start, metadata: metadata(written) }
}

async function* encode<Row>(
  encoder: TableEncoder<Row>,
  batches: AsyncIterable<readonly Row[]>,
): AsyncGenerator<Uint8Array> {
  for await (const batch of batches) {
    for (const row of batch) {
      const group = encoder.add(row)
      if (group !== undefined) yield group
    }
  }
  const last = encoder.close()
  if (last !== undefined) yield last
}
