/** Two versions of a file system of many files, row by row in path order; some files of the second differ. */
import { hash } from 'node:crypto'
import type { MergedEntry } from '../../src/image/merged-entry.ts'

export type Version = {
  readonly version: 0 | 1
  readonly files: number
  /** One of so many files differs. */
  readonly every: number
}

function entry(place: number, { version, every }: Version): MergedEntry {
  const changed = version === 1 && place % every === 0
  const directory = `usr\0share\0package-${String(Math.floor(place / 40)).padStart(6, '0')}`
  return {
    key: `${directory}\0lib\0file-${String(place % 40).padStart(2, '0')}.js`,
    type: 'file',
    bytes: (place % 30_000) + (changed ? 1 + (place % 7) : 0),
    mode: 0o644,
    uid: 0,
    gid: 0,
    mtime: (1_700_000_000 + Math.floor(place / 500)) * 1e6,
    sha256: hash('sha256', `${place} ${changed}`, 'binary'),
    ordinal: place,
    offset: place * 30_720,
    layer: 0,
    inode: place,
  }
}

export async function* entriesOf(of: Version): AsyncGenerator<readonly MergedEntry[]> {
  for (let i = 0; i < of.files; i += 1000) {
    yield Array.from({ length: Math.min(1000, of.files - i) }, (_, k) => entry(i + k, of))
  }
}
