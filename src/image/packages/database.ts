/** Which files of an image tell what is installed in it, and what each of them tells. */
import type { ByteString } from '../../text/bytes.ts'
import { type PathKey, pathToKey } from '../../text/path.ts'

/** A file that lists packages: of distroless images each `debStatusPart` lists one, and so do all of npm and pypi. */
export type PackageDatabase = (typeof PACKAGE_DATABASES)[number]

const PACKAGE_DATABASES = ['debStatus', 'debStatusPart', 'apk', 'rpm', 'npm', 'pypi'] as const

/** A file that lists what a package owns. */
export type FileList = 'debFiles' | 'debSums' | 'pypiRecord' | 'pypiFiles'

export type DatabaseKind = PackageDatabase | FileList | 'osRelease'

/** One database as a layer holds it. */
export type DatabaseMember = {
  readonly key: PathKey
  /** Position among the members of the layer's tar. */
  readonly ordinal: number
  readonly bytes: Uint8Array
}

const FIXED: ReadonlyMap<PathKey, DatabaseKind> = byKey({
  'var/lib/dpkg/status': 'debStatus',
  'lib/apk/db/installed': 'apk',
  'usr/lib/apk/db/installed': 'apk',
  'var/lib/rpm/rpmdb.sqlite': 'rpm',
  'usr/lib/sysimage/rpm/rpmdb.sqlite': 'rpm',
  'etc/os-release': 'osRelease',
  'usr/lib/os-release': 'osRelease',
})

const DPKG = pathToKey('var/lib/dpkg/')
const INFO = pathToKey('var/lib/dpkg/info/')
const PARTS = pathToKey('var/lib/dpkg/status.d/')

/** Undefined for every file that is no database. */
export function databaseKind(path: PathKey): DatabaseKind | undefined {
  const fixed = FIXED.get(path)
  if (fixed !== undefined) return fixed
  if (path.startsWith(DPKG)) return dpkgKind(path)
  if (path.endsWith('\0package.json')) return isNpmPackage(path.split('\0')) ? 'npm' : undefined
  return pythonKind(path)
}

export function isPackageDatabase(kind: DatabaseKind): kind is PackageDatabase {
  return PACKAGE_DATABASES.some((database) => database === kind)
}

/** `var/lib/dpkg/info/NAME.list`, and what distroless images have in place of one status: a file a package. */
function dpkgKind(path: PathKey): DatabaseKind | undefined {
  if (path.startsWith(INFO)) {
    return path.endsWith('.list') && !path.includes('\0', INFO.length) ? 'debFiles' : undefined
  }
  if (!path.startsWith(PARTS) || path.length === PARTS.length || path.includes('\0', PARTS.length)) return
  return path.endsWith('.md5sums') ? 'debSums' : 'debStatusPart'
}

/** The directories that PEP 376 and setuptools name, and distutils' plain file. */
function pythonKind(path: PathKey): DatabaseKind | undefined {
  if (path.endsWith('.dist-info\0METADATA')) return 'pypi'
  if (path.endsWith('.dist-info\0RECORD')) return 'pypiRecord'
  if (path.endsWith('.egg-info\0PKG-INFO') || path.endsWith('.egg-info')) return 'pypi'
  if (path.endsWith('.egg-info\0installed-files.txt')) return 'pypiFiles'
  return
}

/** `(…/)node_modules/(@scope/)NAME/package.json` */
function isNpmPackage(parts: readonly ByteString[]): boolean {
  const [name = '', above = '', aboveScope] = [parts.at(-2), parts.at(-3), parts.at(-4)]
  if (name === '' || name.includes('@')) return false
  return above === MODULES || (aboveScope === MODULES && above.startsWith('@') && above !== '@')
}

const MODULES = 'node_modules'

/**
 * The directory of the npm package that `path` stands in, the innermost where they nest; undefined outside of all
 * packages. What stands directly in a `node_modules` or in a scope belongs to none.
 */
export function npmDirectory(path: PathKey): PathKey | undefined {
  const start = lastModules(path)
  if (start === undefined) return
  const scoped = path.charCodeAt(start) === AT
  const name = scoped ? path.indexOf('\0', start) + 1 : start
  const end = name === 0 ? -1 : path.indexOf('\0', name)
  return end < 0 ? undefined : path.slice(0, end)
}

/** Where the part after the last `node_modules` begins. */
function lastModules(path: PathKey): number | undefined {
  for (let at = path.length; at > 0; at--) {
    at = path.lastIndexOf(`${MODULES}\0`, at - 1)
    if (at < 0) return
    if (at === 0 || path.charCodeAt(at - 1) === 0) return at + MODULES.length + 1
  }
  return
}

const AT = 0x40

/** Where `relative` leads from `directory`: `.` and empty parts dropped, `..` clamped at the root, `/…` from the root. */
export function resolvePath(directory: PathKey, relative: ByteString): PathKey {
  const parts = relative.startsWith('/') || directory === '' ? [] : directory.split('\0')
  for (const part of relative.split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '' && part !== '.') parts.push(part)
  }
  return parts.join('\0')
}

function byKey(kinds: Readonly<Record<string, DatabaseKind>>): ReadonlyMap<PathKey, DatabaseKind> {
  return new Map(Object.entries(kinds).map(([path, kind]) => [pathToKey(path), kind]))
}
