/** A badge before it is drawn. */

export type Style = 'flat' | 'flat-square' | 'plastic' | 'for-the-badge' | 'social'

export type Badge = {
  readonly label: string
  readonly message: string
  /** As shields.io takes it: one of its names, hexadecimal digits, or a color of CSS. */
  readonly color: string
  /** The message is no figure but says what went wrong, or that a check fails: nobody should paint it over. */
  readonly isError: boolean
  /** Why there is no figure, if the caller can do something about it. */
  readonly reason?: string
  readonly appearance: Appearance
}

/** What the badge's reader chose of how it looks. */
export type Appearance = {
  readonly label?: string
  readonly color?: string
  readonly labelColor?: string
  readonly style?: Style
  /** A `data:` URI of an SVG or a PNG, or one of the names that `LOGOS` has. */
  readonly logo?: string
}
