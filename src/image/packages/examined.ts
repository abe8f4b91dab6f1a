/** Packages that were found inside files: from what a layer's index has of a file to the rows of the inventory. */
import { z } from 'zod'
import type { Jar, MavenArtifact } from '../../inside/jar.ts'
import { isJarName } from '../../inside/jar.ts'
import type { Examined } from '../../layer/examine.ts'
import { type ByteString, compareText, decodeText, encodeText } from '../../text/bytes.ts'
import { parseJson } from '../../text/json.ts'
import { baseName, type PathKey, pathToKey } from '../../text/path.ts'
import type { FoundPackage } from './found.ts'

/** A package found inside a file. */
export type FoundInside = {
  readonly found: FoundPackage
  /** The file, or an archive in it. */
  readonly key: PathKey
  /** Absent where the bytes count for another package. */
  readonly bytes?: number
}

export type InsideFile = {
  readonly packages: readonly FoundInside[]
  /** Archives that cannot be read. */
  readonly unreadable: readonly PathKey[]
}

const isObject = (value: unknown) => typeof value === 'object' && value !== null
const EXAMINED: z.ZodType<Examined> = z.custom<Examined>(isObject)

/** What a layer's index has of a file; undefined if it is damaged. */
export function parseExamined(json: string | Uint8Array): Examined | undefined {
  return EXAMINED.safeParse(parseJson(json)).data
}

/**
 * The packages of programs and archives.
 *
 * @param file where the image shows it
 */
export function packagesInside(
  { go, cargo, jar }: Examined,
  file: { readonly key: PathKey; readonly bytes: number },
): InsideFile {
  const packages: FoundInside[] = []
  const unreadable: PathKey[] = []
  const { key, bytes } = file
  if (go !== undefined) {
    const hasMain = go.modules.some(({ isMain }) => isMain)
    for (const { name, version = '', isMain } of go.modules)
      packages.push({ found: { type: 'golang', name, version }, key, ...(isMain ? { bytes } : {}) })
    const found = { type: 'golang', name: 'stdlib', version: go.version ?? '' } as const
    packages.push({ found, key, ...(hasMain ? {} : { bytes }) })
  }
  for (const { name, version, isRoot } of cargo ?? [])
    packages.push({ found: { type: 'cargo', name, version }, key, ...(isRoot ? { bytes } : {}) })
  if (jar !== undefined && isJarName(baseName(key))) addJar(jar, file, 0, { packages, unreadable })
  return { packages, unreadable }
}

/** How many levels of archives have bytes. */
const COUNTED_LEVELS = 2

function addJar(
  jar: Jar | 'unreadable' | undefined,
  { key, bytes }: { readonly key: PathKey; readonly bytes: number },
  depth: number,
  to: { readonly packages: FoundInside[]; readonly unreadable: PathKey[] },
): void {
  if (jar === undefined || jar === 'unreadable') {
    to.unreadable.push(key)
    return
  }
  const inner = jar.inner.reduce(
    (all, { storedBytes, jar: listed }) => all + (listed === undefined ? 0 : storedBytes),
    0,
  )
  const own = Math.max(0, bytes - (depth === 0 ? inner : 0))
  const counted = depth < COUNTED_LEVELS ? { bytes: own } : {}
  const name = baseName(key)
  const holder = holderOf(jar.artifacts, decodeText(name).text)
  for (const artifact of jar.artifacts)
    to.packages.push({ found: packageOf(artifact), key, ...(artifact === holder ? counted : {}) })
  if (holder === undefined) to.packages.push({ found: namedPackage(name, jar.version), key, ...counted })
  for (const one of jar.inner)
    addJar(one.jar, { key: `${key}!\0${pathToKey(one.name)}`, bytes: one.storedBytes }, depth + 1, to)
}

function packageOf({ group, name, version = '' }: MavenArtifact): FoundPackage {
  return { type: 'maven', name: `${group}:${name}`, version }
}

/** The one with the longest name that begins the file's name, else the first by name. */
function holderOf(artifacts: readonly MavenArtifact[], file: string): MavenArtifact | undefined {
  const byName = artifacts.toSorted((a, b) =>
    compareText(encodeText(`${a.group}:${a.name}`), encodeText(`${b.group}:${b.name}`)),
  )
  const fitting = byName
    .filter(({ name }) => file.startsWith(name))
    .sort((a, b) => encodeText(b.name).length - encodeText(a.name).length)
  return fitting[0] ?? byName[0]
}

/** `NAME-VERSION.jar`: the version begins at the first digit after a `-`. */
function namedPackage(file: ByteString, version: string | undefined): FoundPackage {
  const stem = decodeText(file.slice(0, file.lastIndexOf('.'))).text
  const [, name = stem, named = ''] = /^(.+?)-(\d.*)$/s.exec(stem) ?? []
  return { type: 'maven', name, version: version ?? named }
}
