/** The largest files and directories of a report. */
import { Largest } from '../table/largest.ts'
import { type PathKey, showPath } from '../text/path.ts'
import type { SizedPath } from './report.ts'

const KEPT = 20

type Sized = { readonly key: PathKey; readonly bytes: number; readonly layer?: number }

/** The 20 largest of all that is added: largest first, equals in path order. */
export class LargestPaths {
  readonly #largest = new Largest<Omit<SizedPath, 'path' | 'pathBase64'>, PathKey>(KEPT)

  add({ key, bytes, layer }: Sized): void {
    this.#largest.add(bytes, key, () => ({ bytes, ...(layer === undefined ? {} : { layer }) }))
  }

  list(): SizedPath[] {
    return this.#largest.sorted().map(({ ordinal: key, item }) => ({ ...showPath(key), ...item }))
  }
}
