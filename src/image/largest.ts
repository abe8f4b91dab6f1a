import { type PathKey, showPath } from '../text/path.ts'
import type { SizedPath } from './report.ts'

const KEPT = 20

type Sized = { readonly key: PathKey; readonly bytes: number; readonly layer?: number }

/** The 20 largest of all that is added: largest first, of equals the first in path order. */
export class LargestPaths {
  readonly #kept: Sized[] = []

  add({ key, bytes, layer }: Sized): void {
    const last = this.#kept.at(-1)
    const isFull = this.#kept.length === KEPT
    if (isFull && last !== undefined && (bytes < last.bytes || (bytes === last.bytes && key > last.key)))
      return
    const after = this.#kept.findIndex((one) => one.bytes < bytes || (one.bytes === bytes && one.key > key))
    const sized = { key, bytes, ...(layer === undefined ? {} : { layer }) }
    this.#kept.splice(after < 0 ? this.#kept.length : after, 0, sized)
    if (isFull) this.#kept.pop()
  }

  list(): SizedPath[] {
    return this.#kept.map(({ key, ...rest }) => ({ ...showPath(key), ...rest }))
  }
}
