/** The footer of a Parquet file (parquet.thrift, `FileMetaData`), which all readers except this service use. */
import { encodeText, toBytes } from '../../text/bytes.ts'
import { ByteBuffer } from '../byte-buffer.ts'
import type { Part } from '../column.ts'
import type { Bounds } from './byte-array.ts'
import type { ChunkSizes } from './page.ts'
import { LIST_OF, StructWriter } from './thrift.ts'

export const MAGIC = Uint8Array.from([80, 65, 82, 49])
/** The footer's length and the magic number: the last bytes of every Parquet file. */
export const TAIL_BYTES = 8

/** Numbers of the enum `Type`. */
const TYPE = { boolean: 0, int32: 1, int64: 2, byteArray: 6, fixed: 7 } as const
/** Numbers of the enum `ConvertedType`, for readers that do not know logical types. */
const CONVERTED = { string: 0, timestamp: 10 } as const
const REQUIRED = 0
const OPTIONAL = 1
const RLE = 3
const CREATED_BY = 'lamina'

/** A key and a value in the footer, for readers that know the key. */
export type KeyValue = { readonly name: string; readonly value: Uint8Array }

export type Chunk = ChunkSizes & {
  readonly valueCount: number
  readonly bounds?: Bounds | undefined
}

/** Collects row groups as they are written, each in its encoded form for the footer. */
export class Footer {
  readonly #parts: readonly Part[]
  readonly #groups = new ByteBuffer(4096)
  #groupCount = 0
  #rowCount = 0

  constructor(parts: readonly Part[]) {
    this.#parts = parts
  }

  /** @param offset of the group's first byte; its chunks follow each other */
  add(rowCount: number, offset: number, chunks: readonly Chunk[]): void {
    const out = this.#groups
    const group = new StructWriter(out).list(1, LIST_OF.struct, chunks.length)
    let rawBytes = 0
    let position = offset
    for (const [i, chunk] of chunks.entries()) {
      const part = this.#parts[i]
      if (part === undefined) throw new RangeError('a column chunk belongs to no column')
      writeColumnChunk(out, part, chunk, { rowCount, offset: position })
      rawBytes += chunk.rawBytes
      position += chunk.storedBytes
    }
    group
      .i64(2, rawBytes)
      .i64(3, rowCount)
      .i64(5, offset)
      .i64(6, position - offset)
      .end()
    this.#groupCount++
    this.#rowCount += rowCount
  }

  /** The footer with its length and the magic number, in pieces: the end of the file. Can be created more than once. */
  *finish(metadata?: KeyValue): Generator<Uint8Array<ArrayBuffer>> {
    const out = new ByteBuffer(4096)
    const file = new StructWriter(out).i32(1, 2).list(2, LIST_OF.struct, this.#parts.length + 1)
    new StructWriter(out).binary(4, toBytes('table')).i32(5, this.#parts.length).end()
    for (const part of this.#parts) writeSchemaElement(out, part)
    file.i64(3, this.#rowCount).list(4, LIST_OF.struct, this.#groupCount)
    const beforeGroups = out.length
    yield out.copy()
    // With many groups the footer is large, so they are written in the pieces in which they were collected.
    yield this.#groups.view()
    out.length = 0
    if (metadata !== undefined) {
      file.list(5, LIST_OF.struct, 1)
      new StructWriter(out).binary(1, toBytes(metadata.name)).binary(2, metadata.value).end()
    }
    file.binary(6, toBytes(CREATED_BY)).list(7, LIST_OF.struct, this.#parts.length)
    for (const _ of this.#parts) {
      const order = new StructWriter(out)
      order.struct(1).end()
      order.end()
    }
    file.end()
    out.uint32(beforeGroups + this.#groups.length + out.length)
    out.bytes(MAGIC)
    yield out.copy()
  }
}

function writeSchemaElement(out: ByteBuffer, part: Part): void {
  const element = new StructWriter(out).i32(1, TYPE[part.type])
  if (part.typeLength !== undefined) element.i32(2, part.typeLength)
  element.i32(3, part.optional ? OPTIONAL : REQUIRED).binary(4, toBytes(encodeText(part.name)))
  if (part.logical !== undefined) {
    element.i32(6, CONVERTED[part.logical])
    const logical = element.struct(10)
    if (part.logical === 'string') logical.struct(1).end()
    else writeMicroseconds(logical.struct(8))
    logical.end()
  }
  element.end()
}

/** `TimestampType`, in UTC. */
function writeMicroseconds(timestamp: StructWriter): void {
  const unit = timestamp.flag(1, true).struct(2)
  unit.struct(2).end()
  unit.end()
  timestamp.end()
}

function writeColumnChunk(
  out: ByteBuffer,
  part: Part,
  chunk: Chunk,
  { rowCount, offset }: { readonly rowCount: number; readonly offset: number },
): void {
  const column = new StructWriter(out).i64(2, 0)
  const data = column.struct(3).i32(1, TYPE[part.type])
  const encodings = [...new Set([RLE, chunk.encoding])]
  data.list(2, LIST_OF.i32, encodings.length)
  for (const encoding of encodings) out.zigzag(encoding)
  data.list(3, LIST_OF.binary, 1)
  const name = encodeText(part.name)
  out.varint(name.length)
  out.latin1(name)
  data.i32(4, part.codec).i64(5, rowCount).i64(6, chunk.rawBytes).i64(7, chunk.storedBytes)
  data.i64(9, offset + chunk.dictionaryBytes)
  if (chunk.dictionaryBytes > 0) data.i64(11, offset)
  if (chunk.bounds !== undefined) {
    const { least, greatest } = chunk.bounds
    const statistics = data.struct(12).i64(3, rowCount - chunk.valueCount)
    statistics.binary(5, toBytes(greatest)).binary(6, toBytes(least)).end()
  }
  data.end()
  column.end()
}
