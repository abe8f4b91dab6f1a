/** The section that cargo-auditable adds to an ELF file: zlib around JSON with the packages of the program. */
import { inflateSync } from 'node:zlib'
import { hasMoreParts, parseJson } from '../text/json.ts'

export const CARGO_SECTION = '.dep-v0'
/** Limit on the section, and on its JSON. */
export const MAX_CARGO_BYTES = 8 * 1024 * 1024
/** Limit on its values and keys, some 10,000 packages: parsing millions takes far more memory than their text. */
const MAX_PARTS = 200_000

export type Crate = { readonly name: string; readonly version: string; readonly isRoot: boolean }

/** The packages that are in the program, in order; undefined if the section does not parse. */
export function parseCargoAuditable(section: Uint8Array): readonly Crate[] | undefined {
  const document = inflatedJson(section)
  if (typeof document !== 'object' || document === null || !('packages' in document)) return undefined
  if (!Array.isArray(document.packages)) return undefined
  const crates: Crate[] = []
  for (const item of document.packages) {
    const found: unknown = item
    if (typeof found !== 'object' || found === null) return undefined
    if (!('name' in found && 'version' in found)) return undefined
    const { name, version } = found
    if (typeof name !== 'string' || typeof version !== 'string') return undefined
    if ('kind' in found && found.kind === 'build') continue
    crates.push({ name, version, isRoot: 'root' in found && found.root === true })
  }
  return crates
}

function inflatedJson(section: Uint8Array): unknown {
  try {
    const text = inflateSync(section, { maxOutputLength: MAX_CARGO_BYTES })
    return hasMoreParts(text, MAX_PARTS) ? undefined : parseJson(new TextDecoder().decode(text))
  } catch {
    return undefined
  }
}
