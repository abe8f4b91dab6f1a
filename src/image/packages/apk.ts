/** apk's `installed`: paragraphs of one-letter fields (apk-tools, `doc/apk-package.5`, `src/database.c`). */
import { type ByteString, decodeText, toByteString } from '../../text/bytes.ts'
import type { PathKey } from '../../text/path.ts'
import { resolvePath } from './database.ts'
import type { FoundPackage } from './found.ts'

/** The packages of an `installed`, in its order. */
export function parseApkInstalled(bytes: Uint8Array): readonly FoundPackage[] {
  const packages: FoundPackage[] = []
  for (const paragraph of toByteString(bytes).split('\n\n')) {
    const found = parseParagraph(paragraph.split('\n'))
    if (found !== undefined) packages.push(found)
  }
  return packages
}

function parseParagraph(lines: readonly ByteString[]): FoundPackage | undefined {
  const field = (letter: string) => lines.find((line) => line.startsWith(letter))?.slice(letter.length)
  const name = field('P:')
  if (!name) return
  const architecture = field('A:')
  return {
    type: 'apk',
    name: decodeText(name).text,
    version: decodeText(field('V:') ?? '').text,
    ...(architecture === undefined ? {} : { architecture: decodeText(architecture).text }),
    files: { [Symbol.iterator]: () => ownedFiles(lines) },
  }
}

/** `F:` names a directory, each `R:` after it a file there. */
function* ownedFiles(lines: readonly ByteString[]): Generator<PathKey> {
  let directory: PathKey = ''
  for (const line of lines) {
    if (line.startsWith('F:')) directory = resolvePath('', line.slice(2))
    else if (line.startsWith('R:')) yield resolvePath(directory, line.slice(2))
  }
}
