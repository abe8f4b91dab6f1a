/** Databases that an image shows but that cannot be read, for a warning. */
import type { PathKey } from '../../text/path.ts'

export type UnreadPlace = { readonly layer: number; readonly key: PathKey; count: number }

/** Further ones are only counted. */
const MAX_PLACES = 1_000

export class UnreadDatabases {
  readonly #places: UnreadPlace[] = []

  add(layer: number, key: PathKey): void {
    const last = this.#places.at(-1)
    if (last !== undefined && this.#places.length === MAX_PLACES) last.count++
    else this.#places.push({ layer, key, count: 1 })
  }

  /** In the order in which they were found. */
  get places(): readonly Readonly<UnreadPlace>[] {
    return this.#places
  }
}
