/** Java archives: which Maven artifacts they contain, in archives inside them too. */

import { Problem } from '../problem.ts'
import { type ByteString, decodeText } from '../text/bytes.ts'
import type { PathKey } from '../text/path.ts'
import { damaged, type FileContent, type FileRanges, streamed } from './ranges.ts'
import { entryContent, isStored, storedContent } from './zip-content.ts'
import { requireZipEnd } from './zip-end.ts'
import { readZipRows, type ZipContent } from './zip-rows.ts'

export type MavenArtifact = { readonly group: string; readonly name: string; readonly version?: string }

/** What an archive says about itself, before its own name is known to matter. */
export type Jar = {
  /** From each `pom.properties`. */
  readonly artifacts: readonly MavenArtifact[]
  /** Of the manifest. */
  readonly version?: string
  readonly inner: readonly InnerJar[]
}

/** An archive inside an archive. */
export type InnerJar = {
  readonly name: ByteString
  readonly storedBytes: number
  /** Absent if it cannot be read. */
  readonly jar?: Jar
}

/** What reading archives may take. */
export type InflateRoom = {
  /** Counts bytes before they are inflated. @throws Problem `too_large` if they are too many */
  charge(bytes: number): void | Promise<void>
  /** Holds what is inflated, for random access. */
  hold(content: AsyncIterable<Uint8Array>, bytes: number): Promise<FileRanges>
}

/** Limit on what is inflated of one archive, as its directory says. */
const MAX_INFLATED_BYTES = 256 * 1024 * 1024
/** Limit on what is found in a file and the archives inside it: some 30,000 artifacts. */
const MAX_FOUND_BYTES = 8 * 1024 * 1024
/** Memory for an entry besides its name. */
const ENTRY_BYTES = 256
/** Archives inside archives inside archives. */
const MAX_DEPTH = 3
const POM = /^META-INF\/maven\/([^/]+)\/([^/]+)\/pom\.properties$/
const MANIFEST = 'META-INF/MANIFEST.MF'
const DOT = 0x2e
const ARCHIVE = /\.(?:jar|war|ear|hpi|jpi)$/
/** A longer name or version is none. */
const MAX_TEXT = 1_024

/** Whether a file of that name, or at that path, is read as a Java archive. */
export function isJarName(name: ByteString | PathKey): boolean {
  return name.charCodeAt(name.length - 4) === DOT && ARCHIVE.test(name)
}

/** Whether an error says that an archive is unreadable; others come from what it is read from. */
export function isUnreadable(error: unknown): boolean {
  return (
    error instanceof Problem &&
    (error.code === 'invalid_archive' || error.code === 'unknown_format' || error.code === 'too_large')
  )
}

/** @throws Problem `invalid_archive`, `unknown_format`, `too_large` if the archive cannot be read */
export function readJar(file: FileRanges, room: InflateRoom): Promise<Jar> {
  return readLevel(file, { room, found: { bytes: 0 } }, 0)
}

type Reading = {
  readonly room: InflateRoom
  /** What all levels take in memory. */
  readonly found: { bytes: number }
}

async function readLevel(file: FileRanges, reading: Reading, depth: number): Promise<Jar> {
  const { room, found } = reading
  const end = await requireZipEnd(file)
  const wanted: NamedContent[] = []
  let bytes = 0
  for await (const rows of readZipRows(file, end)) {
    for (const row of rows) {
      if (!isWanted(row.name, depth)) continue
      bytes += row.bytes
      if (bytes > MAX_INFLATED_BYTES)
        throw new Problem('too_large', `the archive inflates to more than ${MAX_INFLATED_BYTES} bytes`)
      found.bytes += ENTRY_BYTES + row.name.length
      if (found.bytes > MAX_FOUND_BYTES)
        throw new Problem('too_large', `the archive has more archives and artifacts than are read`)
      wanted.push({ ...row, headerOffset: end.start + row.headerOffset })
    }
  }
  await room.charge(bytes)
  const content = streamed(file)
  const artifacts: MavenArtifact[] = []
  const inner: InnerJar[] = []
  let version: string | undefined
  // The archive itself must be readable before those inside it are read.
  for (const entry of wanted) {
    const pom = POM.exec(entry.name)
    if (pom === null && entry.name !== MANIFEST) continue
    const lines = await textOf(entryContent(await storedContent(content, entry), entry), entry.bytes)
    if (pom !== null) artifacts.push(artifactOf(lines, pom))
    else version = manifestVersion(lines)
  }
  for (const entry of wanted) {
    if (!isJarName(entry.name)) continue
    const jar = await readInner(content, { entry, depth }, reading)
    inner.push({ name: entry.name, storedBytes: entry.storedBytes, ...(jar === undefined ? {} : { jar }) })
  }
  return { artifacts, ...(version === undefined ? {} : { version }), inner }
}

function isWanted(name: ByteString, depth: number): boolean {
  if (name.endsWith('/')) return false
  return name === MANIFEST || (isJarName(name) && depth < MAX_DEPTH) || POM.test(name)
}

type NamedContent = ZipContent & { readonly name: ByteString }
type Inner = { readonly entry: ZipContent; readonly depth: number }

async function readInner(
  outer: FileContent,
  { entry, depth }: Inner,
  reading: Reading,
): Promise<Jar | undefined> {
  try {
    const stored = await storedContent(outer, entry)
    // Stored: read in place. What is needed of it has CRCs of its own.
    const file = isStored(entry) ? stored : await reading.room.hold(entryContent(stored, entry), entry.bytes)
    return await readLevel(file, reading, depth + 1)
  } catch (error) {
    if (!isUnreadable(error)) throw error
    return undefined
  }
}

/** How much of a properties file or manifest is held. */
const MAX_LINES_BYTES = 1024 * 1024

async function textOf(content: AsyncIterable<Uint8Array>, bytes: number): Promise<Buffer> {
  const text = Buffer.alloc(Math.min(bytes, MAX_LINES_BYTES))
  let filled = 0
  // To the end, where the CRC is verified.
  for await (const piece of content) {
    text.set(piece.subarray(0, text.length - filled), filled)
    filled = Math.min(text.length, filled + piece.length)
  }
  if (filled < text.length) throw damaged('an entry is cut off')
  return text
}

const PROPERTY = /^[ \t\f]*([^\s=:#!][^\s=:]*)[ \t\f]*[=: ][ \t\f]*(.*?)\s*$/

const ARTIFACT: ReadonlySet<string> = new Set(['groupId', 'artifactId', 'version'])

/** java.util.Properties, as far as Maven writes them. */
function artifactOf(text: Buffer, [, group = '', name = '']: RegExpExecArray): MavenArtifact {
  const found = new Map<string, string>()
  for (const line of text.toString('latin1').split(/\r\n|\r|\n/)) {
    const [, key, value = ''] = (line.length > MAX_TEXT ? null : PROPERTY.exec(line)) ?? []
    if (key !== undefined && ARTIFACT.has(key)) found.set(key, value)
  }
  const version = found.get('version')
  return {
    group: found.get('groupId') || decodeText(group).text,
    name: found.get('artifactId') || decodeText(name).text,
    ...(version ? { version } : {}),
  }
}

/** The first that a manifest has. */
const VERSIONS: readonly string[] = ['implementation-version', 'bundle-version']

/** Of the main section, which ends at the first empty line; a line that begins with a space continues the one before. */
function manifestVersion(text: Buffer): string | undefined {
  const found = new Map<string, string>()
  const [main = ''] = text
    .toString('utf8')
    .replaceAll('\r\n', '\n')
    .replaceAll('\r', '\n')
    .replaceAll('\n ', '')
    .split('\n\n', 1)
  for (const line of main.split('\n')) {
    const colon = line.indexOf(':')
    const value = line.slice(colon + 1).trim()
    const name = line.slice(0, Math.max(0, colon)).toLowerCase()
    if (VERSIONS.includes(name) && value !== '' && value.length <= MAX_TEXT) found.set(name, value)
  }
  return VERSIONS.map((name) => found.get(name)).find((value) => value !== undefined)
}
