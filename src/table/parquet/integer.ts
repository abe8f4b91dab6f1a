/** Columns of integers: packed differences if these are exact, otherwise plain numbers. */
import { type ByteBuffer, ByteReader } from '../byte-buffer.ts'
import { fitsDeltas, readDeltas, writeDeltas } from './delta.ts'
import { type DataPage, ENCODING, type PageBody, pageBuffer } from './page.ts'

type Bits = 32 | 64

let scratch = new Float64Array(4096)

export function writeIntegers(values: readonly number[], bits: Bits): PageBody {
  const count = values.length
  const numbers = room(count)
  for (let i = 0; i < count; i++) numbers[i] = values[i] ?? 0
  const body = pageBuffer()
  const isPacked = fitsDeltas(numbers, count, bits)
  if (isPacked) writeDeltas(body, numbers, count)
  else for (let i = 0; i < count; i++) writePlain(body, numbers[i] ?? 0, bits)
  const encoding = isPacked ? ENCODING.deltaBinaryPacked : ENCODING.plain
  return { encoding, valueCount: count, body }
}

function writePlain(body: ByteBuffer, value: number, bits: Bits): void {
  if (bits === 32) body.uint32(value >>> 0)
  else body.int64(value)
}

/** A single number if all are equal, otherwise the narrowest possible array. */
export function readIntegers(page: DataPage, bits: Bits): number | Int32Array | Float64Array {
  const numbers = room(page.valueCount)
  const reader = new ByteReader(page.body)
  if (page.encoding === ENCODING.deltaBinaryPacked) {
    if (readDeltas(reader, numbers) !== page.valueCount)
      throw new RangeError('the number of integers differs')
  } else if (page.encoding === ENCODING.plain) {
    for (let i = 0; i < page.valueCount; i++) numbers[i] = readPlain(reader, bits)
  }
  if (reader.offset !== page.body.length) throw new RangeError('there is data after the integers')
  return narrowed(numbers.subarray(0, page.valueCount))
}

function readPlain(reader: ByteReader, bits: Bits): number {
  const low = reader.uint32()
  return bits === 32 ? low | 0 : (reader.uint32() | 0) * 2 ** 32 + low
}

function narrowed(numbers: Float64Array): number | Int32Array | Float64Array {
  const first = numbers[0] ?? 0
  let isConstant = true
  let isNarrow = true
  for (let i = 0; i < numbers.length; i++) {
    const value = numbers[i] ?? 0
    if (value !== first) isConstant = false
    if (value !== (value | 0)) isNarrow = false
  }
  if (isConstant) return first
  return isNarrow ? new Int32Array(numbers) : numbers.slice()
}

function room(count: number): Float64Array {
  if (scratch.length < count) scratch = new Float64Array(count * 2)
  return scratch
}
