/** Package databases: the members whose content is kept, to read packages from, and how to recognise each kind. */

import type { Member } from '../tar/member.ts'
import { type ByteString, toBytes } from '../text/bytes.ts'
import { cleanPath } from '../text/clean-path.ts'
import { type PathKey, pathToKey } from '../text/path.ts'

/** Receives the content of each package database: `open`, any number of `write`, `close`; then the next. */
export type DatabaseSink = {
  /**
   * @param bytes how many bytes `write` will receive in all
   * @param ordinal of the member in its layer
   */
  open(key: PathKey, bytes: number, ordinal: number): void | Promise<void>
  /** @param chunk a view that is valid only until the call returns, or its promise settles */
  write(chunk: Uint8Array): void | Promise<void>
  close(): void | Promise<void>
}

/** Limit on one layer's databases together, in bytes; further ones are left out with a warning. */
export const MAX_DATABASE_BYTES = 64 * 1024 * 1024

/** A file that lists packages: `debStatusPart`, npm, pypi and gem list one each. */
const PACKAGE_DATABASES = [
  'debStatus',
  'debStatusPart',
  'apk',
  'rpm',
  'rpmNdb',
  'rpmBerkeley',
  'npm',
  'pypi',
  'composer',
  'gem',
  'nuget',
  'conda',
  'alpm',
] as const
export type PackageDatabase = (typeof PACKAGE_DATABASES)[number]

/** A file that lists the files of a package. */
export type FileList = 'debFiles' | 'debSums' | 'pypiRecord' | 'pypiFiles' | 'alpmFiles'

/** What cannot be read: changes to rpm's SQLite database that are not yet in it. */
export type UnreadDatabase = 'rpmLog'

export type DatabaseKind = PackageDatabase | FileList | UnreadDatabase | 'osRelease'

const FIXED: ReadonlyMap<PathKey, DatabaseKind> = new Map(
  Object.entries({
    'var/lib/dpkg/status': 'debStatus',
    'lib/apk/db/installed': 'apk',
    'usr/lib/apk/db/installed': 'apk',
    ...rpmFiles('var/lib/rpm'),
    ...rpmFiles('usr/lib/sysimage/rpm'),
    'etc/os-release': 'osRelease',
    'usr/lib/os-release': 'osRelease',
  } satisfies Record<string, DatabaseKind>).map(([path, kind]) => [pathToKey(path), kind]),
)

/** Most paths are longer, and V8 adds each string that is looked up in a map to a table. */
const LONGEST_FIXED = Math.max(...Array.from(FIXED.keys(), ({ length }) => length))

/** rpm has three backends, each with its own file. */
function rpmFiles(directory: string) {
  return {
    [`${directory}/rpmdb.sqlite`]: 'rpm',
    [`${directory}/rpmdb.sqlite-wal`]: 'rpmLog',
    [`${directory}/Packages.db`]: 'rpmNdb',
    [`${directory}/Packages`]: 'rpmBerkeley',
  } as const
}

const DPKG = pathToKey('var/lib/dpkg/')
const INFO = pathToKey('var/lib/dpkg/info/')
const PARTS = pathToKey('var/lib/dpkg/status.d/')
const COMPOSER = pathToKey('vendor/composer/installed.json')
const PACMAN = pathToKey('var/lib/pacman/local/')
const MODULES = 'node_modules'

/** Undefined for a file that is not a database. */
export function databaseKind(key: PathKey): DatabaseKind | undefined {
  // The first or last letters exclude nearly all names.
  if (key.startsWith(DPKG)) return FIXED.get(key) ?? dpkgKind(key)
  if (key.endsWith('\0package.json')) return isNpmPackage(key.split('\0')) ? 'npm' : undefined
  if (key.endsWith('.gemspec')) return isGemSpecification(key.split('\0')) ? 'gem' : undefined
  if (key.endsWith('.json')) return jsonKind(key)
  if (key.startsWith(PACMAN)) return pacmanKind(key.slice(PACMAN.length))
  return pythonKind(key) ?? (key.length > LONGEST_FIXED ? undefined : FIXED.get(key))
}

/** Whether the content of a regular file of that name is kept. */
export function isKeptDatabase(key: PathKey): boolean {
  const kind = databaseKind(key)
  return kind !== undefined && !isUnreadDatabase(kind)
}

/** Whether a hard link has a database's name, and its target another name, under which the content is not kept. */
export function linksDatabase({ key, link = '' }: Pick<Member, 'key' | 'link'>): boolean {
  return isKeptDatabase(key) && !isKeptDatabase(cleanPath(toBytes(link)).key)
}

export function isPackageDatabase(kind: DatabaseKind): kind is PackageDatabase {
  return PACKAGE_DATABASES.some((database) => database === kind)
}

export function isUnreadDatabase(kind: DatabaseKind): kind is UnreadDatabase {
  return kind === 'rpmLog'
}

/** `var/lib/dpkg/info/NAME.list`, and distroless images' replacement for the one status file: a file per package. */
function dpkgKind(key: PathKey): DatabaseKind | undefined {
  if (key.startsWith(INFO)) {
    return key.endsWith('.list') && !key.includes('\0', INFO.length) ? 'debFiles' : undefined
  }
  if (!key.startsWith(PARTS) || key.length === PARTS.length || key.includes('\0', PARTS.length)) return
  return key.endsWith('.md5sums') ? 'debSums' : 'debStatusPart'
}

function jsonKind(key: PathKey): DatabaseKind | undefined {
  if (key.endsWith('.deps.json')) return 'nuget'
  if (isAt(key, COMPOSER)) return 'composer'
  const name = key.lastIndexOf('\0')
  return name >= 0 && isAt(key.slice(0, name), 'conda-meta') ? 'conda' : undefined
}

/** `NAME-VERSION/desc` and `files`. */
function pacmanKind(rest: PathKey): DatabaseKind | undefined {
  const name = rest.indexOf('\0')
  if (name <= 0) return undefined
  const file = rest.slice(name + 1)
  return file === 'desc' ? 'alpm' : file === 'files' ? 'alpmFiles' : undefined
}

/** The directories of PEP 376 and setuptools, and distutils' plain file. */
function pythonKind(key: PathKey): DatabaseKind | undefined {
  if (key.endsWith('.dist-info\0METADATA')) return 'pypi'
  if (key.endsWith('.dist-info\0RECORD')) return 'pypiRecord'
  if (key.endsWith('.egg-info\0PKG-INFO') || key.endsWith('.egg-info')) return 'pypi'
  if (key.endsWith('.egg-info\0installed-files.txt')) return 'pypiFiles'
  return
}

/** `(…/)node_modules/(@scope/)NAME/package.json` */
function isNpmPackage(parts: readonly ByteString[]): boolean {
  const [name = '', above = '', aboveScope] = [parts.at(-2), parts.at(-3), parts.at(-4)]
  if (name === '' || name.includes('@')) return false
  return above === MODULES || (aboveScope === MODULES && above.startsWith('@') && above !== '@')
}

/** `(…/)specifications/(default/)NAME-VERSION.gemspec` */
function isGemSpecification(parts: readonly ByteString[]): boolean {
  const above = parts.at(-2) === 'default' ? parts.at(-3) : parts.at(-2)
  return above === 'specifications'
}

/** Whether `key` is `end`, or ends with it after whole parts. */
function isAt(key: PathKey, end: PathKey): boolean {
  return key.endsWith(end) && (key.length === end.length || key.charCodeAt(key.length - end.length - 1) === 0)
}
