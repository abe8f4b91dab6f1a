/** The unit of a rule, and its evidence if it is broken. */

/** The unit of `limit` and `actual`. */
export type Unit = 'bytes' | 'count' | 'ratio' | 'percent' | 'severity'

/** A path of the image, a value of its config, or a whole layer. */
export type Evidence = {
  readonly path?: string
  readonly pathBase64?: string
  readonly bytes?: number
  /** What a value in the config is, and its name: `environment`, `history`, `label`. */
  readonly kind?: string
  readonly name?: string
  /** For a rule that counts files: how many of them the layer adds. */
  readonly files?: number
  /** Index of the layer that holds it, from 0. */
  readonly layer?: number
  /** A layer stores it, but the merged file system does not show it. */
  readonly hidden?: true
  /** The step that made the layer, as in the history. */
  readonly createdBy?: string
  /** The line of that step in the given Dockerfile, from 1. */
  readonly line?: number
}
