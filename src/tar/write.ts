/**
 * Writes tars: POSIX ustar headers, and PAX records (POSIX.1-2001) for what ustar cannot express. tar-stream's `pack`
 * takes names as text, but names in layers are bytes.
 */

import { type ByteString, decodeText, toBytes } from '../text/bytes.ts'
import { BLOCK, padding, TYPE } from './header.ts'
import type { Member, MemberType } from './member.ts'

export type WrittenType = Exclude<MemberType, 'other'>

/** The fields of a header. Only a regular file has `bytes`; the caller writes the content after the header. */
export type WrittenMember = Pick<
  Member,
  'bytes' | 'mode' | 'uid' | 'gid' | 'mtime' | 'link' | 'device' | 'xattrs'
> & {
  /** Relative, parts joined by `/`; the writer adds the slash of a directory. */
  readonly path: ByteString
  readonly type: WrittenType
  /** Additional PAX records, by keyword. */
  readonly records?: ReadonlyMap<ByteString, ByteString> | undefined
}

const NAME_BYTES = 100
const PREFIX_BYTES = 155
const MAX_ID = 0o7777777
const MAX_SIZE = 0o77777777777
const MAX_SECONDS = MAX_SIZE
const MICROSECONDS = 1_000_000

/** Two empty blocks. */
export const END_OF_ARCHIVE: Uint8Array = new Uint8Array(2 * BLOCK)

const ZEROS = new Uint8Array(BLOCK)

/** The zeros that pad content of this size to whole blocks. */
export function contentPadding(bytes: number): Uint8Array {
  return ZEROS.subarray(0, padding(bytes))
}

/** Everything before a member's content: its header, with a PAX header before it if needed. */
export function memberHeader(member: WrittenMember): Uint8Array {
  const path = member.type === 'directory' ? `${member.path}/` : member.path
  const name = splitName(path)
  const records = formatRecords(recordsOf(member, path, name !== undefined))
  const header = ustarHeader(member, name ?? { prefix: '', name: path.slice(0, NAME_BYTES) })
  if (records === '') return toBytes(header)
  const pax = ustarHeader(PAX_HEADER(records.length), { prefix: '', name: 'PaxHeader' })
  return toBytes(pax + records + ''.padEnd(padding(records.length), '\0') + header)
}

type HeaderFields = Omit<WrittenMember, 'path' | 'type' | 'xattrs' | 'records'> & {
  readonly type: WrittenType | 'pax'
}

const PAX_HEADER = (bytes: number): HeaderFields => ({
  type: 'pax',
  bytes,
  mode: 0o644,
  uid: 0,
  gid: 0,
  mtime: 0,
})

type SplitName = { readonly prefix: ByteString; readonly name: ByteString }

/** The name in ustar's two fields; undefined if it does not fit, or needs PAX for its encoding. */
function splitName(path: ByteString): SplitName | undefined {
  if (isForeignText(path)) return undefined
  if (path.length <= NAME_BYTES) return { prefix: '', name: path }
  const slash = path.indexOf('/', path.length - NAME_BYTES - 1)
  if (slash < 1 || slash > PREFIX_BYTES || slash === path.length - 1) return undefined
  return { prefix: path.slice(0, slash), name: path.slice(slash + 1) }
}

/**
 * Whether it has UTF-8 beyond ASCII, which in PAX does not depend on the reader's locale. Invalid UTF-8 stays in the
 * header, byte for byte.
 */
function isForeignText(value: ByteString): boolean {
  const { text, exact } = decodeText(value)
  return exact && text !== value
}

function recordsOf(
  member: WrittenMember,
  path: ByteString,
  pathFits: boolean,
): ReadonlyMap<ByteString, ByteString> {
  const { link = '', bytes, uid, gid, mtime, xattrs, records } = member
  const linkFits = link.length <= NAME_BYTES && !isForeignText(link)
  const all = new Map<ByteString, ByteString>()
  const named = [pathFits ? '' : path, linkFits ? '' : link]
  if (named.some((value) => !decodeText(value).exact)) all.set('hdrcharset', 'BINARY')
  if (!pathFits) all.set('path', path)
  if (!linkFits) all.set('linkpath', link)
  if (bytes > MAX_SIZE) all.set('size', String(bytes))
  if (uid > MAX_ID) all.set('uid', String(uid))
  if (gid > MAX_ID) all.set('gid', String(gid))
  if (!isUstarTime(mtime)) all.set('mtime', formatTime(mtime))
  for (const [name, value] of xattrs ?? []) all.set(`SCHILY.xattr.${name}`, value)
  for (const [keyword, value] of records ?? []) all.set(keyword, value)
  return all
}

function isUstarTime(mtime: number): boolean {
  return mtime >= 0 && mtime % MICROSECONDS === 0 && mtime / MICROSECONDS <= MAX_SECONDS
}

/** Seconds with as many decimals as needed: `-1.5`. */
function formatTime(mtime: number): string {
  const distance = Math.abs(mtime)
  const seconds = Math.floor(distance / MICROSECONDS)
  const fraction = String(distance % MICROSECONDS).padStart(6, '0')
  const decimals = fraction.replace(/0{1,6}$/, '')
  return `${mtime < 0 ? '-' : ''}${seconds}${decimals === '' ? '' : `.${decimals}`}`
}

/** `length keyword=value\n` each, the length counting itself. */
function formatRecords(records: ReadonlyMap<ByteString, ByteString>): ByteString {
  let all = ''
  for (const [keyword, value] of records) {
    const rest = ` ${keyword}=${value}\n`
    let length = rest.length
    while (String(length).length + rest.length !== length) length = String(length).length + rest.length
    all += `${length}${rest}`
  }
  return all
}

/** One block. A number that does not fit its field is 0 there and exact in a PAX record. */
function ustarHeader(member: HeaderFields, { prefix, name }: SplitName): ByteString {
  const { type, bytes, mode, uid, gid, mtime, link = '', device } = member
  const before = [
    name.padEnd(NAME_BYTES, '\0'),
    octal(mode & 0o7777, 8),
    octal(uid > MAX_ID ? 0 : uid, 8),
    octal(gid > MAX_ID ? 0 : gid, 8),
    octal(bytes > MAX_SIZE ? 0 : bytes, 12),
    octal(Math.min(Math.max(0, Math.floor(mtime / MICROSECONDS)), MAX_SECONDS), 12),
  ].join('')
  const after = [
    String.fromCharCode(TYPE[type]),
    (isForeignText(link) ? '' : link.slice(0, NAME_BYTES)).padEnd(NAME_BYTES, '\0'),
    'ustar\x0000',
    ''.padEnd(64, '\0'),
    deviceNumber(device?.[0]),
    deviceNumber(device?.[1]),
    prefix.padEnd(PREFIX_BYTES + 12, '\0'),
  ].join('')
  let sum = 8 * 0x20
  for (let i = 0; i < before.length; i++) sum += before.charCodeAt(i)
  for (let i = 0; i < after.length; i++) sum += after.charCodeAt(i)
  return `${before}${octal(sum, 7)} ${after}`
}

function octal(value: number, length: number): string {
  return `${value.toString(8).padStart(length - 1, '0')}\0`
}

/** PAX has no record for this number; all tars read GNU's base-256. */
function deviceNumber(value = 0): ByteString {
  if (value <= MAX_ID) return octal(value, 8)
  let bytes = ''
  for (let rest = value, i = 0; i < 7; i++, rest = Math.floor(rest / 256)) {
    bytes = String.fromCharCode(rest % 256) + bytes
  }
  return `\x80${bytes}`
}
