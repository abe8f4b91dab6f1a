import { toByteString } from '../../text/bytes.ts'

/** The distribution's `ID` (os-release(5)): `debian`, `alpine`, `fedora`. */
export function parseOsReleaseId(bytes: Uint8Array): string | undefined {
  return /^ID=(["']?)([a-z0-9._-]+)\1\s*$/m.exec(toByteString(bytes))?.[2]
}
