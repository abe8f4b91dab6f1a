/** Colours by their names on shields.io, for pictures that badge-maker does not draw. */

/** shields.io's own names and their meanings. */
const NAMED: Readonly<Record<string, string>> = {
  brightgreen: '#4c1',
  success: '#4c1',
  green: '#97ca00',
  yellowgreen: '#a4a61d',
  yellow: '#dfb317',
  orange: '#fe7d37',
  important: '#fe7d37',
  red: '#e05d44',
  critical: '#e05d44',
  blue: '#007ec6',
  informational: '#007ec6',
  grey: '#555',
  gray: '#555',
  lightgrey: '#9f9f9f',
  lightgray: '#9f9f9f',
  inactive: '#9f9f9f',
}

/** A colour that `readAppearance` accepted, as CSS. */
export function paintOf(color: string): string {
  if (Object.hasOwn(NAMED, color)) return NAMED[color] ?? color
  return /^[\da-f]+$/i.test(color) ? `#${color}` : color
}
