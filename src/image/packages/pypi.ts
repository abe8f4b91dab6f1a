/**
 * What pip and its like leave beside an installed distribution: core metadata in `NAME.dist-info/METADATA` or
 * `NAME.egg-info`, and a list of its files (packaging.python.org, "Recording installed projects").
 */
import { type ByteString, decodeText, toByteString } from '../../text/bytes.ts'
import { type PathKey, parentKey } from '../../text/path.ts'
import { resolvePath } from './database.ts'
import type { FoundPackage } from './found.ts'

/** Undefined without a name and a version among the headers, which end at the first empty line. */
export function parseCoreMetadata(bytes: Uint8Array): FoundPackage | undefined {
  const text = toByteString(bytes)
  const end = /\r?\n\r?\n/.exec(text)?.index ?? text.length
  const headers = text.slice(0, end)
  const name = /^Name:[ \t]*(.*?)[ \t]*\r?$/im.exec(headers)?.[1]
  const version = /^Version:[ \t]*(.*?)[ \t]*\r?$/im.exec(headers)?.[1]
  if (!name || !version) return
  return { type: 'pypi', name: decodeText(name).text, version: decodeText(version).text }
}

/** The paths of a `RECORD`: the first column of a CSV file, from the directory that holds the `.dist-info`. */
export function* parseRecord(bytes: Uint8Array, key: PathKey): Generator<PathKey> {
  const directory = parentKey(parentKey(key))
  for (const line of toByteString(bytes).split(/\r?\n/)) {
    const path = firstColumn(line)
    if (path !== '') yield resolvePath(directory, path)
  }
}

function firstColumn(line: ByteString): ByteString {
  if (!line.startsWith('"')) return line.slice(0, Math.max(0, line.indexOf(',')))
  return (/^"((?:[^"]|"")*)"/.exec(line)?.[1] ?? '').replaceAll('""', '"')
}

/** The paths of an `installed-files.txt`, one a line, from the `.egg-info` on. */
export function* parseInstalledFiles(bytes: Uint8Array, key: PathKey): Generator<PathKey> {
  for (const line of toByteString(bytes).split(/\r?\n/)) {
    if (line !== '') yield resolvePath(parentKey(key), line)
  }
}
