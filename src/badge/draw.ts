/** A badge as a picture, and as the JSON that shields.io draws one from. */
import { makeBadge } from 'badge-maker'
import type { Cache } from '../cache.ts'
import { markupText, visible } from '../formats/escape.ts'
import type { Badge, Style } from './badge.ts'
import { LOGOS } from './logos.ts'

/**
 * An SVG whose title and description for screen readers say what it shows and nothing more.
 *
 * Serve it with a policy under which it runs and loads nothing, since its logo comes from others.
 */
export function drawBadge(badge: Badge, drawn?: Cache<string>): string {
  const key = JSON.stringify(badge)
  const known = drawn?.get(key)
  if (known !== undefined) return known
  const svg = draw(badge)
  drawn?.set(key, svg)
  return svg
}

function draw({ label, message, color, reason, appearance }: Badge): string {
  const { labelColor, style, logo } = appearance
  const svg = makeBadge({
    // XML lacks most invisible characters.
    label: visible(label),
    message,
    color,
    ...(labelColor === undefined ? {} : { labelColor }),
    ...(style === undefined ? {} : { style }),
    ...(logo === undefined ? {} : { logoBase64: pictureOf(logo, style) }),
  })
  if (reason === undefined) return svg
  return svg.replace(/<title>[^<]*<\/title>/, () => `<title>${markupText(`${message}: ${reason}`)}</title>`)
}

/** A logo given by name is as light as the text next to it; on the light background of `social` it has its own color. */
function pictureOf(logo: string, style: Style | undefined): string {
  const known = LOGOS.get(logo)
  if (known === undefined) return logo
  const fill = style === 'social' ? known.color : 'whitesmoke'
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" fill="${fill}"><path d="${known.path}"/></svg>`
  return `data:image/svg+xml;base64,${Buffer.from(svg).toString('base64')}`
}

/** The documented keys of shields.io's JSON endpoint, and no others. */
export type Endpoint = {
  readonly schemaVersion: 1
  readonly label: string
  readonly message: string
  readonly color: string
  readonly labelColor?: string
  readonly style?: string
  /** Whether shields.io refuses to change its color. */
  readonly isError?: true
  readonly namedLogo?: string
  readonly logoSvg?: string
}

/** @see https://shields.io/badges/endpoint-badge */
export function endpointOf({ label, message, color, isError, reason, appearance }: Badge): Endpoint {
  const { labelColor, style, logo } = appearance
  const isNamed = logo !== undefined && LOGOS.has(logo)
  const logoSvg = logo === undefined || isNamed ? undefined : svgOf(logo)
  return {
    schemaVersion: 1,
    // No documented key is for a reason, but the label has room for it.
    label: visible(reason === undefined ? label : `${label}: ${reason}`),
    message,
    color,
    ...(labelColor === undefined ? {} : { labelColor }),
    ...(style === undefined ? {} : { style }),
    ...(isNamed ? { namedLogo: logo } : {}),
    ...(isError ? { isError } : {}),
    ...(logoSvg === undefined ? {} : { logoSvg }),
  }
}

/** Undefined for a PNG, and for text that does not match its URI. */
function svgOf(logo: string): string | undefined {
  const [, encoding = '', data = ''] = /^data:image\/svg\+xml([^,]*),(.*)$/i.exec(logo) ?? []
  if (encoding === ';base64') return Buffer.from(data, 'base64').toString('utf8')
  try {
    return decodeURIComponent(data) || undefined
  } catch {
    return undefined
  }
}
