/** Parameters that many endpoints share: how each is parsed and described. */
import { z } from '@hono/zod-openapi'

/** A whole number in digits. */
export function integer(range: { readonly min: number; readonly max: number }, description: string) {
  const { min, max } = range
  const most = max === Number.MAX_SAFE_INTEGER ? 'or more' : `to ${max}`
  return z
    .string()
    .transform((text, context) => {
      const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN
      if (value >= min && value <= max) return value
      context.addIssue({ code: 'custom', message: `must be a whole number, ${min} ${most}` })
      return z.NEVER
    })
    .openapi({
      type: 'integer',
      minimum: min,
      ...(max === Number.MAX_SAFE_INTEGER ? {} : { maximum: max }),
      description,
    })
}

/** An optional whole number. */
export const optional = (description: string) => z.string().optional().openapi({ description })

/** May be given any number of times. */
export function repeatable(description: string) {
  return z
    .union([z.string(), z.array(z.string())])
    .transform((value) => (typeof value === 'string' ? [value] : value))
    .openapi({ type: 'array', items: { type: 'string' }, description })
}

export const reference = (description: string, example: string) =>
  z.string().openapi({ description, example })

export const image = reference(
  'As for `docker pull`: `nginx`, `ghcr.io/o/r:tag`, `localhost:5000/x@sha256:…`.',
  'alpine:3.20',
)

export const platform = z.string().optional().openapi({
  description:
    '`os/arch[/variant]`, `linux/amd64` by default. Variants fall back as in containerd. Of an image without an index only a platform that you name is checked.',
})

/** @param seconds by default */
export function waitUpTo(seconds: number) {
  return integer(
    { min: 0, max: 300 },
    'Seconds to wait for the analysis, after at most 60 s of opening the image.',
  )
    .default(seconds)
    .openapi({ default: seconds })
}

export const read = z.enum(['full', 'toc']).default('full').openapi({
  description:
    '`toc`: layers with a table of contents that the manifest vouches for (eStargz, zstd:chunked) are known from it alone; `verified` says so.',
})

/** Parameters of every call about one image. */
export const imageQuery = { image, platform, read, wait: waitUpTo(0) }

/** The parameter that chooses the form of an answer. */
export function format<const Names extends readonly [string, ...string[]]>(names: Names) {
  return z.enum(names).optional().openapi({ description: 'Overrides `Accept`.' })
}

export const pictureWidth = integer({ min: 200, max: 2000 }, 'Width of the treemap in pixels.')
  .default(960)
  .openapi({ default: 960 })

/** How `text` looks. */
export const textQuery = {
  color: z.enum(['0', '1']).default('0').openapi({ description: '`1`: `text` has colours for a terminal.' }),
  columns: integer({ min: 60, max: 400 }, 'Width of `text` in columns.').default(80).openapi({ default: 80 }),
}

export type TextQuery = { readonly color: '0' | '1'; readonly columns: number }

export function styleOf({ color, columns }: TextQuery): { readonly colour: boolean; readonly width: number } {
  return { colour: color === '1', width: columns }
}

export const cursor = z.string().min(1, 'is empty').max(2048, 'is too long').optional().openapi({
  description: 'The `nextCursor` of the previous page. All pages are of one image, even if its tag moves.',
})

export const limit = integer(
  { min: 1, max: 1000 },
  'Items per page. NDJSON and CSV are whole lists; text and Markdown take no limit.',
)
  .optional()
  .openapi({ default: 100 })

export const PAGE_LIMIT = 100

export const layer = integer(
  { min: 0, max: 999_999 },
  'This layer, counted from 0, instead of the merged file system.',
).optional()

/** A directory to list. */
export const directory = optional('The directory; the root by default.')

/** A path that a call is about. */
export const path = optional('Either `path` or `pathBase64` is required.')

export const pathBase64 = z.string().optional().openapi({
  description: 'The exact bytes in base64 or base64url, instead of `path`.',
})

export const glob = z.string().optional().openapi({
  description:
    'Only paths that match: anchored, case-sensitive; `*` within a part, `**` across parts, `?`, `[…]`, `{…}`. `dir/**` matches `dir`, too.',
})
