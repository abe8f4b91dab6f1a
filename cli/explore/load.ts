/** Fills listings with what the API says. */
import { setImmediate as turn } from 'node:timers/promises'
import type { ByteString } from '../../src/text/bytes.ts'
import { Listing, type Path, ROOT, type Sign } from './listing.ts'
import { type FileItem, MOST_CHILDREN, pathOf, type Questions, type TreeAnswer } from './questions.ts'

/** Adds what is in a folder. @returns whether that is all of it */
export function addFolder(listing: Listing, row: number, { bytes, files, children }: TreeAnswer): boolean {
  listing.setSize(row, { bytes, files })
  const named = children.map((child) => ({ ...child, name: lastPart(pathOf(child)) }))
  named.sort((a, b) => (a.name < b.name ? -1 : 1))
  for (const child of named) listing.add(row, child)
  listing.setKnown(row)
  return children.length < MOST_CHILDREN
}

export function lastPart(path: ByteString): ByteString {
  return path.slice(path.lastIndexOf('/') + 1)
}

export function folderOf(path: ByteString): ByteString {
  return path.slice(0, Math.max(path.lastIndexOf('/'), 0))
}

/** Reads all paths of an image. @param onRead called with how many there are so far */
export async function readWhole(
  questions: Questions,
  expected: number,
  onRead: (paths: number) => void,
): Promise<Listing> {
  const builder = new ListingBuilder(expected)
  for await (const items of questions.rows()) {
    for (const item of items)
      builder.add(pathOf(item), {
        type: item.type,
        bytes: item.bytes,
        files: item.type === 'file' ? 1 : 0,
        time: secondsOf(item),
      })
    onRead(builder.length)
    // Keys come first.
    await turn()
  }
  return builder.finish()
}

export function secondsOf({ mtime }: Pick<FileItem, 'mtime'>): number {
  return Date.parse(mtime) / 1000
}

/** Makes a listing of paths in path order. */
export class ListingBuilder {
  readonly #listing: Listing
  readonly #open: { readonly row: number; readonly path: ByteString }[] = [{ row: ROOT, path: '' }]

  constructor(expected = 0) {
    this.#listing = new Listing({ isWhole: true, expected })
  }

  get length(): number {
    return this.#listing.length
  }

  /** Also the folders above it, if they were not added. @returns its row */
  add(path: ByteString, about: Omit<Path, 'name'>): number {
    if (path === '') return ROOT
    const parent = this.#folder(folderOf(path))
    const row = this.#listing.add(parent, { ...about, name: lastPart(path) })
    this.#open.push({ row, path })
    return row
  }

  #folder(path: ByteString): number {
    while (!isIn(path, this.#open.at(-1)?.path ?? '')) this.#open.pop()
    const last = this.#open.at(-1)
    if (last?.path === path) {
      if (!this.#listing.isFolder(last.row)) this.#listing.setFolder(last.row)
      return last.row
    }
    const row = this.#listing.add(this.#folder(folderOf(path)), {
      name: lastPart(path),
      type: 'directory',
      bytes: 0,
      files: 0,
    })
    this.#open.push({ row, path })
    return row
  }

  setSign(row: number, sign: Sign): void {
    this.#listing.setSign(row, sign)
  }

  setSize(row: number, size: Pick<Path, 'bytes' | 'files'>): void {
    this.#listing.setSize(row, size)
  }

  finish(): Listing {
    this.#listing.sum()
    return this.#listing
  }
}

function isIn(path: ByteString, folder: ByteString): boolean {
  return folder === '' || path === folder || (path.startsWith(folder) && path[folder.length] === '/')
}
