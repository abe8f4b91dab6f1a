/** .NET's `NAME.deps.json`: the libraries of an application, and the files of each (`runtime-configuration-file.md` of dotnet/sdk). */

import { encodeText } from '../../text/bytes.ts'
import { parseJson } from '../../text/json.ts'
import { type PathKey, parentKey } from '../../text/path.ts'
import { type Finding, UnreadableDatabase } from './found.ts'
import { resolvePath } from './paths.ts'

const MAX_NAME = 1_024
const LISTED: ReadonlySet<unknown> = new Set(['package', 'runtimepack'])
const decoder = new TextDecoder()

type Fields = Readonly<Record<string, unknown>>

/** @param bytes the whole file. @throws UnreadableDatabase for a name that is longer than any */
export function* readDepsJson(bytes: Uint8Array, key: PathKey): Generator<Finding> {
  const document = fieldsOf(parseJson(decoder.decode(bytes)))
  const targetName = fieldsOf(document.runtimeTarget).name
  const target = typeof targetName === 'string' ? fieldsOf(fieldsOf(document.targets)[targetName]) : {}
  for (const [library, value] of Object.entries(fieldsOf(document.libraries))) {
    if (!LISTED.has(fieldsOf(value).type)) continue
    if (library.length > MAX_NAME) throw new UnreadableDatabase(`a name of ${library.length} characters`)
    const slash = library.indexOf('/')
    const [name, version] = slash < 0 ? [library, ''] : [library.slice(0, slash), library.slice(slash + 1)]
    yield { kind: 'package', found: { type: 'nuget', name, version } }
    yield { kind: 'files', paths: [...filesOf(fieldsOf(target[library]), parentKey(key))] }
  }
}

function* filesOf(assets: Fields, directory: PathKey): Generator<PathKey> {
  const at = (path: string) => resolvePath(directory, encodeText(path))
  for (const kind of ['runtime', 'native'])
    for (const path of Object.keys(fieldsOf(assets[kind]))) yield at(lastPart(path))
  for (const [path, resource] of Object.entries(fieldsOf(assets.resources))) {
    const { locale } = fieldsOf(resource)
    yield at(`${typeof locale === 'string' ? locale : ''}/${lastPart(path)}`)
  }
  for (const path of Object.keys(fieldsOf(assets.runtimeTargets))) yield at(path)
}

function lastPart(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {}
}
