/** apk's `installed`: paragraphs of one-letter fields (apk-tools, `doc/apk-package.5`, `src/database.c`). */
import { type ByteString, decodeText } from '../../text/bytes.ts'
import type { PathKey } from '../../text/path.ts'
import { type DatabaseContent, type Finding, licenseOf, nameText } from './found.ts'
import { linesOf } from './lines.ts'
import { resolvePath } from './paths.ts'

/** The packages of an `installed`, in its order, each with its files. */
export async function* readApkInstalled(content: DatabaseContent): AsyncGenerator<Finding> {
  let paragraph = new Paragraph()
  for await (const lines of linesOf(content)) {
    let paths: PathKey[] = []
    for (const line of lines) {
      const letter = line.slice(0, 2)
      // Fields come before files.
      if (letter === '' || letter === 'F:') yield* paragraph.package()
      if (letter === '') {
        if (paths.length > 0) yield { kind: 'files', paths }
        paths = []
        paragraph = new Paragraph()
      } else if (letter === 'R:') paths.push(...paragraph.file(line.slice(2)))
      else paragraph.take(letter, line.slice(2))
    }
    if (paths.length > 0) yield { kind: 'files', paths }
  }
  yield* paragraph.package()
}

const PACKAGE_FIELDS: readonly string[] = ['P:', 'V:', 'A:', 'L:']

class Paragraph {
  readonly #fields = new Map<string, ByteString>()
  #directory: PathKey = ''
  #isNamed = false

  take(letter: string, value: ByteString): void {
    if (letter === 'F:') this.#directory = resolvePath('', value)
    else if (PACKAGE_FIELDS.includes(letter) && !this.#fields.has(letter)) {
      this.#fields.set(letter, value)
    }
  }

  /** `F:` names a directory, each following `R:` a file in it. */
  file(name: ByteString): PathKey[] {
    return this.#isNamed ? [resolvePath(this.#directory, name)] : []
  }

  /** Yields the paragraph's package, once. */
  *package(): Generator<Finding> {
    const name = this.#fields.get('P:')
    if (!name || this.#isNamed) return
    this.#isNamed = true
    const [architecture, license] = [this.#fields.get('A:'), this.#fields.get('L:')]
    const found = {
      type: 'apk',
      name: nameText(name),
      version: nameText(this.#fields.get('V:') ?? ''),
      ...(architecture === undefined ? {} : { architecture: nameText(architecture) }),
      ...licenseOf(license && decodeText(license).text),
    } as const
    yield { kind: 'package', found }
  }
}
