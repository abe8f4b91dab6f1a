/** PAX extended headers (POSIX.1-2001 "pax Extended Header"): records of `length keyword=value\n`. */
import { type ByteString, toByteString } from '../text/bytes.ts'
import { malformed } from './fault.ts'

/** By keyword. An empty value unsets what an earlier record or the header says. */
export type PaxRecords = ReadonlyMap<ByteString, ByteString>

const SPACE = 0x20
const EQUALS = 0x3d
const NEWLINE = 0x0a
const SHORTEST = '5 x=\n'.length

const NAMES = new Set(['path', 'linkpath', 'GNU.sparse.name'])
const SCHILY = 'SCHILY.xattr.'
const LIBARCHIVE = 'LIBARCHIVE.xattr.'

/**
 * The records of one extended header. GNU's sparse format 0.0 repeats two keywords; they come out as the one
 * `GNU.sparse.map` that format 0.1 has.
 *
 * @param position of `body` in the uncompressed tar
 */
export function parsePax(body: Uint8Array, position: number): PaxRecords {
  const records = new Map<ByteString, ByteString>()
  const sparse: ByteString[] = []
  let at = 0
  // Some writers pad the records with NULs.
  while (at < body.length && body[at] !== 0) {
    const space = body.indexOf(SPACE, at)
    const length = space < 0 ? 0 : decimal(body, at, space)
    const equals = body.indexOf(EQUALS, space)
    const last = at + length - 1
    if (!(length >= SHORTEST && equals > space + 1 && equals < last && body[last] === NEWLINE)) {
      throw malformed('a PAX record is malformed', position + at)
    }
    const keyword = toByteString(body.subarray(space + 1, equals))
    const value = toByteString(body.subarray(equals + 1, last))
    if (NAMES.has(keyword) && value.includes('\0')) {
      throw malformed(`the PAX record ${keyword} has a NUL in its value`, position + at)
    }
    if (keyword === 'GNU.sparse.offset' || keyword === 'GNU.sparse.numbytes') sparse.push(value)
    else records.set(keyword, value)
    at += length
  }
  if (sparse.length > 0 && !records.has('GNU.sparse.map')) records.set('GNU.sparse.map', sparse.join(','))
  return records
}

/** Digits only; anything else is 0, an impossible length. */
function decimal(body: Uint8Array, start: number, end: number): number {
  let value = 0
  for (let i = start; i < end; i++) {
    const digit = (body[i] ?? 0) - 0x30
    if (digit < 0 || digit > 9) return 0
    value = value * 10 + digit
  }
  return value
}

/** The value of a record; undefined if the record is missing or empty. */
export function paxText(records: PaxRecords, keyword: string): ByteString | undefined {
  return records.get(keyword) || undefined
}

/** @param position of the header that the record belongs to, for the error */
export function paxInteger(records: PaxRecords, keyword: string, position: number): number | undefined {
  const text = paxText(records, keyword)
  if (text === undefined) return undefined
  if (!/^-?\d+$/.test(text)) throw malformed(`the PAX record ${keyword} is not a number`, position)
  return Number(text)
}

/** Decimal seconds with any fraction, as microseconds rounded down. */
export function paxTime(records: PaxRecords, keyword: string, position: number): number | undefined {
  const text = paxText(records, keyword)
  if (text === undefined) return undefined
  const match = /^(-?)(\d+)(?:\.(\d*))?$/.exec(text)
  if (match === null) throw malformed(`the PAX record ${keyword} is not a time`, position)
  const [, sign, seconds, fraction = ''] = match
  // Far from 1970, a double holds whole seconds exactly but not fractions.
  const micros = Number(seconds) < 9e9 ? Number(fraction.slice(0, 6).padEnd(6, '0')) : 0
  const value = Number(seconds) * 1e6 + micros
  if (sign !== '-') return value
  return /[1-9]/.test(fraction.slice(6)) ? -value - 1 : -value
}

/**
 * Extended attributes, names in byte order. libarchive writes each twice, under its own keyword with the name
 * percent-encoded and the value in base64; star's plain form wins.
 */
export function paxXattrs(records: PaxRecords): ReadonlyMap<ByteString, ByteString> | undefined {
  const xattrs: [ByteString, ByteString][] = []
  for (const [keyword, value] of records) {
    if (value === '') continue
    if (keyword.startsWith(SCHILY)) {
      xattrs.push([keyword.slice(SCHILY.length), value])
    } else if (keyword.startsWith(LIBARCHIVE)) {
      const name = percentDecoded(keyword.slice(LIBARCHIVE.length))
      if (!records.get(SCHILY + name)) xattrs.push([name, toByteString(Buffer.from(value, 'base64'))])
    }
  }
  if (xattrs.length === 0) return undefined
  return new Map(xattrs.sort(([a], [b]) => (a < b ? -1 : 1)))
}

function percentDecoded(text: ByteString): ByteString {
  return text.replace(/%([0-9a-fA-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}
