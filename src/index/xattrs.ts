/**
 * Extended attributes as JSON: names to base64 values, in byte order of the names. A name that is not UTF-8, or that begins
 * with `base64:`, is written as `base64:` and its bytes; so is one of a single character that JSON escapes, which `JSON.parse` of
 * Node 24 sometimes reads as a backslash.
 */
import { type ByteString, decodeText, encodeText, toBase64 } from '../text/bytes.ts'

const ESCAPE = 'base64:'

export function formatXattrs(xattrs: ReadonlyMap<ByteString, ByteString>): string {
  // Not through an object, which would put names that look like numbers first.
  const members = [...xattrs].map(
    ([name, value]) => `${JSON.stringify(formatName(name))}:"${toBase64(value)}"`,
  )
  return `{${members.join(',')}}`
}

export function parseXattrs(json: string): ReadonlyMap<ByteString, ByteString> {
  const members: Record<string, string> = JSON.parse(json)
  const xattrs = Object.entries(members).map(([name, value]): [ByteString, ByteString] => [
    parseName(name),
    fromBase64(value),
  ])
  return new Map(xattrs.sort(([a], [b]) => (a < b ? -1 : 1)))
}

function formatName(name: ByteString): string {
  const { text, exact } = decodeText(name)
  return exact && !text.startsWith(ESCAPE) && !isEscapedCharacter(text) ? text : ESCAPE + toBase64(name)
}

function isEscapedCharacter(text: string): boolean {
  return text.length === 1 && JSON.stringify(text).length > text.length + 2
}

function parseName(name: string): ByteString {
  return name.startsWith(ESCAPE) ? fromBase64(name.slice(ESCAPE.length)) : encodeText(name)
}

function fromBase64(text: string): ByteString {
  return Buffer.from(text, 'base64').toString('latin1')
}
