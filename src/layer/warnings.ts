/** Counts what is odd in a layer but no reason to refuse it. */
import type { PathKey } from '../text/path.ts'

/** One warning per code: its count, and the first member. */
export type LayerWarning = {
  readonly code: LayerWarningCode
  readonly count: number
  readonly key: PathKey
}

/**
 * `databaseTooLarge`: a package database was left out, since the layer's databases would have been too large to keep.
 * `examinedTooLarge`: the same for what was found inside a file.
 */
export type LayerWarningCode = 'absolute' | 'dotdot' | 'databaseTooLarge' | 'examinedTooLarge'

export class LayerWarnings {
  readonly #met = new Map<LayerWarningCode, LayerWarning>()

  add(code: LayerWarningCode, key: PathKey, count = 1): void {
    const met = this.#met.get(code)
    this.#met.set(code, { code, count: (met?.count ?? 0) + count, key: met?.key ?? key })
  }

  list(): readonly LayerWarning[] {
    return [...this.#met.values()]
  }
}
