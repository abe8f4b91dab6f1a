/** What all archives have in common: a list of entries. */
import type { ByteString } from '../text/bytes.ts'
import type { PathKey } from '../text/path.ts'

export const ENTRY_TYPES = ['file', 'directory', 'symlink', 'hardlink', 'other'] as const
export type EntryType = (typeof ENTRY_TYPES)[number]

export type ArchiveEntry = {
  /** Cleaned as the names in a layer. */
  readonly key: PathKey
  readonly type: EntryType
  /** Of its content; in a tar 0 unless it is a regular file. */
  readonly bytes: number
  /** Compressed, in a zip. */
  readonly storedBytes?: number
  /** Microseconds since 1970. */
  readonly mtime?: number
  readonly link?: ByteString
  /** Equal for equal contents, in archives of the same kind. */
  readonly sum?: string | number
}

/** The entries in the archive's order, without the root's own. An entry is made when it is asked for. */
export interface ArchiveEntries<Entry extends ArchiveEntry = ArchiveEntry> {
  readonly count: number
  /** Roughly what the list takes in memory. */
  readonly memoryBytes: number
  at(index: number): Entry
  key(index: number): PathKey
}

/** More entries are refused. */
export const MAX_ENTRIES = 1_000_000

export const ARCHIVE_WARNINGS = ['absolute', 'dotdot', 'duplicateEntry'] as const
export type ArchiveWarning = { readonly code: (typeof ARCHIVE_WARNINGS)[number]; readonly count: number }

/** Counts names that a reader should know of. */
export class NameWarnings {
  readonly #counts = { absolute: 0, dotdot: 0, duplicateEntry: 0 }
  readonly #seen = new Set<PathKey>()

  see({ key, absolute, dotdots }: { key: PathKey; absolute: boolean; dotdots: number }): void {
    if (absolute) this.#counts.absolute++
    if (dotdots > 0) this.#counts.dotdot++
    if (key === '') return
    if (this.#seen.has(key)) this.#counts.duplicateEntry++
    this.#seen.add(key)
  }

  found(): readonly ArchiveWarning[] {
    return ARCHIVE_WARNINGS.map((code) => ({ code, count: this.#counts[code] })).filter(
      ({ count }) => count > 0,
    )
  }
}
