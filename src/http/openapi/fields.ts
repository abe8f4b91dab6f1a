/** Fields that many answers have: each says what it is, its unit, and shows one. */
import { z } from '@hono/zod-openapi'

export const bytes = (description: string, example: number) =>
  z
    .int()
    .nonnegative()
    .openapi({ description: `${description}.`, example })

/** Bytes of a difference; negative if it shrank. */
export const deltaBytes = (description: string, example: number) =>
  z.int().openapi({ description: `${description}; negative where it shrank.`, example })

export const count = (description: string, example: number) =>
  z
    .int()
    .nonnegative()
    .openapi({ description: `${description}.`, example })

export const text = (description: string, example: string) =>
  z.string().openapi({ description: `${description}.`, example })

export const time = (description: string, example: string) =>
  z.string().openapi({ description: `${description}.`, format: 'date-time', example })

export const digestSchema = z
  .string()
  .regex(/^sha256:[0-9a-f]{64}$/)
  .openapi('Digest', {
    description: 'A digest: `sha256:` and 64 hex digits.',
    example: 'sha256:93752960f6e101e6f0b32b803820b1d9c8fa1b56ea554930f1778a53d127c579',
  })

export const digest = (description: string) => digestSchema.openapi({ description: `${description}.` })

export const sha256Schema = z
  .string()
  .regex(/^[0-9a-f]{64}$/)
  .openapi('Sha256', {
    description: 'A SHA-256: 64 hex digits.',
    example: '5d2ff9c0c5d9d5a53cfb2e1a77e2a3ac6fbb9bca7b3b7b4e8a7a5b3e5f1d0c9a',
  })

export const sha256 = (description: string) => sha256Schema.openapi({ description: `${description}.` })

export const path = (description: string, example: string) =>
  z.string().openapi({ description: `${description}.`, example })

export const pathBase64 = z
  .base64()
  .openapi('PathBase64', {
    description: "The path's exact bytes in base64; present only where they are not UTF-8.",
    example: 'c3J2L2NhZukudHh0',
  })
  .optional()

export const layerIndex = (description: string, example: number) =>
  z
    .int()
    .nonnegative()
    .openapi({ description: `${description}.`, example })

export const nextCursor = z
  .string()
  .openapi('NextCursor', {
    description: 'The `cursor` of the next page; absent on the last page.',
    example: 'W1sic2hhMjU2OmU4MjY5Y2FlIl0sMTAwLCJ4Il0',
  })
  .optional()

/** A page of a list, and a line of it when streamed. */
export function pageOf<T extends z.ZodType>(name: string, item: T, description: string) {
  return z
    .strictObject({ items: z.array(item).openapi({ description }), nextCursor })
    .openapi(name, { description: `A page of a list. ${description}` })
}
