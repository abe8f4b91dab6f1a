/**
 * The RLE/bit-packed hybrid of the Parquet format (Encodings.md), for widths that never straddle bytes: 1 (definition
 * levels) and 8 (numbers into a dictionary).
 */
import type { ByteBuffer, ByteReader } from '../byte-buffer.ts'

export type HybridWidth = 1 | 8

/** Shorter runs are bit-packed instead. */
const SHORTEST_RUN = 8

export function writeHybrid(out: ByteBuffer, values: Uint8Array, width: HybridWidth): void {
  const count = values.length
  for (let start = 0; start < count; ) {
    const run = runLength(values, start)
    if (run >= SHORTEST_RUN) {
      out.varint(run * 2)
      out.byte(values[start] ?? 0)
      start += run
      continue
    }
    let end = start
    do end += 8
    while (end < count && !beginsRun(values, end))
    pack(out, values.subarray(start, end), width)
    start = end
  }
}

function runLength(values: Uint8Array, start: number): number {
  let end = start + 1
  while (end < values.length && values[end] === values[start]) end++
  return end - start
}

function beginsRun(values: Uint8Array, start: number): boolean {
  for (let i = start + 1; i < start + SHORTEST_RUN; i++) if (values[i] !== values[start]) return false
  return true
}

/** In groups of 8; the last is padded with zeros. */
function pack(out: ByteBuffer, values: Uint8Array, width: HybridWidth): void {
  const groups = Math.ceil(values.length / 8)
  out.varint(groups * 2 + 1)
  if (width === 8) {
    for (let i = 0; i < groups * 8; i++) out.byte(values[i] ?? 0)
    return
  }
  for (let i = 0; i < groups * 8; i += 8) {
    let bits = 0
    for (let bit = 0; bit < 8; bit++) bits |= (values[i + bit] ?? 0) << bit
    out.byte(bits)
  }
}

/**
 * Fills all of `values`.
 *
 * @throws RangeError if the bytes end before that
 */
export function readHybrid(input: ByteReader, values: Uint8Array, width: HybridWidth): void {
  for (let filled = 0; filled < values.length; ) {
    const header = input.varint()
    const length = header % 2 === 0 ? header / 2 : ((header - 1) / 2) * 8
    if (length === 0) throw new RangeError('a run is empty')
    const end = Math.min(filled + length, values.length)
    if (header % 2 === 0) {
      values.fill(input.byte(), filled, end)
    } else if (width === 8) {
      values.set(input.bytes(length).subarray(0, end - filled), filled)
    } else {
      const packed = input.bytes(length / 8)
      for (let i = filled, bit = 0; i < end; i++, bit++)
        values[i] = ((packed[bit >>> 3] ?? 0) >>> (bit & 7)) & 1
    }
    filled = end
  }
}
