/**
 * Names inside images are bytes, not text. They travel as a `ByteString`: a string whose char codes are those bytes
 * (latin-1), which V8 stores in one byte a character, compares byte by byte with `<`, and uses as a map's key.
 */
// In workerd the global `Buffer` is a getter, which takes longer than most calls here.
import { Buffer } from 'node:buffer'

/** A string whose char codes are bytes, 0 to 255. */
export type ByteString = string

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const lossy = new TextDecoder('utf-8', { ignoreBOM: true })

export function toByteString(bytes: Uint8Array): ByteString {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
}

export function toBytes(value: ByteString): Uint8Array {
  return Buffer.from(value, 'latin1')
}

/** UTF-8 text as the bytes that encode it. */
export function encodeText(text: string): ByteString {
  return isAscii(text) ? text : Buffer.from(text, 'utf8').toString('latin1')
}

/** What a reader sees: bytes that are not UTF-8 show as U+FFFD, and `exact` is false. */
export function decodeText(value: ByteString): { readonly text: string; readonly exact: boolean } {
  if (isAscii(value)) return { text: value, exact: true }
  const bytes = toBytes(value)
  try {
    return { text: strict.decode(bytes), exact: true }
  } catch {
    return { text: lossy.decode(bytes), exact: false }
  }
}

export function toBase64(value: ByteString): string {
  return Buffer.from(value, 'latin1').toString('base64')
}

export function toHex(value: ByteString): string {
  return Buffer.from(value, 'latin1').toString('hex')
}

function isAscii(value: ByteString): boolean {
  for (let i = 0; i < value.length; i++) if (value.charCodeAt(i) > 127) return false
  return true
}

/** For `sort`: byte order of byte strings, the order of UTF-16 units of other text. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** The bytes of a range of what the pieces are together: fewer if they end before it does. */
export async function* streamRange(
  pieces: AsyncIterable<Uint8Array>,
  offset: number,
  bytes: number,
): AsyncGenerator<Uint8Array> {
  let before = offset
  let left = bytes
  for await (const piece of pieces) {
    const wanted = piece.subarray(before, before + left)
    before = Math.max(0, before - piece.length)
    left -= wanted.length
    if (wanted.length > 0) yield wanted
    if (left === 0) return
  }
}
