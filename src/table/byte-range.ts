/** Ranges of bytes within an object. */
import type { ByteRange } from '../host.ts'

/** Where a range of an object of this size begins and ends; what exceeds the object is left out. */
export function boundsOf(range: ByteRange, size: number): { readonly start: number; readonly end: number } {
  const [start, end] =
    'suffix' in range ? [size - range.suffix, size] : [range.offset, range.offset + range.length]
  return { start: Math.min(Math.max(start, 0), size), end: Math.min(end, size) }
}
