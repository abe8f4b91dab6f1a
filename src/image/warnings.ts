/** Oddities of an image that its maintainer should know about, though they do not affect the report. */
import { type PathKey, showPath } from '../text/path.ts'
import type { Warning } from './report.ts'
import { layerOf, type Sequence } from './sequence.ts'

export type ImageWarningCode =
  /** A whiteout hides a path that no lower layer has. */
  | 'whiteoutOfNothing'
  /** A layer has two members of one name, directories aside. */
  | 'duplicateEntry'
  /** A member below a symlink, which becomes a directory. */
  | 'symlinkParent'
  /** A member below a path that is neither a directory nor a symbolic link. */
  | 'fileParent'
  | 'danglingHardlink'

/** `key` is undefined for a warning about a whole layer. */
type FirstOccurrence = { count: number; sequence: Sequence; key: PathKey | undefined }

/** One warning per code, with its count and first place. */
export class ImageWarnings {
  readonly #places = new Map<string, FirstOccurrence>()

  add(code: string, sequence: Sequence, key?: PathKey, count = 1): void {
    const place = this.#places.get(code)
    if (place === undefined) {
      this.#places.set(code, { count, sequence, key })
      return
    }
    place.count += count
    if (sequence >= place.sequence) return
    place.sequence = sequence
    place.key = key
  }

  /** By code. */
  list(): Warning[] {
    const places = [...this.#places].sort(([a], [b]) => (a < b ? -1 : 1))
    return places.map(([code, { count, sequence, key }]) => ({
      code,
      count,
      layer: layerOf(sequence),
      ...(key === undefined ? {} : showPath(key)),
    }))
  }
}
