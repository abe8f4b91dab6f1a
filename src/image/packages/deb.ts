/** dpkg's databases: deb822 paragraphs (deb-control(5)) and lists of paths. */
import type { ByteString } from '../../text/bytes.ts'
import type { PathKey } from '../../text/path.ts'
import { type DatabaseContent, type Finding, type FoundPackage, nameText } from './found.ts'
import { linesOf } from './lines.ts'
import { resolvePath } from './paths.ts'

/** distroless omits the status: its packages are installed. */
const INSTALLED = 'install ok installed'

const FIELDS = ['Package', 'Status', 'Version', 'Architecture'] as const
type Paragraph = { [Field in (typeof FIELDS)[number]]?: ByteString }

/** The installed packages of a `status`, in its order; if a name and architecture repeats, the last paragraph counts. */
export async function* readDpkgStatus(content: DatabaseContent): AsyncGenerator<Finding> {
  let paragraph: Paragraph = {}
  for await (const lines of linesOf(content)) {
    for (const line of lines) {
      if (line === '') {
        yield* installed(paragraph)
        paragraph = {}
      } else {
        const field = FIELDS.find((name) => line.startsWith(name) && line.startsWith(': ', name.length))
        if (field !== undefined) paragraph[field] = line.slice(field.length + 2)
      }
    }
  }
  yield* installed(paragraph)
}

function* installed({ Package, Status, Version, Architecture }: Paragraph): Generator<Finding> {
  // ` installed` with its space: neither `half-installed` nor `deinstall ok config-files`.
  if (Package === undefined || !(Status ?? INSTALLED).endsWith(' installed')) return
  const found: FoundPackage = {
    type: 'deb',
    name: nameText(Package),
    version: nameText(Version ?? ''),
    ...(Architecture === undefined ? {} : { architecture: nameText(Architecture) }),
  }
  yield { kind: 'package', found }
}

/**
 * The paths of `info/NAME.list`, without directories that contain other listed paths: every package lists `/usr`, none owns it.
 * dpkg lists a directory directly before its content.
 */
export async function* readDpkgList(content: DatabaseContent): AsyncGenerator<Finding> {
  let before: ByteString = ''
  for await (const lines of linesOf(content)) {
    const paths: PathKey[] = []
    for (const line of lines) {
      if (isListed(before) && !(line.startsWith(before) && line.charAt(before.length) === '/')) {
        paths.push(resolvePath('', before))
      }
      before = line
    }
    yield { kind: 'files', paths }
  }
  if (isListed(before)) yield { kind: 'files', paths: [resolvePath('', before)] }
}

function isListed(line: ByteString): boolean {
  return line !== '' && line !== '/.'
}

const SUM = /^[0-9a-f]{32} [ *]/

/** The paths of a list of md5sums: a sum, two spaces, the path relative to the root. */
export async function* readDpkgSums(content: DatabaseContent): AsyncGenerator<Finding> {
  for await (const lines of linesOf(content)) {
    const listed = lines.filter((line) => SUM.test(line) && line.length > 34)
    yield { kind: 'files', paths: listed.map((line) => resolvePath('', line.slice(34))) }
  }
}
