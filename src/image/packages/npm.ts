/** What npm, yarn and pnpm install: a `package.json` in the directory of each package. */
import { decodeText } from '../../text/bytes.ts'
import { parseJson } from '../../text/json.ts'
import { baseName, type PathKey, parentKey } from '../../text/path.ts'
import { type FoundPackage, licenseOf, UnreadableDatabase } from './found.ts'

const text = new TextDecoder('utf-8', { ignoreBOM: true })
/** Characters of a name or a version as JSON. */
const MAX_TEXT = 1_024
const MAX_LICENSES = 8

/**
 * Undefined if it is not JSON, or lacks a name or a version: a `package.json` in a subdirectory of a package often lacks both.
 *
 * @param bytes the whole file, which must be small: as values it takes up to thirty times its size
 * @throws UnreadableDatabase for a name that is longer than any
 */
export function parsePackageJson(bytes: Uint8Array, key: PathKey): FoundPackage | undefined {
  const document = parseJson(text.decode(bytes))
  if (typeof document !== 'object' || document === null || Array.isArray(document)) return
  if (!('name' in document) || !('version' in document)) return
  const directory = decodeText(baseName(parentKey(key))).text
  return {
    type: 'npm',
    name: asText(document.name) || directory,
    version: asText(document.version),
    ...licenseOf(licenseIn(document)),
  }
}

/** `"MIT"`; older packages have an object with a type, or a list of them. */
function licenseIn(document: object): string | undefined {
  const stated =
    'license' in document ? document.license : 'licenses' in document ? document.licenses : undefined
  const each = [stated].flat().slice(0, MAX_LICENSES)
  const names = each.map((one) => (typeof one === 'object' && one !== null && 'type' in one ? one.type : one))
  return names.every((name) => typeof name === 'string') ? names.join(' OR ') : undefined
}

function asText(value: unknown): string {
  const shown = typeof value === 'string' ? value : JSON.stringify(value)
  if (shown.length > MAX_TEXT) throw new UnreadableDatabase(`a name of ${shown.length} characters`)
  return shown
}
