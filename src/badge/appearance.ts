/** How a badge looks, in the parameters of shields.io: each value is checked, since it becomes part of a picture. */
import { fromString } from 'css-color-converter'
import { Problem } from '../problem.ts'
import { type Appearance, STYLES, type Style } from './badge.ts'
import { LOGOS } from './logos.ts'

/** The parameters of every badge besides the image's own. */
export const APPEARANCE_PARAMETERS = ['label', 'color', 'labelColor', 'style', 'logo', 'warn', 'bad'] as const

/** shields.io's own names and their aliases; all other names come from CSS. */
const NAMED: ReadonlySet<string> = new Set([
  ...['brightgreen', 'green', 'yellow', 'yellowgreen', 'orange', 'red', 'blue', 'grey', 'lightgrey'],
  ...['gray', 'lightgray', 'critical', 'important', 'success', 'informational', 'inactive'],
])

const MAX_LABEL_LENGTH = 256
const MAX_COLOR_LENGTH = 64
const MAX_LOGO_LENGTH = 10 * 1024

/** @throws Problem `invalid_parameter` */
export function readAppearance(query: URLSearchParams): Appearance {
  const label = single(query, 'label')
  const color = single(query, 'color')
  const labelColor = single(query, 'labelColor')
  const style = single(query, 'style')
  const logo = single(query, 'logo')
  return {
    ...(label === undefined ? {} : { label: readLabel(label) }),
    ...(color === undefined ? {} : { color: readColor(color, 'color') }),
    ...(labelColor === undefined ? {} : { labelColor: readColor(labelColor, 'labelColor') }),
    ...(style === undefined ? {} : { style: readStyle(style) }),
    ...(logo === undefined ? {} : { logo: readLogo(logo) }),
  }
}

/** @throws Problem `invalid_parameter` if it is given twice */
export function single(query: URLSearchParams, parameter: string): string | undefined {
  const values = query.getAll(parameter)
  if (values.length > 1) throw refusal(parameter, 'is given more than once')
  return values[0]
}

function readLabel(text: string): string {
  if (text.length > MAX_LABEL_LENGTH) throw refusal('label', `has more than ${MAX_LABEL_LENGTH} characters`)
  return text
}

function readColor(text: string, parameter: string): string {
  if (text.length <= MAX_COLOR_LENGTH) {
    if (NAMED.has(text)) return text
    if (/^(?:[\da-f]{3}){1,2}$/i.test(text)) return text.toLowerCase()
    // Property names of every object, such as `constructor`, are found in a table of colors, too.
    if (!(text in {}) && fromString(text) !== null) return text.toLowerCase()
  }
  throw refusal(parameter, 'is not a color')
}

function readStyle(text: string): Style {
  const style = STYLES.find((known) => known === text)
  if (style === undefined) throw refusal('style', `must be one of ${STYLES.join(', ')}`)
  return style
}

function readLogo(text: string): string {
  if (LOGOS.has(text)) return text
  if (text.length > MAX_LOGO_LENGTH) throw refusal('logo', 'must be at most 10 KB')
  // An unescaped `+` arrives as a space, which base64 does not have.
  const base64 = text.replaceAll(' ', '+')
  if (/^data:image\/(?:svg\+xml|png);base64,[A-Za-z0-9+/]+={0,2}$/.test(base64)) return base64
  if (/^data:image\/svg\+xml(?:;charset=utf-8|;utf8)?,[\x20-\x7e]+$/i.test(text)) return text
  throw refusal(
    'logo',
    `must be a data URI of image/svg+xml or image/png, or one of ${[...LOGOS.keys()].join(', ')}`,
  )
}

function refusal(parameter: string, why: string): Problem {
  return new Problem('invalid_parameter', `${parameter} ${why}`, { parameter })
}
