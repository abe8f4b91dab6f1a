/** Package databases: the members whose content is kept, since packages are told from them. */
import type { PathKey } from '../text/path.ts'

/** Takes the content of each package database as it passes: `open`, any number of `write`, `close`; then the next. */
export type DatabaseSink = {
  /**
   * @param bytes what `write` will get in all
   * @param ordinal of the member in its layer
   */
  open(key: PathKey, bytes: number, ordinal: number): void | Promise<void>
  /** @param chunk a view that is valid only until the call has ended, or what it returned is settled */
  write(chunk: Uint8Array): void | Promise<void>
  close(): void | Promise<void>
}

/** Of one layer's databases together, in bytes; those past it are left out with a warning. */
export const MAX_DATABASE_BYTES = 64 * 1024 * 1024

const FILES: ReadonlySet<PathKey> = new Set(
  [
    'var/lib/dpkg/status',
    'lib/apk/db/installed',
    'usr/lib/apk/db/installed',
    'var/lib/rpm/rpmdb.sqlite',
    'usr/lib/sysimage/rpm/rpmdb.sqlite',
    'etc/os-release',
    'usr/lib/os-release',
  ].map((path) => path.replaceAll('/', '\0')),
)

const DPKG = 'var\0lib\0dpkg\0'
const DPKG_STATUS = /^var\0lib\0dpkg\0status\.d\0[^\0]+$/
const DPKG_LIST = /^var\0lib\0dpkg\0info\0[^\0]+\.list$/
const NPM = /(?:^|\0)node_modules\0(?:@[^\0]+\0)?[^\0@]+\0package\.json$/
const PYTHON_ENDS = ['METADATA', 'RECORD', '-info', 'PKG-INFO', 'installed-files.txt']
const PYTHON = /\.dist-info\0(?:METADATA|RECORD)$|\.egg-info(?:\0(?:PKG-INFO|installed-files\.txt))?$/

/**
 * Whether a regular file of that name is a package database: dpkg's status (one file, or one a package), and its lists
 * of files; apk's; rpm's in SQLite; each npm package's `package.json`; Python's metadata and lists of files; and os-release,
 * which says whose packages they are.
 */
export function isPackageDatabase(key: PathKey): boolean {
  // Nearly all names are told apart by their last letters.
  if (key.startsWith(DPKG)) return FILES.has(key) || DPKG_STATUS.test(key) || DPKG_LIST.test(key)
  if (key.endsWith('\0package.json')) return NPM.test(key)
  if (PYTHON_ENDS.some((end) => key.endsWith(end))) return PYTHON.test(key)
  return FILES.has(key)
}
