/** Reads databases of every format in the same way: packages and files in order, one piece of the database at a time. */
import { WorkBudget } from '../../concurrency.ts'
import type { DatabaseKind, PackageDatabase } from '../../layer/database.ts'
import type { ByteString } from '../../text/bytes.ts'
import { baseName, type PathKey, parentKey } from '../../text/path.ts'
import { readAlpmDesc, readAlpmFiles } from './alpm.ts'
import { readApkInstalled } from './apk.ts'
import { readComposerInstalled } from './composer.ts'
import { readCondaMeta } from './conda.ts'
import { readDpkgList, readDpkgStatus, readDpkgSums } from './deb.ts'
import { type DatabaseContent, type Finding, type FoundPackage, UnreadableDatabase } from './found.ts'
import { readGemSpecification } from './gem.ts'
import { parsePackageJson } from './npm.ts'
import { readDepsJson } from './nuget.ts'
import { readCoreMetadata, readInstalledFiles, readRecord } from './pypi.ts'
import { parseRpmHeader } from './rpm.ts'
import { berkeleyHeaders } from './rpm-berkeley.ts'
import { ndbHeaders } from './rpm-ndb.ts'
import { sqliteHeaders } from './rpm-sqlite.ts'

const KIB = 1024
const MIB = 1024 * KIB

/**
 * The largest database of each kind that is read, in bytes; those of real images have a tenth. Formats that are parsed as a
 * whole are small, except rpm's, which are read out of order: they are held as bytes outside of the heap.
 */
const MAX_BYTES: Readonly<Record<DatabaseKind, number>> = {
  debStatus: 32 * MIB,
  debStatusPart: MIB,
  debFiles: 16 * MIB,
  debSums: 16 * MIB,
  apk: 32 * MIB,
  rpm: 64 * MIB,
  rpmNdb: 64 * MIB,
  rpmBerkeley: 64 * MIB,
  rpmLog: 0,
  npm: 512 * KIB,
  pypi: 4 * MIB,
  pypiRecord: 16 * MIB,
  pypiFiles: 16 * MIB,
  composer: 16 * MIB,
  gem: MIB,
  nuget: 4 * MIB,
  conda: 4 * MIB,
  alpm: MIB,
  alpmFiles: 16 * MIB,
  osRelease: 64 * KIB,
}

/** How many paths are passed on at once. */
const PATHS = 1_000

/**
 * The content of one database, in its order.
 *
 * @param key where the image shows it
 * @param bytes how large it is
 * @throws UnreadableDatabase if it is damaged or too large; meaningless text is just skipped
 */
export async function* readDatabase(
  kind: DatabaseKind,
  key: PathKey,
  { bytes, content }: { readonly bytes: number; readonly content: DatabaseContent },
): AsyncGenerator<Finding> {
  if (bytes > MAX_BYTES[kind]) throw new UnreadableDatabase(`it has ${bytes} bytes`)
  switch (kind) {
    case 'debStatus':
    case 'debStatusPart':
      return yield* readDpkgStatus(content)
    case 'debFiles':
      return yield* readDpkgList(content)
    case 'debSums':
      return yield* readDpkgSums(content)
    case 'apk':
      return yield* readApkInstalled(content)
    case 'rpm':
      return yield* rpmFindings(sqliteHeaders(await whole(content, bytes)))
    case 'rpmNdb':
      return yield* rpmFindings(ndbHeaders(await whole(content, bytes)))
    case 'rpmBerkeley':
      return yield* rpmFindings(berkeleyHeaders(await whole(content, bytes)))
    case 'nuget':
      return yield* readDepsJson(await whole(content, bytes), key)
    case 'conda':
      return yield* readCondaMeta(await whole(content, bytes), key)
    case 'alpm':
      return yield* readAlpmDesc(content)
    case 'alpmFiles':
      return yield* readAlpmFiles(content)
    case 'npm': {
      const found = parsePackageJson(await whole(content, bytes), key)
      if (found !== undefined) yield { kind: 'package', found }
      return
    }
    case 'pypi':
      return yield* readCoreMetadata(content)
    case 'pypiRecord':
      return yield* readRecord(content, key)
    case 'pypiFiles':
      return yield* readInstalledFiles(content, key)
    case 'composer':
      return yield* readComposerInstalled(content)
    case 'gem':
      return yield* readGemSpecification(content)
    case 'osRelease':
      return
    case 'rpmLog':
      throw new UnreadableDatabase(`${kind} is not read`)
  }
}

async function whole(content: DatabaseContent, bytes: number): Promise<Uint8Array> {
  const file = new Uint8Array(bytes)
  let filled = 0
  for await (const chunk of content) {
    file.set(chunk.subarray(0, bytes - filled), filled)
    filled = Math.min(bytes, filled + chunk.length)
  }
  return file.subarray(0, filled)
}

/** A byte of a header costs some thirty times as much as a byte of a file's content. */
const WORK_A_BYTE = 32
/** And a path as much as some hundred bytes: one header may have a million. */
const WORK_A_PATH = 512

async function* rpmFindings(headers: Iterable<Uint8Array>): AsyncGenerator<Finding> {
  const budget = new WorkBudget()
  for (const header of headers) {
    if (budget.isDue(WORK_A_BYTE * header.length)) await budget.yield()
    const rpm = parseRpmHeader(header)
    if (rpm === undefined) continue
    yield { kind: 'package', found: rpm.found }
    let paths: PathKey[] = []
    for (const path of rpm.files) {
      if (paths.push(path) < PATHS) continue
      yield { kind: 'files', paths }
      paths = []
      if (budget.isDue(WORK_A_PATH * PATHS)) await budget.yield()
    }
    if (paths.length > 0) yield { kind: 'files', paths }
  }
}

/** The owner of the paths in a file list: one of its package's `ownerNames`. Undefined for any other database. */
export function listOwner(kind: DatabaseKind, key: PathKey): string | undefined {
  switch (kind) {
    case 'debFiles':
      return `deb/${withoutSuffix(key, '.list')}`
    case 'debSums':
      return `part/${withoutSuffix(key, '.md5sums')}`
    case 'pypiRecord':
    case 'pypiFiles':
      return `pypi/${parentKey(key)}`
    case 'alpmFiles':
      return `alpm/${parentKey(key)}`
    default:
      return undefined
  }
}

/** The names under which a package's files may be recorded; dpkg's have the architecture if needed to tell packages apart. */
export function ownerNames(kind: PackageDatabase, key: PathKey, found: FoundPackage): readonly string[] {
  switch (kind) {
    case 'debStatus':
      return [`deb/${found.name}:${found.architecture ?? ''}`, `deb/${found.name}`]
    case 'debStatusPart':
      return [`part/${baseName(key)}`]
    case 'apk':
    case 'rpm':
    case 'rpmNdb':
    case 'rpmBerkeley':
      return [`${found.type}/${found.name}/${found.version}/${found.architecture ?? ''}`]
    case 'npm':
      return [`npm/${parentKey(key)}`]
    case 'pypi':
      return [`pypi/${parentKey(key)}`]
    case 'alpm':
      return [`alpm/${parentKey(key)}`]
    case 'nuget':
    case 'conda':
      return [`${found.type}/${key}/${found.name}/${found.version}`]
    // Neither lists its files.
    case 'composer':
    case 'gem':
      return []
  }
}

function withoutSuffix(key: PathKey, suffix: string): ByteString {
  return baseName(key).slice(0, -suffix.length)
}
