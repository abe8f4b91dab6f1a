/** pacman's local database: a directory for each package, with `desc` and `files` (libalpm's `be_local.c`). */
import type { ByteString } from '../../text/bytes.ts'
import { type DatabaseContent, type Finding, nameText } from './found.ts'
import { linesOf } from './lines.ts'
import { resolvePath } from './paths.ts'

const FIELDS: ReadonlySet<ByteString> = new Set(['%NAME%', '%VERSION%', '%ARCH%'])

/** The package of a `desc`: each field is a line with its name, and its value on the next. */
export async function* readAlpmDesc(content: DatabaseContent): AsyncGenerator<Finding> {
  const found = new Map<ByteString, ByteString>()
  let before: ByteString = ''
  for await (const lines of linesOf(content)) {
    for (const line of lines) {
      if (FIELDS.has(before) && !found.has(before)) found.set(before, line)
      before = line.slice(0, 16)
    }
  }
  const name = found.get('%NAME%')
  if (!name) return
  const architecture = found.get('%ARCH%')
  yield {
    kind: 'package',
    found: {
      type: 'alpm',
      name: nameText(name),
      version: nameText(found.get('%VERSION%') ?? ''),
      ...(architecture ? { architecture: nameText(architecture) } : {}),
    },
  }
}

/** The paths of `%FILES%`, without directories, up to an empty line. */
export async function* readAlpmFiles(content: DatabaseContent): AsyncGenerator<Finding> {
  let isListed = false
  for await (const lines of linesOf(content)) {
    const paths = []
    for (const line of lines) {
      if (line === '%FILES%') isListed = true
      else if (line === '') isListed = false
      else if (isListed && !line.endsWith('/')) paths.push(resolvePath('', line))
    }
    if (paths.length > 0) yield { kind: 'files', paths }
  }
}
