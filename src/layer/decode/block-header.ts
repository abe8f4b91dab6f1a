/**
 * Whether a deflate block (RFC 1951) can begin at a bit, judged by its first bytes alone: this excludes most wrong bits without
 * zlib. If the bytes do not decide, the answer is yes.
 */

/** Bits from a position on, at most 16; past the end they are 0. */
export function bitsAt(bytes: Uint8Array, at: number, count: number): number {
  const byte = at >> 3
  const three = (bytes[byte] ?? 0) | ((bytes[byte + 1] ?? 0) << 8) | ((bytes[byte + 2] ?? 0) << 16)
  return (three >> (at & 7)) & ((1 << count) - 1)
}

/** Bits in stream order, lowest bit of a byte first. Past the end it is `isPast`, and all bits are 0. */
class BitReader {
  readonly #bytes: Uint8Array
  #at: number

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes
    this.#at = at
  }

  get isPast(): boolean {
    return this.#at > 8 * this.#bytes.length
  }

  /** @param count at most 16 */
  bits(count: number): number {
    const value = this.peek(count)
    this.#at += count
    return value
  }

  /** The next bits, which stay. */
  peek(count: number): number {
    return bitsAt(this.#bytes, this.#at, count)
  }

  skip(count: number): void {
    this.#at += count
  }

  /** A Huffman code: highest bit first. */
  code(count: number, before = 0): number {
    let value = before
    for (let i = 0; i < count; i++) value = (value << 1) | this.bits(1)
    return value
  }
}

const KIND = { stored: 0, fixed: 1, dynamic: 2 } as const

/** The output of the block, which is not empty, and what precedes it. */
type Given = { readonly output: Uint8Array; readonly window: Uint8Array }

/** @param place the bit of `bytes` where the block would begin */
export function mayBegin(bytes: Uint8Array, place: number, given: Given): boolean {
  const input = new BitReader(bytes, place + 1)
  switch (input.bits(2)) {
    case KIND.stored:
      return mayBeStored(bytes, storedLength(place), given.output)
    case KIND.fixed:
      return mayBeFixed(input, given)
    case KIND.dynamic:
      return mayBeDynamic(input)
    default:
      return false
  }
}

/** Position of the length of a stored block whose header is at this bit. */
export function storedLength(place: number): number {
  return (place + 3 + 7) >> 3
}

function mayBeStored(bytes: Uint8Array, at: number, output: Uint8Array): boolean {
  // If the bytes end here, nothing is known.
  if (at + 4 > bytes.length) return true
  const [a = 0, b = 0, c = 0, d = 0] = bytes.subarray(at, at + 4)
  if ((a ^ c) !== 0xff || (b ^ d) !== 0xff) return false
  const length = a + 256 * b
  return length === 0 || bytes.length <= at + 4 || bytes[at + 4] === output[0]
}

/** How many symbols are checked: far fewer expose a wrong position. */
const MOST_SYMBOLS = 64

function mayBeFixed(input: BitReader, { output, window }: Given): boolean {
  let at = 0
  for (let symbols = 0; symbols < MOST_SYMBOLS && at < output.length; symbols++) {
    const symbol = fixedSymbol(input)
    if (input.isPast || symbol === END_OF_BLOCK) return true
    if (symbol < END_OF_BLOCK) {
      if (symbol !== output[at++]) return false
      continue
    }
    const copy = readCopy(input, symbol)
    if (input.isPast) return true
    if (copy === undefined) return false
    for (const end = Math.min(at + copy.length, output.length); at < end; at++) {
      const from = at - copy.distance
      if (output[at] !== (from >= 0 ? output[from] : window[window.length + from])) return false
    }
  }
  return true
}

/** 3.2.5: groups of codes with one more extra bit each. Undefined for an unassigned code. */
function readCopy(
  input: BitReader,
  symbol: number,
): { readonly length: number; readonly distance: number } | undefined {
  if (symbol > 285) return undefined
  const length = symbol === 285 ? 258 : 3 + readValue(input, symbol - 257, 4)
  const code = input.code(5)
  return code >= MOST_DISTANCES ? undefined : { length, distance: 1 + readValue(input, code, 2) }
}

/** @param group codes of one number of extra bits; the first two groups have none */
function readValue(input: BitReader, code: number, group: number): number {
  if (code < 2 * group) return code
  const extra = Math.floor(code / group) - 1
  return ((group + (code % group)) << extra) + input.bits(extra)
}

/** 3.2.6: codes of 7 to 9 bits. */
function fixedSymbol(input: BitReader): number {
  const seven = input.code(7)
  if (seven < 0b0011000) return 256 + seven
  const eight = input.code(1, seven)
  if (eight >= 0b00110000 && eight < 0b11000000) return eight - 0b00110000
  if (eight >= 0b11000000 && eight < 0b11001000) return 280 + eight - 0b11000000
  return 144 + input.code(1, eight) - 0b110010000
}

/** The order in which the lengths of the code length codes are stored. */
const ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15] as const
const MOST_LITERALS = 286
const MOST_DISTANCES = 30
const LONGEST_CODE = 15
/** The longest code of a code length. */
const LONGEST_LENGTH_CODE = 7
const END_OF_BLOCK = 256

/** 3.2.7, as strict as zlib is. */
function mayBeDynamic(input: BitReader): boolean {
  const literals = 257 + input.bits(5)
  const distances = 1 + input.bits(5)
  if (literals > MOST_LITERALS || distances > MOST_DISTANCES) return false
  const count = 4 + input.bits(4)
  const lengthLengths = new Uint8Array(ORDER.length)
  for (const symbol of ORDER.slice(0, count)) lengthLengths[symbol] = input.bits(3)
  if (input.isPast) return true
  if (!isComplete(lengthLengths)) return false
  const lengths = readLengths(input, lengthLengths, literals + distances)
  if (lengths === undefined) return input.isPast
  if (lengths[END_OF_BLOCK] === 0) return false
  return isCodeOfZlib(lengths.subarray(0, literals)) && isCodeOfZlib(lengths.subarray(literals))
}

/** Undefined if the lengths are not well-formed, or the bytes end. */
function readLengths(input: BitReader, lengthLengths: Uint8Array, count: number): Uint8Array | undefined {
  const symbols = symbolsOf(lengthLengths)
  const lengths = new Uint8Array(count)
  for (let at = 0; at < count; ) {
    const symbol = symbols[input.peek(LONGEST_LENGTH_CODE)] ?? 0
    input.skip(lengthLengths[symbol] ?? 0)
    if (input.isPast) return undefined
    if (symbol < 16) {
      lengths[at++] = symbol
      continue
    }
    if (symbol === 16 && at === 0) return undefined
    const value = symbol === 16 ? (lengths[at - 1] ?? 0) : 0
    const times = symbol === 16 ? 3 + input.bits(2) : symbol === 17 ? 3 + input.bits(3) : 11 + input.bits(7)
    if (input.isPast || at + times > count) return undefined
    lengths.fill(value, at, at + times)
    at += times
  }
  return lengths
}

/** The symbol of each sequence of bits that begins with its code; the codes are complete. */
function symbolsOf(lengths: Uint8Array): Uint8Array {
  const symbols = new Uint8Array(1 << LONGEST_LENGTH_CODE)
  let code = 0
  for (let length = 1; length <= LONGEST_LENGTH_CODE; length++) {
    code <<= 1
    for (const [symbol, its] of lengths.entries()) {
      if (its !== length) continue
      const step = 1 << length
      for (let bits = reversed(code++, length); bits < symbols.length; bits += step) symbols[bits] = symbol
    }
  }
  return symbols
}

/** Codes are stored from their highest bit on, while bytes are filled from their lowest. */
function reversed(code: number, length: number): number {
  let bits = 0
  for (let i = 0; i < length; i++) bits |= ((code >> i) & 1) << (length - 1 - i)
  return bits
}

/** How much of the code space is left, in codes of the longest length; negative if the codes do not fit. */
function leftOver(lengths: Uint8Array): number {
  let left = 1 << LONGEST_CODE
  for (const length of lengths) if (length > 0) left -= 1 << (LONGEST_CODE - length)
  return left
}

function isComplete(lengths: Uint8Array): boolean {
  return leftOver(lengths) === 0
}

/** Complete, or with a single code of one bit, or without any. */
function isCodeOfZlib(lengths: Uint8Array): boolean {
  const left = leftOver(lengths)
  return left === 0 || (left > 0 && lengths.every((length) => length <= 1))
}
