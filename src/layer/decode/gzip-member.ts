/** The frame around each member of a gzip (RFC 1952): its header, and the trailer with the checksum and size of its content. */

/** Bytes of a member's trailer: CRC-32 and size of the content, both little-endian. */
export const TRAILER_BYTES = 8

/** File name and comment have no limit of their own; a longer header is invalid. */
const MAX_HEADER_BYTES = 1024 * 1024
const FIXED_BYTES = 10
const FLAG = { headerCrc: 0x02, extra: 0x04, name: 0x08, comment: 0x10, reserved: 0xe0 } as const
const DEFLATE = 8

/** Distinguishes zlib's own errors. */
export class GzipError extends Error {
  readonly code: 'Z_DATA_ERROR' | 'Z_BUF_ERROR'

  constructor(code: 'Z_DATA_ERROR' | 'Z_BUF_ERROR', message: string) {
    super(message)
    this.code = code
  }
}

/**
 * Where the header that begins with the first of these bytes ends; undefined if it continues after them.
 *
 * @param crc32 of bytes
 * @throws GzipError if there is no header
 */
export function endOfHeader(bytes: Uint8Array, crc32: (bytes: Uint8Array) => number): number | undefined {
  const [first = 0x1f, second = 0x8b, method = DEFLATE, flags = 0] = bytes
  if (first !== 0x1f || second !== 0x8b) throw corrupt('incorrect header check')
  if (method !== DEFLATE) throw corrupt('unknown compression method')
  if ((flags & FLAG.reserved) !== 0) throw corrupt('unknown header flags set')
  let end: number | undefined = FIXED_BYTES
  if (flags & FLAG.extra) {
    const [low, high] = bytes.subarray(end)
    if (low === undefined || high === undefined) return undefined
    end += 2 + low + 256 * high
  }
  if (flags & FLAG.name) end = endOfText(bytes, end)
  if (flags & FLAG.comment && end !== undefined) end = endOfText(bytes, end)
  if (flags & FLAG.headerCrc && end !== undefined) {
    const [low, high] = bytes.subarray(end)
    if (low === undefined || high === undefined) return undefined
    if (low + 256 * high !== (crc32(bytes.subarray(0, end)) & 0xffff)) throw corrupt('header crc mismatch')
    end += 2
  }
  if (end !== undefined && end <= bytes.length) return end
  if (bytes.length > MAX_HEADER_BYTES) throw corrupt('header too long')
  return undefined
}

/** After the zero byte that ends a name or a comment. */
function endOfText(bytes: Uint8Array, start: number): number | undefined {
  const zero = bytes.indexOf(0, start)
  return zero < 0 ? undefined : zero + 1
}

/** @throws GzipError if the content does not match the trailer */
export function checkTrailer(
  trailer: Uint8Array,
  content: { readonly crc32: number; readonly bytes: number },
) {
  if (viewOf(trailer).getUint32(0, true) !== content.crc32) throw corrupt('incorrect data check')
  if (sizeInTrailer(trailer) !== content.bytes % 2 ** 32) throw corrupt('incorrect length check')
}

/** The size of the content modulo 2^32, as the trailer says it. */
export function sizeInTrailer(trailer: Uint8Array): number {
  return viewOf(trailer).getUint32(4, true)
}

function viewOf(trailer: Uint8Array): DataView {
  return new DataView(trailer.buffer, trailer.byteOffset, TRAILER_BYTES)
}

function corrupt(reason: string): GzipError {
  return new GzipError('Z_DATA_ERROR', reason)
}
