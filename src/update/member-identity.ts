/** What a member is, apart from its time. */
import type { Entry, IDENTITY_COLUMNS } from '../layer/entry.ts'
import { compareText } from '../text/bytes.ts'

export type IdentifiedMember = Pick<Entry, (typeof IDENTITY_COLUMNS)[number]>

/** Bytes that differ if anything but the time does. No two members share them, since each part says how long it is. */
export function memberIdentity(member: IdentifiedMember): string {
  const { key, type, mode, uid, gid, link = '', device, xattrs, sha256 = '' } = member
  const sorted = [...(xattrs ?? [])].sort(([a], [b]) => compareText(a, b))
  const parts = [key, type, sha256, link, device?.join(':') ?? '', ...sorted.flat()]
  return `${mode} ${uid} ${gid} ${parts.map((part) => `${part.length} ${part}`).join(' ')}\n`
}
