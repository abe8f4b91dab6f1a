/**
 * Fields of answers and their types. A field has a description if its name does not say it all; descriptions here have no full
 * stop.
 */
import { z } from '@hono/zod-openapi'

const said = (description?: string) => (description === undefined ? {} : { description: `${description}.` })

/** Bytes, a count, or an index. */
export const int = (description?: string) => z.int().openapi(said(description))

export const text = (description?: string) => z.string().openapi(said(description))

export const time = (description?: string) =>
  z.string().openapi({ ...said(description), format: 'date-time' })

export const digestSchema = z
  .string()
  .regex(/^sha256:[0-9a-f]{64}$/)
  .openapi('Digest', {
    description: 'A digest: `sha256:` and 64 hex digits.',
    example: 'sha256:93752960f6e101e6f0b32b803820b1d9c8fa1b56ea554930f1778a53d127c579',
  })

export const digest = (description: string) => digestSchema.openapi(said(description))

export const sha256Schema = z
  .string()
  .regex(/^[0-9a-f]{64}$/)
  .openapi('Sha256', {
    description: 'A SHA-256: 64 hex digits.',
    example: '5d2ff9c0c5d9d5a53cfb2e1a77e2a3ac6fbb9bca7b3b7b4e8a7a5b3e5f1d0c9a',
  })

export const referenceSchema = z.string().openapi('Reference', {
  description: 'As for `docker pull`: `nginx`, `ghcr.io/o/r:tag`, `localhost:5000/x@sha256:…`.',
  example: 'alpine:3.20',
})

export const platformNameSchema = z.string().openapi('PlatformName', {
  description: '`os/arch[/variant]`.',
  example: 'linux/amd64',
})

export const dockerfileSchema = z.string().openapi('Dockerfile', {
  description: 'The Dockerfile of the image, at most 256 KiB; the answer then names its lines.',
})

export const readSchema = z.enum(['full', 'toc']).openapi('Read', { description: 'As the parameter `read`.' })

export const pathBase64 = z
  .base64()
  .openapi('PathBase64', {
    description: 'The exact bytes in base64; present only where they are not UTF-8.',
    example: 'c3J2L2NhZukudHh0',
  })
  .optional()

export const nextCursor = z
  .string()
  .openapi('NextCursor', { description: 'The `cursor` of the next page; absent on the last page.' })
  .optional()

/** A page of a list; when streamed, each item is a line. */
export function pageOf<T extends z.ZodType>(name: string, item: T) {
  return z.strictObject({ items: z.array(item), nextCursor }).openapi(name)
}
