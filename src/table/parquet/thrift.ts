/** Writing Thrift's compact protocol: page headers and footers. (hyparquet reads it.) */
import type { ByteBuffer } from '../byte-buffer.ts'

const TRUE = 1
const FALSE = 2
const I32 = 5
const I64 = 6
const BINARY = 8
const LIST = 9
const STRUCT = 12

export type ListType = typeof I32 | typeof BINARY | typeof STRUCT
export const LIST_OF = { i32: I32, binary: BINARY, struct: STRUCT } as const

/** One struct: its fields in ascending order of their ids, then `end`. */
export class StructWriter {
  readonly out: ByteBuffer
  #last = 0

  constructor(out: ByteBuffer) {
    this.out = out
  }

  i32(id: number, value: number): this {
    this.#field(id, I32)
    this.out.zigzag(value)
    return this
  }

  i64(id: number, value: number): this {
    this.#field(id, I64)
    this.out.zigzag(value)
    return this
  }

  flag(id: number, value: boolean): this {
    this.#field(id, value ? TRUE : FALSE)
    return this
  }

  binary(id: number, value: Uint8Array): this {
    this.#field(id, BINARY)
    this.out.varint(value.length)
    this.out.bytes(value)
    return this
  }

  /** A nested struct: call `end` before the next field of this one. */
  struct(id: number): StructWriter {
    this.#field(id, STRUCT)
    return new StructWriter(this.out)
  }

  /** The head of a list: its items are written next, directly to `out`. */
  list(id: number, type: ListType, count: number): this {
    this.#field(id, LIST)
    this.out.byte((Math.min(count, 15) << 4) | type)
    if (count >= 15) this.out.varint(count)
    return this
  }

  end(): void {
    this.out.byte(0)
  }

  #field(id: number, type: number): void {
    this.out.byte(((id - this.#last) << 4) | type)
    this.#last = id
  }
}
