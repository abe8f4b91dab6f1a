/** A badge before it is drawn. */

/** The styles of shields.io, the default first. */
export const STYLES = ['flat', 'flat-square', 'plastic', 'for-the-badge', 'social'] as const

export type Style = (typeof STYLES)[number]

export type Badge = {
  readonly label: string
  readonly message: string
  /** As in shields.io: one of its names, hexadecimal digits, or a CSS color. */
  readonly color: string
  /** The message is not a figure but an error or a failing check, whose color must not be changed. */
  readonly isError: boolean
  /** Why there is no figure, if the caller can do something about it. */
  readonly reason?: string
  readonly appearance: Appearance
}

/** The appearance that the badge's user chose. */
export type Appearance = {
  readonly label?: string
  readonly color?: string
  readonly labelColor?: string
  readonly style?: Style
  /** A `data:` URI of an SVG or a PNG, or one of the names in `LOGOS`. */
  readonly logo?: string
}
