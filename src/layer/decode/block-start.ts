/**
 * Resumes a deflate stream (RFC 1951) at a block that begins in the middle of a byte, using only zlib's public functions: zlib
 * is given a stream with a made-up beginning. It consists of a stored block with the window, which is inflated into the 32 KiB
 * that later blocks refer to, and of empty blocks of as many bits as are needed to reach that bit.
 */

/** How far back a deflate stream refers. */
export const WINDOW_BYTES = 32 * 1024
const STORED_HEADER = 5

type Bits = { readonly bytes: Uint8Array; readonly count: number }

/** An empty block with fixed codes, as bits in stream order: not final, kind 1, the end. Ten bits. */
const FIXED_EMPTY = '0100000000'
/**
 * An empty block with dynamic codes: 91 bits, an odd number. Not final, kind 2; 257 literal codes, 1 distance code; 18 code
 * lengths, of which 18 (a run of zeros) and 1 take one bit each; the codes of literal 0 and of the end take a bit, with 255
 * zeros between them; the distance code takes a bit; the end.
 */
const DYNAMIC_EMPTY = [
  '001',
  '00000' + '00000' + '0111',
  `${'000'.repeat(2)}100${'000'.repeat(14)}100`,
  '0' + '1' + '1111111' + '1' + '0101011' + '0' + '0',
  '1',
].join('')

/** For each bit position in a byte, empty blocks that end there. */
const EMPTY_BLOCKS: readonly Bits[] = [
  '',
  DYNAMIC_EMPTY + FIXED_EMPTY.repeat(3),
  FIXED_EMPTY,
  DYNAMIC_EMPTY,
  FIXED_EMPTY.repeat(2),
  DYNAMIC_EMPTY + FIXED_EMPTY,
  FIXED_EMPTY.repeat(3),
  DYNAMIC_EMPTY + FIXED_EMPTY.repeat(2),
].map(packBits)

/** Deflate fills bytes from their lowest bit. */
function packBits(bits: string): Bits {
  const bytes = new Uint8Array((bits.length >> 3) + 1)
  for (let i = 0; i < bits.length; i++)
    if (bits[i] === '1') bytes[i >> 3] = (bytes[i >> 3] ?? 0) | (1 << (i & 7))
  return { bytes, count: bits.length }
}

export type BitStart = {
  /** The decompressed bytes before the block, at most `WINDOW_BYTES`. */
  readonly window: Uint8Array
  /** The first byte with bits of the block. */
  readonly byte: number
  /** Position of the block in that byte, from the lowest bit; lower bits belong to the previous block. */
  readonly bit: number
}

/**
 * What to inflate instead of the byte where the block begins: it yields the window again, to be dropped, and continues with the
 * block once the following bytes are fed.
 */
export function resumingBytes({ window, byte, bit }: BitStart): Uint8Array {
  const empty = EMPTY_BLOCKS[bit]
  if (empty === undefined) throw new RangeError('a byte has bits 0 to 7')
  const bytes = new Uint8Array(STORED_HEADER + window.length + (empty.count >> 3) + 1)
  bytes.set([
    0,
    window.length & 0xff,
    window.length >> 8,
    ~window.length & 0xff,
    (~window.length >> 8) & 0xff,
  ])
  bytes.set(window, STORED_HEADER)
  bytes.set(empty.bytes, STORED_HEADER + window.length)
  const mask = (1 << bit) - 1
  const last = bytes.length - 1
  bytes[last] = ((bytes[last] ?? 0) & mask) | (byte & ~mask)
  return bytes
}
