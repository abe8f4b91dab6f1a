/** One way to read all databases, whatever their format. */

import type { WasmModules } from '../../host.ts'
import type { ByteString } from '../../text/bytes.ts'
import { baseName, type PathKey, parentKey } from '../../text/path.ts'
import { parseApkInstalled } from './apk.ts'
import type { FileList, PackageDatabase } from './database.ts'
import { parseDpkgList, parseDpkgStatus, parseDpkgSums } from './deb.ts'
import type { FoundPackage } from './found.ts'
import { parsePackageJson } from './npm.ts'
import { parseCoreMetadata, parseInstalledFiles, parseRecord } from './pypi.ts'
import { parseRpmHeader } from './rpm.ts'
import { rpmHeaders } from './rpmdb.ts'

/**
 * The packages of one database, in its order.
 *
 * @param key where the database stands
 * @throws Error where SQLite cannot read it; text that makes no sense just lists nothing
 */
export async function* readPackages(
  kind: PackageDatabase,
  key: PathKey,
  bytes: Uint8Array,
  wasm: WasmModules,
): AsyncGenerator<FoundPackage> {
  switch (kind) {
    case 'debStatus':
    case 'debStatusPart':
      return yield* parseDpkgStatus(bytes)
    case 'apk':
      return yield* parseApkInstalled(bytes)
    case 'rpm':
      for await (const header of rpmHeaders(bytes, await wasm('sqlite'))) yield* some(parseRpmHeader(header))
      return
    case 'npm':
      return yield* some(parsePackageJson(bytes, key))
    case 'pypi':
      return yield* some(parseCoreMetadata(bytes))
  }
}

function some<T>(value: T | undefined): T[] {
  return value === undefined ? [] : [value]
}

/** The paths of one file list, and the name of the owner that they belong to: one of `ownerNames`. */
export function readFileList(
  kind: FileList,
  key: PathKey,
  bytes: Uint8Array,
): { readonly owner: string; readonly paths: Iterable<PathKey> } {
  switch (kind) {
    case 'debFiles':
      return { owner: `deb/${withoutSuffix(key, '.list')}`, paths: parseDpkgList(bytes) }
    case 'debSums':
      return { owner: `part/${withoutSuffix(key, '.md5sums')}`, paths: parseDpkgSums(bytes) }
    case 'pypiRecord':
      return { owner: `pypi/${parentKey(key)}`, paths: parseRecord(bytes, key) }
    case 'pypiFiles':
      return { owner: `pypi/${parentKey(key)}`, paths: parseInstalledFiles(bytes, key) }
  }
}

/** Under which names the files of a package may be noted; dpkg's have the architecture where it needs telling apart. */
export function ownerNames(kind: PackageDatabase, key: PathKey, found: FoundPackage): readonly string[] {
  switch (kind) {
    case 'debStatus':
      return [`deb/${found.name}:${found.architecture ?? ''}`, `deb/${found.name}`]
    case 'debStatusPart':
      return [`part/${baseName(key)}`]
    case 'apk':
    case 'rpm':
      return [`${kind}/${found.name}/${found.version}/${found.architecture ?? ''}`]
    case 'npm':
      return [`npm/${parentKey(key)}`]
    case 'pypi':
      return [`pypi/${parentKey(key)}`]
  }
}

function withoutSuffix(key: PathKey, suffix: string): ByteString {
  return baseName(key).slice(0, -suffix.length)
}
