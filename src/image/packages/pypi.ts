/**
 * What pip and similar tools leave beside an installed distribution: core metadata in `NAME.dist-info/METADATA` or
 * `NAME.egg-info`, and a list of its files (packaging.python.org, "Recording installed projects").
 */
import { type ByteString, decodeText } from '../../text/bytes.ts'
import { type PathKey, parentKey } from '../../text/path.ts'
import { type DatabaseContent, type Finding, licenseOf, nameText } from './found.ts'
import { linesOf, withoutReturn } from './lines.ts'
import { resolvePath } from './paths.ts'

/** Nothing without a name and a version in the headers, which end at the first empty line. */
export async function* readCoreMetadata(content: DatabaseContent): AsyncGenerator<Finding> {
  const values = new Map<string, ByteString>()
  for await (const lines of linesOf(content)) {
    for (const ended of lines) {
      const line = withoutReturn(ended)
      if (line === '') return yield* packageOf(values)
      for (const field of FIELDS) {
        const value = values.has(field) ? undefined : headerValue(field, line)
        if (value !== undefined) values.set(field, value)
      }
    }
  }
  yield* packageOf(values)
}

/** `License` may be any text; the expression, which replaces it, is SPDX. */
const FIELDS = ['name:', 'version:', 'license:', 'license-expression:'] as const

function* packageOf(values: ReadonlyMap<string, ByteString>): Generator<Finding> {
  const [name, version] = [values.get('name:'), values.get('version:')]
  if (!name || !version) return
  const license = values.get('license-expression:') ?? values.get('license:')
  yield {
    kind: 'package',
    found: {
      type: 'pypi',
      name: nameText(name),
      version: nameText(version),
      ...licenseOf(license && decodeText(license).text),
    },
  }
}

function headerValue(field: string, line: ByteString): ByteString | undefined {
  return line.slice(0, field.length).toLowerCase() === field ? line.slice(field.length).trim() : undefined
}

/** The paths of a `RECORD`: the first column of a CSV file, relative to the directory that contains the `.dist-info`. */
export async function* readRecord(content: DatabaseContent, key: PathKey): AsyncGenerator<Finding> {
  const directory = parentKey(parentKey(key))
  for await (const lines of linesOf(content)) {
    const columns = lines.map((line) => firstColumn(line)).filter((path) => path !== '')
    yield { kind: 'files', paths: columns.map((path) => resolvePath(directory, path)) }
  }
}

/** RFC 4180: quotes in quoted columns are doubled. Empty for an incomplete line. */
function firstColumn(line: ByteString): ByteString {
  if (!line.startsWith('"')) return line.slice(0, Math.max(0, line.indexOf(',')))
  let column = ''
  for (let start = 1; ; ) {
    const end = line.indexOf('"', start)
    if (end < 0) return ''
    column += line.slice(start, end)
    if (line.charAt(end + 1) !== '"') return column
    column += '"'
    start = end + 2
  }
}

/** The paths of an `installed-files.txt`, one per line, relative to the `.egg-info`. */
export async function* readInstalledFiles(content: DatabaseContent, key: PathKey): AsyncGenerator<Finding> {
  const directory = parentKey(key)
  for await (const lines of linesOf(content)) {
    const paths = lines.map(withoutReturn).filter((line) => line !== '')
    yield { kind: 'files', paths: paths.map((line) => resolvePath(directory, line)) }
  }
}
