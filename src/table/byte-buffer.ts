/** A growing buffer of bytes, into which pages, page headers and footers are written. */
import type { ByteString } from '../text/bytes.ts'

const TWO_32 = 2 ** 32
/** Shorter strings are written byte by byte, which is faster than a call. */
const LONG = 128

export class ByteBuffer {
  /** The bytes written so far, with room behind them. */
  data: Uint8Array<ArrayBuffer>
  length = 0

  constructor(capacity = 256) {
    this.data = new Uint8Array(capacity)
  }

  /** A view of the bytes written so far: valid until the next write. */
  view(): Uint8Array<ArrayBuffer> {
    return this.data.subarray(0, this.length)
  }

  /** A copy of the bytes written so far. */
  copy(): Uint8Array<ArrayBuffer> {
    return this.data.slice(0, this.length)
  }

  /** Makes room for `count` more bytes. */
  reserve(bytes: number): void {
    if (this.length + bytes <= this.data.length) return
    const grown = new Uint8Array(Math.max(this.data.length * 2, this.length + bytes))
    grown.set(this.view())
    this.data = grown
  }

  byte(value: number): void {
    this.reserve(1)
    this.data[this.length++] = value
  }

  bytes(value: Uint8Array): void {
    this.reserve(value.length)
    this.data.set(value, this.length)
    this.length += value.length
  }

  latin1(value: ByteString): void {
    this.reserve(value.length)
    const { data, length } = this
    this.length += value.length
    if (value.length > LONG) Buffer.from(data.buffer, length, value.length).write(value, 'latin1')
    else for (let i = 0; i < value.length; i++) data[length + i] = value.charCodeAt(i)
  }

  /** @param value 0 to 2^32 - 1 */
  uint32(value: number): void {
    this.reserve(4)
    this.data[this.length++] = value
    this.data[this.length++] = value >>> 8
    this.data[this.length++] = value >>> 16
    this.data[this.length++] = value >>> 24
  }

  /** @param value any integer that a double holds exactly */
  int64(value: number): void {
    this.uint32(value >>> 0)
    this.uint32(Math.floor(value / TWO_32) >>> 0)
  }

  /** Unsigned LEB128. @param value 0 to 2^53 */
  varint(value: number): void {
    let rest = value
    while (rest >= 128) {
      this.byte((rest % 128) | 128)
      rest = Math.floor(rest / 128)
    }
    this.byte(rest)
  }

  /** A signed number as LEB128, small ones in few bytes. @param value -2^52 to 2^52 */
  zigzag(value: number): void {
    this.varint(value < 0 ? -2 * value - 1 : 2 * value)
  }
}

/** Reads what `ByteBuffer` writes. Throws if the bytes end too early. */
export class ByteReader {
  readonly data: Uint8Array
  offset: number

  constructor(data: Uint8Array, offset = 0) {
    this.data = data
    this.offset = offset
  }

  byte(): number {
    const value = this.data[this.offset++]
    if (value === undefined) throw new RangeError('unexpected end of data')
    return value
  }

  /** A view of the next bytes. */
  bytes(length: number): Uint8Array {
    const end = this.offset + length
    if (!(length >= 0) || end > this.data.length) throw new RangeError('unexpected end of data')
    const value = this.data.subarray(this.offset, end)
    this.offset = end
    return value
  }

  uint32(): number {
    return (this.byte() | (this.byte() << 8) | (this.byte() << 16) | (this.byte() << 24)) >>> 0
  }

  varint(): number {
    let value = 0
    for (let unit = 1; unit <= 2 ** 49; unit *= 128) {
      const byte = this.byte()
      value += (byte & 127) * unit
      if (byte < 128) return value
    }
    throw new RangeError('a number has too many bytes')
  }

  zigzag(): number {
    const value = this.varint()
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2
  }
}
