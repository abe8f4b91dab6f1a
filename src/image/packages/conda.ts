/** conda's `conda-meta/NAME-VERSION-BUILD.json`: a file for each package, with the paths of its files in the environment. */
import { encodeText } from '../../text/bytes.ts'
import { parseJson } from '../../text/json.ts'
import { type PathKey, parentKey } from '../../text/path.ts'
import { type Finding, UnreadableDatabase } from './found.ts'
import { resolvePath } from './paths.ts'

const MAX_NAME = 1_024
const decoder = new TextDecoder()

/** @param bytes the whole file. @throws UnreadableDatabase for a name that is longer than any */
export function* readCondaMeta(bytes: Uint8Array, key: PathKey): Generator<Finding> {
  const document = parseJson(decoder.decode(bytes))
  if (typeof document !== 'object' || document === null) return
  if (!('name' in document && 'version' in document)) return
  const { name, version } = document
  if (typeof name !== 'string' || typeof version !== 'string' || name === '') return
  if (name.length > MAX_NAME || version.length > MAX_NAME)
    throw new UnreadableDatabase('a name that is too long')
  yield { kind: 'package', found: { type: 'conda', name, version } }
  const files: readonly unknown[] = 'files' in document && Array.isArray(document.files) ? document.files : []
  const environment = parentKey(parentKey(key))
  const paths = files
    .filter((path) => typeof path === 'string')
    .map((path) => resolvePath(environment, encodeText(path)))
  yield { kind: 'files', paths }
}
