/** A badge as a picture, and as what shields.io draws one from. */
import { makeBadge } from 'badge-maker'
import type { Cache } from '../cache.ts'
import { visible } from '../formats/escape.ts'
import type { Badge } from './badge.ts'

/**
 * An SVG whose title and description for screen readers say what it shows and nothing more.
 *
 * It is to be served with a policy that lets it run and load nothing: its logo is somebody else's picture.
 */
export function drawBadge(badge: Badge, drawn?: Cache<string>): string {
  const key = JSON.stringify(badge)
  const known = drawn?.get(key)
  if (known !== undefined) return known
  const svg = draw(badge)
  drawn?.set(key, svg)
  return svg
}

function draw({ label, message, color, appearance }: Badge): string {
  const { labelColor, style, logo } = appearance
  return makeBadge({
    // XML has no character for most of what cannot be seen.
    label: visible(label),
    message,
    color,
    ...(labelColor === undefined ? {} : { labelColor }),
    ...(style === undefined ? {} : { style }),
    ...(logo === undefined ? {} : { logoBase64: logo }),
  })
}

/** What shields.io documents of a JSON endpoint, and no key more. */
export type Endpoint = {
  readonly schemaVersion: 1
  readonly label: string
  readonly message: string
  readonly color: string
  readonly labelColor?: string
  readonly style?: string
  /** Whether shields.io refuses to paint it in another color. */
  readonly isError?: true
  readonly logoSvg?: string
}

/** @see https://shields.io/badges/endpoint-badge */
export function endpointOf({ label, message, color, isError, appearance }: Badge): Endpoint {
  const { labelColor, style, logo } = appearance
  const logoSvg = logo === undefined ? undefined : svgOf(logo)
  return {
    schemaVersion: 1,
    label: visible(label),
    message,
    color,
    ...(labelColor === undefined ? {} : { labelColor }),
    ...(style === undefined ? {} : { style }),
    ...(isError ? { isError } : {}),
    ...(logoSvg === undefined ? {} : { logoSvg }),
  }
}

/** Undefined for a PNG, and for text that is not what its URI says. */
function svgOf(logo: string): string | undefined {
  const [, encoding = '', data = ''] = /^data:image\/svg\+xml([^,]*),(.*)$/i.exec(logo) ?? []
  if (encoding === ';base64') return Buffer.from(data, 'base64').toString('utf8')
  try {
    return decodeURIComponent(data) || undefined
  } catch {
    return undefined
  }
}
