/**
 * One 512-byte header block of a tar: POSIX.1-1988 ustar, and what V7, GNU tar and star made of it. Pure functions of
 * bytes; offsets of fields as `tar.h` has them.
 */
import type { MemberType } from './member.ts'

/** Everything in a tar starts at a multiple of this. */
export const BLOCK = 512

/** Type flags, as their bytes. */
export const TYPE = {
  oldFile: 0x00,
  file: 0x30,
  hardlink: 0x31,
  symlink: 0x32,
  character: 0x33,
  block: 0x34,
  directory: 0x35,
  fifo: 0x36,
  contiguous: 0x37,
  /** GNU: the next member's link target. */
  longLink: 0x4b,
  /** GNU: the next member's name. */
  longName: 0x4c,
  /** GNU's old sparse file. */
  sparse: 0x53,
  /** Solaris's extended header, which has the form of a PAX one. */
  solarisExtended: 0x58,
  paxGlobal: 0x67,
  pax: 0x78,
} as const

const CHECKSUM = 148
const CHECKSUM_LENGTH = 8
const MAGIC = 257
const ACCESS_TIME = 345
const PREFIX = 345
const PREFIX_LENGTH = 155
const SPACE = 0x20
const SLASH = 0x2f

/**
 * Whether the block is a header (`valid`), 512 zero bytes (`zeros`: the end of the archive), or neither. Some old tars
 * summed signed bytes, so that sum is accepted too.
 */
export function checkBlock(bytes: Uint8Array, at: number): 'valid' | 'zeros' | 'invalid' {
  let sum = 0
  for (let i = at; i < at + BLOCK; i++) sum += bytes[i] ?? 0
  if (sum === 0) return 'zeros'
  const stored = readNumber(bytes, at + CHECKSUM, CHECKSUM_LENGTH)
  for (let i = at + CHECKSUM; i < at + CHECKSUM + CHECKSUM_LENGTH; i++) sum += SPACE - (bytes[i] ?? 0)
  if (stored === sum) return 'valid'
  return stored === sum - 256 * highBytes(bytes, at) ? 'valid' : 'invalid'
}

function highBytes(bytes: Uint8Array, at: number): number {
  let count = 0
  for (let i = at; i < at + BLOCK; i++) if ((bytes[i] ?? 0) > 127) count++
  for (let i = at + CHECKSUM; i < at + CHECKSUM + CHECKSUM_LENGTH; i++) if ((bytes[i] ?? 0) > 127) count--
  return count
}

/**
 * A number field: octal digits between spaces up to a NUL, an empty one being 0, or GNU's base-256 (first byte 0x80, or
 * 0xff for a negative number). Above 2^53 it is only approximate.
 *
 * @returns NaN if the field is neither
 */
export function readNumber(bytes: Uint8Array, at: number, length: number): number {
  const end = at + length
  const first = bytes[at] ?? 0
  if (first === 0x80 || first === 0xff) return readBase256(bytes, at, end)
  let i = at
  while (i < end && isSpace(bytes[i] ?? 0)) i++
  let value = 0
  for (; i < end; i++) {
    const digit = (bytes[i] ?? 0) - 0x30
    if (digit < 0 || digit > 7) break
    value = value * 8 + digit
  }
  for (; i < end && bytes[i] !== 0; i++) if (!isSpace(bytes[i] ?? 0)) return Number.NaN
  return value
}

function readBase256(bytes: Uint8Array, at: number, end: number): number {
  const negative = bytes[at] === 0xff
  let value = 0
  // Negative numbers are read as their distance from -1, so that small ones stay exact.
  for (let i = at + 1; i < end; i++)
    value = value * 256 + (negative ? 255 - (bytes[i] ?? 0) : (bytes[i] ?? 0))
  return negative ? -1 - value : value
}

function isSpace(byte: number): boolean {
  return byte === SPACE || (byte >= 0x09 && byte <= 0x0d)
}

/** The bytes of a text field up to its first NUL: a view. */
export function readText(bytes: Uint8Array, at: number, length: number): Uint8Array {
  return bytes.subarray(at, textEnd(bytes, at, length))
}

function textEnd(bytes: Uint8Array, at: number, length: number): number {
  let end = at
  while (end < at + length && bytes[end] !== 0) end++
  return end
}

/** The member's name according to the header alone: `prefix/name` if there is a prefix. */
export function readName(bytes: Uint8Array, at: number, type: number): Uint8Array {
  const name = readText(bytes, at, 100)
  if (bytes[at + PREFIX] === 0 || type === TYPE.sparse || isAccessTime(bytes, at)) return name
  const prefix = readText(bytes, at + PREFIX, PREFIX_LENGTH)
  const joined = new Uint8Array(prefix.length + 1 + name.length)
  joined.set(prefix)
  joined[prefix.length] = SLASH
  joined.set(name, prefix.length + 1)
  return joined
}

/**
 * GNU's format (magic `ustar` and two spaces) has times where ustar has the prefix, but some writers put a prefix there
 * under that magic. Go's archive/tar distinguishes them the same way.
 */
function isAccessTime(bytes: Uint8Array, at: number): boolean {
  return bytes[at + MAGIC + 5] === SPACE && !Number.isNaN(readNumber(bytes, at + ACCESS_TIME, 12))
}

export function memberType(type: number): MemberType {
  switch (type) {
    case TYPE.file:
    case TYPE.oldFile:
    case TYPE.contiguous:
    case TYPE.sparse:
      return 'file'
    case TYPE.hardlink:
      return 'hardlink'
    case TYPE.symlink:
      return 'symlink'
    case TYPE.character:
      return 'character'
    case TYPE.block:
      return 'block'
    case TYPE.directory:
      return 'directory'
    case TYPE.fifo:
      return 'fifo'
    default:
      return 'other'
  }
}

/** Bytes that pad a size to whole blocks. */
export function padding(bytes: number): number {
  return (BLOCK - (bytes % BLOCK)) % BLOCK
}
