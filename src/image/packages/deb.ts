/** dpkg's databases: deb822 paragraphs (deb-control(5)) and lists of paths. */
import { decodeText, toByteString } from '../../text/bytes.ts'
import type { PathKey } from '../../text/path.ts'
import { resolvePath } from './database.ts'
import type { FoundPackage } from './found.ts'

/** What distroless leaves out: its paragraphs have no status and are installed. */
const INSTALLED = 'install ok installed'

/** The installed packages of a `status`, in its order; of two paragraphs for one name and architecture the last. */
export function parseDpkgStatus(bytes: Uint8Array): readonly FoundPackage[] {
  const packages = new Map<string, FoundPackage>()
  for (const paragraph of toByteString(bytes).split('\n\n')) {
    const found = parseParagraph(paragraph)
    if (found !== undefined) packages.set(`${found.name}:${found.architecture ?? ''}`, found)
  }
  return [...packages.values()]
}

function parseParagraph(paragraph: string): FoundPackage | undefined {
  const fields = new Map<string, string>()
  for (const line of paragraph.split('\n')) {
    const colon = line.indexOf(': ')
    if (colon > 0) fields.set(line.slice(0, colon), line.slice(colon + 2))
  }
  const name = fields.get('Package')
  // ` installed` with its blank: not `half-installed`, not `deinstall ok config-files`
  if (name === undefined || !(fields.get('Status') ?? INSTALLED).endsWith(' installed')) return
  const architecture = fields.get('Architecture')
  return {
    type: 'deb',
    name: decodeText(name).text,
    version: decodeText(fields.get('Version') ?? '').text,
    ...(architecture === undefined ? {} : { architecture: decodeText(architecture).text }),
  }
}

/**
 * The paths of `info/NAME.list`, without the directories that others are listed in: every package lists `/usr`, none
 * owns it. dpkg lists a directory directly before what is in it.
 */
export function* parseDpkgList(bytes: Uint8Array): Generator<PathKey> {
  const lines = toByteString(bytes).split('\n')
  for (const [index, line] of lines.entries()) {
    if (line === '' || line === '/.' || lines[index + 1]?.startsWith(`${line}/`)) continue
    yield resolvePath('', line)
  }
}

/** The paths of a list of md5sums: a sum, two blanks, the path from the root on. */
export function* parseDpkgSums(bytes: Uint8Array): Generator<PathKey> {
  for (const line of toByteString(bytes).split('\n')) {
    const path = /^[0-9a-f]{32} [ *](.+)$/.exec(line)?.[1]
    if (path !== undefined) yield resolvePath('', path)
  }
}
