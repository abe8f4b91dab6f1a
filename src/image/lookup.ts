/** One file by its path, links followed inside the image alone. */
import { type ByteString, toBytes } from '../bytes.ts'
import type { Table } from '../index/table.ts'
import type { Entry } from '../layer/entry.ts'
import { cleanPath } from '../layer/tar/clean.ts'
import { type PathKey, parentKey, showPath } from '../path.ts'
import { Problem } from '../problem.ts'
import type { MergedEntry } from './merged-entry.ts'

/** What holds a file's content: a member of a layer, by the position of its content in the tar. */
export type FoundFile = {
  readonly key: PathKey
  readonly layer: number
  readonly bytes: number
  readonly sha256: ByteString
  readonly offset: number
}

/** As many as Linux follows. */
const MAX_LINKS = 40

/**
 * @param files the merged table
 * @throws Problem `path_not_found`: nothing stands there, or no regular file
 */
export async function findFile(files: Table<MergedEntry>, key: PathKey): Promise<FoundFile> {
  const entry = await resolve(key, (at) => rowAt(files, at))
  return regular(entry, entry.layer)
}

/**
 * A file as one layer has it, also where a later one hides it. Symbolic links lead to what the same layer has, hard ones
 * to that or to what the layers below have.
 *
 * @param layers tables of the layers' members, up to the one that is asked
 * @throws Problem `path_not_found`
 */
export async function findMember(layers: readonly Table<Entry>[], key: PathKey): Promise<FoundFile> {
  const top = layers.length - 1
  const entry = await resolve(key, (at) => memberAt(layers[top], at))
  if (entry.type !== 'hardlink') return regular(entry, top)
  const target = targetOf(entry.link)
  for (let layer = top; layer >= 0; layer--) {
    const found = await memberAt(layers[layer], target)
    if (found !== undefined && found.type !== 'hardlink') return regular(found, layer)
  }
  throw missing(key, 'is a hard link to nothing')
}

/** Follows symbolic links, those on the way too, as a container would whose root the image is. */
async function resolve<E extends Entry>(
  asked: PathKey,
  lookUp: (key: PathKey) => Promise<E | undefined>,
): Promise<E> {
  let key = asked
  for (let links = 0; links <= MAX_LINKS; links++) {
    const { entry, rest } = await firstLink(key, lookUp)
    if (entry === undefined) throw missing(asked, 'is not there')
    if (entry.type !== 'symlink') return entry
    key = follow(entry, rest)
  }
  throw missing(asked, `leads through more than ${MAX_LINKS} symbolic links`)
}

type Step<E> = { readonly entry: E | undefined; readonly rest: PathKey }

/**
 * What stands at the path, or the symbolic link on the way to it with what of the path comes after it. Mostly the path is
 * there itself, and that is all that is looked up.
 */
async function firstLink<E extends Entry>(
  key: PathKey,
  lookUp: (key: PathKey) => Promise<E | undefined>,
): Promise<Step<E>> {
  const entry = await lookUp(key)
  if (entry !== undefined || key === '') return { entry, rest: '' }
  const parts = key.split('\0')
  for (let length = 1; length < parts.length; length++) {
    const way = await lookUp(parts.slice(0, length).join('\0'))
    if (way?.type === 'symlink') return { entry: way, rest: parts.slice(length).join('/') }
  }
  return { entry: undefined, rest: '' }
}

/** Where a link leads: from the root or from its own directory, and never above the root. */
function follow({ key, link = '' }: Entry, rest: string): PathKey {
  const from = link.startsWith('/') ? '' : parentKey(key).replaceAll('\0', '/')
  return cleanPath(toBytes(`${from}/${link}/${rest}`)).key
}

function targetOf(link: ByteString | undefined): PathKey {
  return cleanPath(toBytes(link ?? '')).key
}

async function rowAt(files: Table<MergedEntry>, key: PathKey): Promise<MergedEntry | undefined> {
  for await (const batch of files.rows(files.at(key))) {
    for (const row of batch) if (row.key === key) return row
  }
  return undefined
}

/** The last member of that name, which is the one that counts. */
async function memberAt(layer: Table<Entry> | undefined, key: PathKey): Promise<Entry | undefined> {
  if (layer === undefined) return undefined
  let last: Entry | undefined
  for await (const batch of layer.rows(layer.at(key))) {
    for (const row of batch) if (row.key === key && row.whiteout === undefined) last = row
  }
  return last
}

function regular({ key, type, bytes, sha256, offset }: Entry, layer: number): FoundFile {
  if (type !== 'file' || sha256 === undefined) throw missing(key, `is no regular file but of type ${type}`)
  return { key, layer, bytes, sha256, offset }
}

function missing(key: PathKey, why: string): Problem {
  return new Problem('path_not_found', `${JSON.stringify(showPath(key).path)} ${why}`)
}

