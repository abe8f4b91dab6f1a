/** Members and paths as `/v1/files` shows them. */
import type { z } from '@hono/zod-openapi'
import type { MergedEntry } from '../image/merged-entry.ts'
import type { Entry } from '../layer/entry.ts'
import { type ByteString, decodeText, toBase64, toHex } from '../text/bytes.ts'
import { showPath } from '../text/path.ts'
import type { fileSchema } from './routes/files.schema.ts'

export type ShownFile = z.infer<typeof fileSchema>

/** A member of a layer, as in the tar. */
export function showMember(entry: Entry, layer: number): ShownFile {
  const shown: ShownFile = {
    ...showPath(entry.key),
    type: entry.type,
    bytes: entry.bytes,
    mode: entry.mode.toString(8).padStart(4, '0'),
    uid: entry.uid,
    gid: entry.gid,
    mtime: showTime(entry.mtime),
    layer,
  }
  // Row views decode a column on each access, so each column is accessed once.
  const { sha256, link, xattrs, device, whiteout } = entry
  if (sha256 !== undefined) shown.sha256 = toHex(sha256)
  if (link !== undefined) Object.assign(shown, showLink(link))
  if (xattrs !== undefined) shown.xattrs = showXattrs(xattrs)
  if (device !== undefined) shown.device = device.join(':')
  if (whiteout !== undefined) shown.whiteout = whiteout
  return shown
}

/** A path of the merged file system. */
export function showFile(entry: MergedEntry): ShownFile {
  const shown = showMember(entry, entry.layer)
  const { inode, implicit } = entry
  if (inode !== undefined) shown.inode = inode
  if (implicit) shown.implicit = true
  return shown
}

export function showLink(link: ByteString): { link: string; linkBase64?: string } {
  const { text, exact } = decodeText(link)
  return exact ? { link: text } : { link: text, linkBase64: toBase64(link) }
}

function showXattrs(xattrs: ReadonlyMap<ByteString, ByteString>): Record<string, string> {
  return Object.fromEntries([...xattrs].map(([name, value]) => [decodeText(name).text, toBase64(value)]))
}

/** The range of RFC 3339, in seconds since 1970. */
const FIRST_SECOND = Date.parse('0000-01-01T00:00:00Z') / 1000
const LAST_SECOND = Date.parse('9999-12-31T23:59:59Z') / 1000

/** @param microseconds since 1970; times outside the range of RFC 3339 are clamped to it */
export function showTime(microseconds: number): string {
  const second = Math.floor(microseconds / 1e6)
  const shown = Math.min(Math.max(second, FIRST_SECOND), LAST_SECOND)
  const whole = new Date(shown * 1000).toISOString().slice(0, 19)
  const fraction = shown === second ? microseconds - second * 1e6 : 0
  return fraction === 0 ? `${whole}Z` : `${whole}.${String(fraction).padStart(6, '0')}Z`
}
