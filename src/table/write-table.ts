/** Writing a table: rows in, a Parquet file out, one row group in memory at a time. */
import { crc32 } from 'node:zlib'
import type { ObjectStore } from '../host.ts'
import type { PathKey } from '../text/path.ts'
import { ByteBuffer } from './byte-buffer.ts'
import type { PageSink } from './column.ts'
import { type BoundKey, boundKeyOf, GroupIndexWriter, type IndexedChunk } from './group-index.ts'
import { type Chunk, Footer, MAGIC } from './parquet/footer.ts'
import { CODEC, writeChunk } from './parquet/page.ts'
import { putChunks } from './put-chunks.ts'
import type { Schema } from './schema.ts'

/** A page of a listing or a subtree reads few groups, and each of many open tables holds one. */
const GROUP_ROWS = 2000
/** Bytes of names, links and the like in one group, so that long ones do not make a large one. */
const GROUP_BYTES = 128 * 1024
/** After this many groups they grow larger, so that the index held in memory stays bounded, here and in readers. */
const MANY_GROUPS = 4096
const LATER_GROUP_BYTES = 4 * GROUP_BYTES

/** Turns rows into the file's bytes: write the results of `add` and `finish` in that order. */
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

  /** Takes one row; the bytes of a group when it makes one full. */
  add(row: Row): Uint8Array<ArrayBuffer> | undefined {
    for (const field of this.#weighed) this.#bytes += field.weigh?.(row) ?? 0
    this.rowCount++
    const mostBytes = this.#groupCount < MANY_GROUPS ? GROUP_BYTES : LATER_GROUP_BYTES
    if (this.#rows.push(row) < GROUP_ROWS && this.#bytes < mostBytes) return undefined
    return this.#encodeGroup()
  }

  /** The last group, the index and the footer. @param key of the object that they are the end of */
  *finish(key: string): Generator<Uint8Array<ArrayBuffer>> {
    if (this.#rows.length > 0 || this.#offset === 0) yield this.#encodeGroup()
    yield this.#index.finish(key)
    yield* this.#footer.finish()
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

  /** @throws Error if the rows are not in order: a table that is looked up in wrongly is worse than none */
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
 * Writes rows as they come. The same rows make the same bytes; a slow store slows the caller down.
 *
 * @param batches in the order of the schema's `sortKey`, if it has one
 * @returns the number of rows
 * @throws whatever `batches` throws, and then there is no such object
 */
export async function writeTable<Row>(
  store: ObjectStore,
  place: string | BoundKey,
  schema: Schema<Row>,
  batches: AsyncIterable<readonly Row[]>,
): Promise<number> {
  const { key, boundTo } = boundKeyOf(place)
  const encoder = new TableEncoder(schema)
  await putChunks(store, key, encode(encoder, boundTo, batches))
  return encoder.rowCount
}

async function* encode<Row>(
  encoder: TableEncoder<Row>,
  key: string,
  batches: AsyncIterable<readonly Row[]>,
): AsyncGenerator<Uint8Array> {
  for await (const batch of batches) {
    for (const row of batch) {
      const group = encoder.add(row)
      if (group !== undefined) yield group
    }
  }
  yield* encoder.finish(key)
}
