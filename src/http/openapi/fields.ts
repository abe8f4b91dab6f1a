/** Fields that many answers have: each says what it is, its unit, and shows one. */
import { z } from '@hono/zod-openapi'

export const bytes = (description: string, example: number) =>
  z
    .int()
    .nonnegative()
    .openapi({ description: `${description}, in bytes.`, example })

/** Bytes of a difference: negative where it shrank. */
export const deltaBytes = (description: string, example: number) =>
  z.int().openapi({ description: `${description}, in bytes; negative where it shrank.`, example })

export const count = (description: string, example: number) =>
  z
    .int()
    .nonnegative()
    .openapi({ description: `${description}.`, example })

export const text = (description: string, example: string) =>
  z.string().openapi({ description: `${description}.`, example })

export const time = (description: string, example: string) =>
  z.string().openapi({ description: `${description}, as RFC 3339 in UTC.`, format: 'date-time', example })

export const digest = (description: string, example: string) =>
  z
    .string()
    .regex(/^sha256:[0-9a-f]{64}$/)
    .openapi({ description: `${description}: \`sha256:\` and 64 hex digits.`, example })

export const sha256 = (description: string, example: string) =>
  z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .openapi({ description: `${description}: SHA-256 as 64 hex digits.`, example })

export const path = (description: string, example: string) =>
  z.string().openapi({
    description: `${description}, relative to the root and without a leading slash; bytes that are not UTF-8 show as U+FFFD.`,
    example,
  })

export const pathBase64 = z.base64().optional().openapi({
  description: "The path's exact bytes as base64; only where they are not UTF-8.",
  example: 'c3J2L2NhZukudHh0',
})

export const layerIndex = (description: string, example: number) =>
  z
    .int()
    .nonnegative()
    .openapi({ description: `${description}: its index, the lowest layer being 0.`, example })

export const nextCursor = z.string().optional().openapi({
  description: 'The `cursor` of the next page; absent on the last one.',
  example: 'W1sic2hhMjU2OmU4MjY5Y2FlIl0sMTAwLCJ4Il0',
})

/** A page of a list, and a line of it when streamed. */
export function pageOf<T extends z.ZodType>(name: string, item: T, description: string) {
  return z
    .strictObject({ items: z.array(item).openapi({ description }), nextCursor })
    .openapi(name, { description: `A page of a list. ${description}` })
}
