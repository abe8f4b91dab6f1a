/** Parameters that many endpoints share: how each is read and described. */
import { z } from '@hono/zod-openapi'

/** A whole number, written in digits. */
export function integer(
  range: { readonly min: number; readonly max: number },
  said: { readonly description: string; readonly example?: number },
) {
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
      ...said,
    })
}

/** Given any number of times. */
export function repeatable(said: { readonly description: string; readonly example: readonly string[] }) {
  return z
    .union([z.string(), z.array(z.string())])
    .transform((value) => (typeof value === 'string' ? [value] : value))
    .openapi({ type: 'array', items: { type: 'string' }, ...said, example: [...said.example] })
}

export const reference = (description: string, example: string) =>
  z.string().openapi({ description, example })

export const image = reference(
  'An image reference as for `docker pull`: `nginx`, `ghcr.io/o/r:tag`, `localhost:5000/x@sha256:…`.',
  'alpine:3.20',
)

export const platform = z.string().optional().openapi({
  description:
    '`os/arch[/variant]`, `linux/amd64` by default. Variants fall back as in containerd (`platforms.Only`), never to another architecture. An image without an index is checked only against a platform that you name.',
  example: 'linux/amd64',
})

/** @param seconds by default */
export function waitUpTo(seconds: number) {
  return integer(
    { min: 0, max: 300 },
    {
      description:
        'Seconds to wait for the analysis. Opening the image comes before, and takes 60 s at most.',
      example: 60,
    },
  )
    .default(seconds)
    .openapi({ default: seconds })
}

export const read = z.enum(['full', 'toc']).default('full').openapi({
  description:
    '`toc`: layers with a table of contents that the manifest vouches for (eStargz, zstd:chunked) are known from it alone, without reading them; `verified` in the answer says so. Other layers are read whole.',
  example: 'full',
})

/** What every call about one image takes. */
export const imageQuery = { image, platform, read, wait: waitUpTo(0) }

/** Names the form of an answer. */
export function format<const Names extends readonly [string, ...string[]]>(names: Names) {
  return z
    .enum(names)
    .optional()
    .openapi({ description: 'Format of the answer; overrides `Accept`.', example: names[0] })
}

/** How `text` looks. */
export const textQuery = {
  color: z
    .enum(['0', '1'])
    .default('0')
    .openapi({ description: 'Whether `text` has colours for a terminal.', example: '1' }),
  columns: integer(
    { min: 60, max: 400 },
    { description: 'Columns of the terminal that `text` is for.', example: 120 },
  )
    .default(80)
    .openapi({ default: 80 }),
}

export type TextQuery = { readonly color: '0' | '1'; readonly columns: number }

export function styleOf({ color, columns }: TextQuery): { readonly colour: boolean; readonly width: number } {
  return { colour: color === '1', width: columns }
}

export const cursor = z.string().min(1, 'is empty').max(2048, 'is too long').optional().openapi({
  description:
    "The `nextCursor` of the page before. It pins the image's digest, so all pages are of the same image even if the tag moves. Not with a whole list.",
})

export const limit = integer(
  { min: 1, max: 1000 },
  {
    description:
      'Items per page. `application/x-ndjson` and CSV are always whole lists; text and Markdown take no limit.',
    example: 20,
  },
)
  .optional()
  .openapi({ default: 100 })

export const PAGE_LIMIT = 100

export const layer = integer(
  { min: 0, max: 999_999 },
  { description: 'Index of a layer; the lowest is 0.', example: 0 },
).optional()

export const pathBase64 = z.string().optional().openapi({
  description: 'The exact bytes in base64 or base64url, instead of `path`.',
})

export const glob = z.string().optional().openapi({
  description:
    'Only paths that match this glob: anchored, case-sensitive; `*` within a part, `**` across parts, `?`, `[…]`, `{…}`. `dir/**` also matches `dir`.',
  example: '**/*.so',
})
